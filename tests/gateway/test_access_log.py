"""What is logged of a request, and when."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from gateway import access_log
from gateway.access_log import AccessLog
from gateway.exchange import Exchange
from lisa.auth.schemas import Caller


@pytest.fixture
def _is_on() -> Iterator[None]:
    access_log.logger.setLevel(logging.INFO)
    yield
    access_log.logger.setLevel(logging.NOTSET)


def exchange() -> Exchange:
    async def unused(*_: Any) -> Any:
        raise AssertionError

    found = Exchange({"raw_path": b"/", "headers": [], "method": "POST"}, unused, unused)
    found.caller = Caller(username="ada")
    found.model_id = "m" * 200
    found.route_name = "chat/completions"
    return found


@pytest.mark.usefixtures("_is_on")
async def test_lines_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "FLUSH_SECONDS", 0.01)
    written: list[bytes] = []
    log = AccessLog(written.append)
    log.add(exchange(), 200)
    log.add(exchange(), 499)
    assert written == []
    await asyncio.sleep(0.05)
    assert len(written) == 1
    first, second = map(json.loads, written[0].splitlines())
    assert (first["status"], second["status"]) == (200, 499)
    assert (first["user"], first["model"], first["route"]) == ("ada", "m" * 128, "chat/completions")
    assert len(first["time"]) == len("2026-01-02T03:04:05.678Z")


@pytest.mark.usefixtures("_is_on")
async def test_a_full_batch_and_what_comes_after_the_end_are_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "MAX_LINES", 2)
    written: list[bytes] = []
    log = AccessLog(written.append)
    log.add(exchange(), 200)
    log.add(exchange(), 200)
    assert len(written) == 1
    log.add(exchange(), 200)
    log.close()
    log.add(exchange(), 503)
    assert [block.count(b"\n") for block in written] == [2, 1, 1]


@pytest.mark.usefixtures("_is_on")
async def test_a_log_that_cannot_be_written_fails_no_call() -> None:
    def broken(_lines: bytes) -> None:
        raise BrokenPipeError

    log = AccessLog(broken)
    log.close()
    log.add(exchange(), 200)


async def test_a_higher_level_logs_no_requests() -> None:
    written: list[bytes] = []
    log = AccessLog(written.append)
    log.add(exchange(), 200)
    log.close()
    assert written == []
