"""Which endpoints turned out to speak, or not to speak, a protocol that they might speak."""

import time
from collections.abc import Callable

from gateway.operations import Operation
from gateway.routing.targets import Target

BELIEVED_SECONDS = 600.0  # an endpoint that is upgraded is tried again after this


class Dialects:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unspoken: dict[tuple[str, str, str], float] = {}
        self._spoken: dict[tuple[str, str, str], float] = {}

    def may_speak(self, target: Target, operation: Operation) -> bool:
        return self._unspoken.get(_key(target, operation), 0.0) <= self._clock()

    def learn(self, target: Target, operation: Operation) -> None:
        """The endpoint does not know the operation's path."""
        self._unspoken[_key(target, operation)] = self._clock() + BELIEVED_SECONDS

    def speaks(self, target: Target, operation: Operation) -> bool:
        """Whether the endpoint answered the operation lately, so that its 404 is about something in a call."""
        return self._spoken.get(_key(target, operation), 0.0) > self._clock()

    def confirm(self, target: Target, operation: Operation) -> None:
        """The endpoint answered the operation."""
        self._spoken[_key(target, operation)] = self._clock() + BELIEVED_SECONDS


def _key(target: Target, operation: Operation) -> tuple[str, str, str]:
    return target.model_id, target.base, operation.name
