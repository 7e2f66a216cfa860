"""What a fake upstream was asked."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """What arrived, and which calls were cut off by the caller."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    cancelled: int = 0

    @property
    def body(self) -> dict[str, Any]:
        return self.bodies[-1]
