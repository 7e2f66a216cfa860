"""Callers, models and limits for tests of what a call may use and what it used."""

from collections.abc import Callable, Iterable
from typing import Any

from gateway.limits.admission import Limits
from lisa.auth.schemas import Caller
from lisa.errors import UnavailableError
from lisa.models.schemas import ModelRow
from lisa.usage.ledger import Move, Moved
from lisa.usage.schemas import Limit

from tests.fixtures.ledger import MemoryLedger

ADA = Caller(username="ada", groups=frozenset({"physics"}), key_id="key-1")
NOW = 1_800_000_012.0  # 12 s after the minute began


def model(model_id: str = "m", name: str = "openai/m", **more: Any) -> ModelRow:
    priced = {"pricing": {"inputCostPerToken": 1e-6, "outputCostPerToken": 3e-6}}
    return ModelRow.model_validate({"modelId": model_id, "modelName": name, "modelType": "textgen", **priced, **more})


class Reached(MemoryLedger):
    """The ledger as one task reaches it, or does not."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.moves: list[Move] = []

    async def ask(self, request: Move) -> Moved:
        self.moves.append(request)
        if self.is_away:
            raise UnavailableError("away")
        return super().move(request)


class Asking:
    def __init__(self, ledger: Reached) -> None:
        self._ledger = ledger

    async def move(self, move: Move) -> Moved:
        return await self._ledger.ask(move)


async def limits_of(ledger: Reached, *rows: Limit, clock: Callable[[], float] = lambda: NOW) -> Limits:
    """One task with these limits."""

    def read() -> Iterable[Limit]:
        return rows

    limits = Limits(read, Asking(ledger), 5, clock)
    await limits.refresh()
    return limits
