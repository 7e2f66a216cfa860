"""One inference call on its way: who asks which model for what, and what grounds the answer."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from gateway.form import FormFile
from gateway.grounding import Grounding
from gateway.operations import Operation
from gateway.routing.attempts import LAST, Chance
from gateway.routing.targets import Target


class Meter(Protocol):
    """Counts the tokens of one call from what passes by."""

    def event(self, ready: bytes) -> bytes:
        """Whole events of a stream; returns what the client gets of them."""
        ...

    def answer(self, body: bytes) -> None:
        """An answer that is not streamed."""
        ...


class _Uncounted:
    def event(self, ready: bytes) -> bytes:
        return ready

    def answer(self, body: bytes) -> None:
        pass


UNCOUNTED = _Uncounted()  # for what costs no tokens, like looking at a video


NONE: Mapping[str, str] = {}


class Call(NamedTuple):
    """One attempt at one deployment.

    `body` is the caller's JSON, or the text fields of a form, without `lisa`; `provider_key` is "" for an upstream
    that asks for none; `headers` are those of the caller that go upstream; `chance` is what follows a failure.
    """

    operation: Operation
    target: Target
    body: dict[str, Any]
    username: str
    provider_key: str
    meter: Meter
    grounding: Grounding | None = None
    files: tuple[FormFile, ...] = ()
    headers: Mapping[str, str] = NONE
    chance: Chance = LAST

    @property
    def is_streamed(self) -> bool:
        return self.body.get("stream") in (True, "true")  # forms have only text
