"""One inference call on its way: who asks which model for what, and what grounds the answer."""

from dataclasses import dataclass
from typing import Any

from gateway.grounding import Grounding
from gateway.requests import Operation
from gateway.routing import Target


@dataclass(frozen=True, slots=True)
class Call:
    """`body` is the caller's, without `lisa`; `provider_key` is "" for an upstream that asks for none."""

    operation: Operation
    target: Target
    body: dict[str, Any]
    username: str
    provider_key: str
    grounding: Grounding | None = None

    @property
    def is_streamed(self) -> bool:
        return self.body.get("stream") is True
