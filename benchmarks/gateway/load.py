"""The load generator: raw keep-alive connections, cheap enough not to be the limit itself."""

import asyncio
import contextlib
import gc
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.gateway.figures import percentile

STAMP = re.compile(rb'"content": ?"(\d+)"')
PATIENCE_SECONDS = 120  # for an answer; LiteLLM's first one takes seconds


@dataclass(slots=True)
class Tally:
    """What all connections of one run saw; times in seconds. `wrong`: answers that were not as asked for."""

    durations: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    pieces: int = 0
    wrong: int = 0
    lost: int = 0
    example: bytes = b""  # of a wrong answer
    delays_ns: list[int] = field(default_factory=list)
    excesses_ns: list[int] = field(default_factory=list)

    def checked(self) -> "Tally":
        """Raises: RuntimeError when an answer was not as asked for: its speed would mean nothing."""
        if self.wrong or self.lost or not self.durations:
            raise RuntimeError(
                f"{len(self.durations)} answers, {self.wrong} wrong, {self.lost} lost: {self.example[:500]!r}"
            )
        return self


class Connection(asyncio.Protocol):
    """Asks the same again as soon as it has the whole answer, until told to stop."""

    def __init__(self, request: bytes, streamed: bool, tally: Tally, times: int | None = None) -> None:
        self._request = request
        self._streamed = streamed
        self._tally = tally
        self._times = times
        self._last: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopping = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._held = b""
        self._left = -1  # bytes of the body; -1: the head is not complete; -2: chunked
        self._tail = b""
        self._has_body = False
        self._started = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._left == -1:
            self._held += data
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                return
            self._read_head(self._held[:end])
            data = self._held[end + 4 :]
            if not data:
                return
        if not self._has_body:
            self._has_body = True
            self._tally.firsts.append(time.perf_counter() - self._started)
        self._read_body(data)

    def _read_head(self, head: bytes) -> None:
        self._is_right = head[9:12] == b"200"
        if not self._is_right:
            self._tally.example = self._held
        lower = head.lower()
        at = lower.find(b"content-length:")
        self._left = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else -2

    def _read_body(self, data: bytes) -> None:
        if self._left == -2:
            self._tally.pieces += 1
            self._tail = (self._tail + data)[-256:]
            if self._tail.endswith(b"0\r\n\r\n"):
                self._done(not self._streamed or b"[DONE]" in self._tail)
        else:
            self._left -= len(data)
            if self._left <= 0:
                self._done(not self._streamed)

    def _done(self, is_complete: bool) -> None:
        tally = self._tally
        if self._is_right and is_complete:
            tally.durations.append(time.perf_counter() - self._started)
        else:
            tally.wrong += 1
        if self._times is not None:
            self._times -= 1
        if self._stopping or self._times == 0:
            self._finish()
        else:
            self._ask()

    def _finish(self) -> None:
        if not self._last.done():
            self._last.set_result(None)
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._last.done():
            self._tally.lost += 1
            self._last.set_result(None)

    def stop(self) -> None:
        """After the answer that it waits for."""
        self._stopping = True

    async def ended(self) -> None:
        await asyncio.wait_for(asyncio.shield(self._last), PATIENCE_SECONDS)


class StampedConnection(Connection):
    """Reads from each chunk when the upstream sent it: how late is it, and how much longer is the gap before it?"""

    def _ask(self) -> None:
        super()._ask()
        self._before: tuple[int, int] | None = None

    def _read_body(self, data: bytes) -> None:
        now = time.monotonic_ns()
        for found in STAMP.finditer(data):
            sent = int(found[1])
            self._tally.delays_ns.append(now - sent)
            if self._before is not None:
                self._tally.excesses_ns.append((now - self._before[1]) - (sent - self._before[0]))
            self._before = sent, now
        super()._read_body(data)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keeps our own garbage collector out of the measured time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _open(port: int, connection: Connection) -> Connection:
    await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", port)
    return connection


async def run_for(port: int, request: bytes, streamed: bool, connections: int, seconds: float) -> Tally:
    """Keeps all connections busy for `seconds`; answers that were begun in time are waited for, but do not count."""
    tally = Tally()
    with uncollected():
        busy = [await _open(port, Connection(request, streamed, tally)) for _ in range(connections)]
        await asyncio.sleep(seconds)
        counted = Tally(tally.durations[:], tally.firsts[:], tally.pieces, tally.wrong, tally.lost, tally.example)
        for connection in busy:
            connection.stop()
        for connection in busy:
            await connection.ended()
    return counted


async def run_times(port: int, request: bytes, streamed: bool, times: int) -> Tally:
    """One connection asks `times` times."""
    tally = Tally()
    with uncollected():
        await (await _open(port, StampedConnection(request, streamed, tally, times))).ended()
    return tally


async def run_slow_streams(port: int, request: bytes, streams: int, per_second: float) -> Tally:
    """`streams` at once, opened at a steady rate, each to its end."""
    tally = Tally()
    with uncollected():
        started = time.perf_counter()
        busy = []
        for number in range(streams):
            await asyncio.sleep(max(started + number / per_second - time.perf_counter(), 0))
            busy.append(await _open(port, StampedConnection(request, True, tally, 1)))
        for connection in busy:
            await connection.ended()
    return tally


def milliseconds(values: list[float], share: float) -> float:
    return percentile(values, share) * 1e3


def milliseconds_of_ns(values: list[int], share: float) -> float:
    return percentile(values, share) / 1e6
