"""Ends the work on a request when its client leaves or when somebody is silent for too long."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gateway.errors import ClientLeftError, UpstreamTimeoutError
from gateway.exchange import Exchange

SWEEP_SECONDS = 0.05
NEVER = float("inf")


class Watch:
    """`async with Watch(exchange) as watch:` cancels the body of the block and raises the reason in its place.

    One timer looks after all watches of a loop, and begins to listen for a client's leaving when it first meets one: a
    call that is answered before costs neither a timer nor a task, a quarter of its processor time.
    """

    __slots__ = ("_deadline", "_exchange", "_listener", "_overdue", "_reason", "_sweep", "_task")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._reason: Exception | None = None
        self._deadline = NEVER
        self._overdue: Callable[[], Exception] = ClientLeftError
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a Watch needs a task")
        self._task = task
        self._sweep = _sweep_of(loop)
        self._sweep.add(self)
        return self

    def upstream(self, seconds: float) -> None:
        """From now on we wait for the upstream. Raises (from the block): UpstreamTimeoutError."""
        self._overdue = _silent_upstream
        self._deadline = time.monotonic() + seconds

    def client(self, seconds: float) -> None:
        """From now on we wait for the client to read. Raises (from the block): ClientLeftError."""
        self._overdue = ClientLeftError
        self._deadline = time.monotonic() + seconds

    def look(self, now: float) -> None:
        """For the sweep: has the client left, is somebody overdue?"""
        if self._listener is None:
            self._listener = asyncio.get_running_loop().create_task(self._listen())
        if now >= self._deadline:
            self._end(self._overdue())

    async def _listen(self) -> None:
        while (await self._exchange.receive())["type"] != "http.disconnect":
            pass
        if not self._exchange.finished:
            self._end(ClientLeftError())

    def _end(self, reason: Exception) -> None:
        if self._reason is None and not self._exchange.finished:
            self._reason = reason
            self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sweep.remove(self)
        if self._listener is not None:
            self._listener.cancel()
        if self._reason is not None:
            self._task.uncancel()
            raise self._reason from error


def _silent_upstream() -> UpstreamTimeoutError:
    return UpstreamTimeoutError("The model's endpoint took too long to answer. Try again, or ask for less.")


class _Sweep:
    """Looks at every watch of a loop, again and again while there is one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._watches: set[Watch] = set()
        self._is_running = False

    def add(self, watch: Watch) -> None:
        self._watches.add(watch)
        if not self._is_running:
            self._is_running = True
            self.loop.call_later(SWEEP_SECONDS, self._look)

    def remove(self, watch: Watch) -> None:
        self._watches.discard(watch)

    def _look(self) -> None:
        now = time.monotonic()
        for watch in tuple(self._watches):
            watch.look(now)
        self._is_running = bool(self._watches)
        if self._is_running:
            self.loop.call_later(SWEEP_SECONDS, self._look)


_sweeps: list[_Sweep] = []  # of the loop that ran last: a process has one


def _sweep_of(loop: asyncio.AbstractEventLoop) -> _Sweep:
    if not _sweeps or _sweeps[0].loop is not loop:
        _sweeps[:] = [_Sweep(loop)]
    return _sweeps[0]
