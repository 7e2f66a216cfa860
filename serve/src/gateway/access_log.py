"""One line a request on stderr, written in batches: each by itself would be a sixth of what a short call costs."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable

import orjson

from gateway.exchange import Exchange
from gateway.logs import fields

FLUSH_SECONDS = 0.2
MAX_LINES = 64  # held at a time: so few stay in the processor's nearest caches until they are written

logger = logging.getLogger("gateway.access")


def _to_stderr(lines: bytes) -> None:
    sys.stderr.buffer.write(lines)
    sys.stderr.buffer.flush()


class AccessLog:
    """Ids, never a body or a header. The lines are of the form of `logs`, whose level decides whether there are any."""

    def __init__(self, write: Callable[[bytes], None] = _to_stderr) -> None:
        self._write = write
        self._lines: list[bytes] = []
        self._is_closed = False
        self._second = 0
        self._second_text = ""

    def add(self, exchange: Exchange, status: int) -> None:
        """`status` is what the client got, or would have got."""
        if not logger.isEnabledFor(logging.INFO):
            return
        line = {
            "time": self._now(),
            "level": "INFO",
            "logger": logger.name,
            "message": "request",
            "request_id": exchange.request_id,
            "method": exchange.scope["method"],
            "route": exchange.route_name,
            "status": status,
            "ms": round((time.perf_counter() - exchange.started_at) * 1000, 1),
            "user": exchange.caller.username if exchange.caller else None,
            "model": exchange.model_id[:128] or None,
            "stream": exchange.streaming,
        }
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if self._is_closed or len(self._lines) >= MAX_LINES:
            self.flush()
        elif len(self._lines) == 1:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Never raises: a log that cannot be written must not fail a call."""
        lines, self._lines = self._lines, []
        if lines:
            try:
                self._write(b"".join(lines))
            except (OSError, ValueError) as error:  # ValueError: the stream was closed
                logger.warning("requests could not be logged", extra=fields(error=type(error).__name__))

    def close(self) -> None:
        """From now on each line is written at once: the loop may end before a batch is full."""
        self._is_closed = True
        self.flush()

    def _now(self) -> str:
        """As `logs` has it; the part that changes once a second is kept."""
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        return f"{self._second_text}.{int(now * 1000) % 1000:03d}Z"
