"""The gateway as a process: start, drain, end; what it logs."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.conftest import unused_port
from tests.gateway.fake_openai import FakeOpenAi
from tests.gateway.serving import eventually, serve_application

ROOT = Path(__file__).parents[2]
TOKEN = "ada-" + "0" * 100
PROMPT = "a very private question"


class Process:
    def __init__(self, upstream: str, **environment: str) -> None:
        self.url = f"http://127.0.0.1:{unused_port()}"
        paths = [str(ROOT / part) for part in ("layers/core/src", "serve/src", ".")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.gateway.process", upstream],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "PORT": self.url.rsplit(":", 1)[1],
                "HOST": "127.0.0.1",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._log: list[str] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        eventually(self._is_ready, 30)

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        self._log.extend(iter(self._process.stderr.readline, ""))

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, "".join(self._log)
        try:
            return httpx.get(f"{self.url}/health/readiness").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def ended(self) -> tuple[int, str, str]:
        """Exit code, stdout, log."""
        code = self._process.wait(20)
        self._reader.join()
        assert self._process.stdout is not None
        return code, self._process.stdout.read(), "".join(self._log)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stream(self, http: httpx.Client, model: str) -> Any:
        body = {"model": model, "messages": [{"role": "user", "content": PROMPT}], "stream": True}
        return http.stream("POST", f"{self.url}/v1/chat/completions", json=body, headers={"Api-Key": TOKEN})


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with serve_application(FakeOpenAi().application) as url:
        yield url


def test_sigterm_lets_streams_end_and_takes_no_new_ones(upstream: str) -> None:
    gateway = Process(upstream)
    try:
        with httpx.Client(timeout=20) as http, gateway.stream(http, "slow") as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data:")
            gateway.stop()
            eventually(lambda: _refuses(gateway.url))
            assert [line for line in lines if line][-1] == "data: [DONE]"
        code, out, log = gateway.ended()
    finally:
        gateway.kill()
    assert code == 0
    assert "litellm imported: False" in out
    requests = [json.loads(line) for line in log.splitlines() if '"gateway.access"' in line]
    done = next(line for line in requests if line["route"] == "chat/completions")
    assert (done["status"], done["user"], done["model"], done["stream"]) == (200, "ada", "slow", True)
    assert done["request_id"] and done["ms"] > 0
    assert PROMPT not in log and TOKEN not in log and "Hel" not in log


def test_stream_that_outlasts_the_deadline_is_told_so(upstream: str) -> None:
    gateway = Process(upstream, DRAIN_SECONDS="1")
    try:
        with httpx.Client(timeout=20) as http, gateway.stream(http, "endless") as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data:")
            gateway.stop()
            last = [line for line in lines if line][-1]
        gateway.ended()
    finally:
        gateway.kill()
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "shutting_down"


def _refuses(url: str) -> bool:
    try:
        httpx.get(f"{url}/health")
    except httpx.TransportError:
        return True
    return False


def test_missing_setting_is_named(tmp_path: Path) -> None:
    paths = [str(ROOT / part) for part in ("layers/core/src", "serve/src")]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, "-m", "gateway"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=30
    )
    assert done.returncode != 0
    assert "MODELS_TABLE" in done.stderr
