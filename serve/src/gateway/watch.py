"""Ends the work on a request when its client leaves or when somebody is silent for too long."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gateway.errors import ClientLeftError, UpstreamTimeoutError
from gateway.exchange import Exchange


class Watch:
    """`async with Watch(exchange) as watch:` cancels the body of the block and raises the reason in its place.

    One listener task and one timer a request; streams move their deadline at each chunk, so that only sets a number.
    """

    __slots__ = ("_deadline", "_exchange", "_listener", "_loop", "_overdue", "_reason", "_task", "_timer")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._reason: Exception | None = None
        self._deadline = 0.0
        self._overdue: Callable[[], Exception] = ClientLeftError
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a Watch needs a task")
        self._task = task
        self._listener = self._loop.create_task(self._listen())
        return self

    def upstream(self, seconds: float) -> None:
        """From now on we wait for the upstream. Raises (from the block): UpstreamTimeoutError."""
        self._wait(seconds, _silent_upstream)

    def client(self, seconds: float) -> None:
        """From now on we wait for the client to read. Raises (from the block): ClientLeftError."""
        self._wait(seconds, ClientLeftError)

    def _wait(self, seconds: float, overdue: Callable[[], Exception]) -> None:
        self._overdue = overdue
        self._deadline = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._check)
        elif self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._check)

    def _check(self) -> None:
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._check)
        else:
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
        self._listener.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._reason is not None:
            self._task.uncancel()
            raise self._reason from error


def _silent_upstream() -> UpstreamTimeoutError:
    return UpstreamTimeoutError("The model's endpoint took too long to answer. Try again, or ask for less.")
