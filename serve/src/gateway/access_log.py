"""One line a request on stderr, written in batches: each by itself would be a sixth of what a short call costs."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import orjson

from gateway.exchange import Exchange
from gateway.logs import fields

FLUSH_SECONDS = 0.2
MAX_LINES = 1000  # held at a time

logger = logging.getLogger("gateway.access")


def _to_stderr(lines: bytes) -> None:
    sys.stderr.buffer.write(lines)
    sys.stderr.buffer.flush()


class Ended(NamedTuple):
    """What a line tells of a request."""

    time: float
    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    user: str | None
    model: str
    is_stream: bool

    def line(self) -> bytes:
        line = {
            "time": f"{_second(int(self.time))}.{int(self.time * 1000) % 1000:03d}Z",  # as `logs` has it
            "level": "INFO",
            "logger": logger.name,
            "message": "request",
            "request_id": self.request_id,
            "method": self.method,
            "route": self.route,
            "status": self.status,
            "ms": round(self.seconds * 1000, 1),
            "user": self.user,
            "model": self.model or None,
            "stream": self.is_stream,
        }
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


@lru_cache(2)
def _second(time_: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_))


class AccessLog:
    """Ids, never a body or a header. The lines are of the form of `logs`, whose level decides whether there are any.

    They are made in batches, too: code that runs again at once costs a third of what it costs once a call.
    """

    def __init__(self, write: Callable[[bytes], None] = _to_stderr) -> None:
        self._write = write
        self._ended: list[Ended] = []
        self._is_closed = False

    def add(self, exchange: Exchange, status: int) -> None:
        """`status` is what the client got, or would have got."""
        if not logger.isEnabledFor(logging.INFO):
            return
        caller = exchange.caller
        ended = Ended(
            time.time(),
            exchange.request_id,
            exchange.scope["method"],
            exchange.route_name,
            status,
            time.perf_counter() - exchange.started_at,
            caller.username if caller else None,
            exchange.model_id[:128],
            exchange.streaming,
        )
        self._ended.append(ended)
        if self._is_closed or len(self._ended) >= MAX_LINES:
            self.flush()
        elif len(self._ended) == 1:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Never raises: a log that cannot be written must not fail a call."""
        ended, self._ended = self._ended, []
        if ended:
            try:
                self._write(b"".join([each.line() for each in ended]))
            except (OSError, ValueError) as error:  # ValueError: the stream was closed
                logger.warning("requests could not be logged", extra=fields(error=type(error).__name__))

    def close(self) -> None:
        """From now on each line is written at once: the loop may end before a batch is full."""
        self._is_closed = True
        self.flush()
