"""The models that can be called: the table's rows, read again every few seconds, kept while the table is away."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lisa.auth.schemas import Caller
from lisa.errors import UnavailableError
from lisa.models.schemas import ModelRow, ModelStatus

from gateway.errors import ModelNotFoundError
from gateway.logs import fields
from gateway.routing.targets import Target, target_of

logger = logging.getLogger(__name__)

ReadRows = Callable[[], Iterable[Mapping[str, Any]]]
FIRST_LOAD_RETRY_SECONDS = 0.5


def targets_of(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Target], frozenset[str]]:
    """The models in service by id, and the ids of rows that cannot be used: those do not hide the others."""
    targets: dict[str, Target] = {}
    unusable = set()
    for item in rows:
        try:
            row = ModelRow.model_validate(item)
            if row.status is ModelStatus.IN_SERVICE:
                targets[row.model_id] = target_of(row)
        except ValueError:  # pydantic's ValidationError is one
            unusable.add(str(item.get("modelId")))
    return dict(sorted(targets.items())), frozenset(unusable)


class Registry:
    """`running` keeps it fresh; look-ups never wait."""

    def __init__(self, read_rows: ReadRows, seconds: float) -> None:
        self._read_rows = read_rows
        self._seconds = seconds
        self._targets: dict[str, Target] | None = None
        self._unusable: frozenset[str] = frozenset()
        self._failing = False

    @property
    def is_ready(self) -> bool:
        return self._targets is not None

    def find(self, model_id: str, caller: Caller) -> Target:
        """Raises: ModelNotFoundError, also for a model of other groups; UnavailableError before the first load."""
        target = self._loaded().get(model_id)
        if target is None or not caller.may_use(target.groups):
            raise ModelNotFoundError(model_id)
        return target

    def visible_to(self, caller: Caller) -> list[Target]:
        """Raises: UnavailableError before the first load."""
        return [target for target in self._loaded().values() if caller.may_use(target.groups)]

    def _loaded(self) -> dict[str, Target]:
        if self._targets is None:
            raise UnavailableError("The gateway is still reading its models. Try again in a few seconds.")
        return self._targets

    async def refresh(self) -> bool:
        """Reads the table once; on failure the last snapshot stays. True when it was read."""
        try:
            rows = await asyncio.to_thread(self._read_rows)
            targets, unusable = await asyncio.to_thread(targets_of, rows)
        except Exception as error:  # whatever is wrong with the table, calls go on with the models known so far
            if not self._failing:
                logger.warning("models table cannot be read", extra=fields(error=type(error).__name__))
            self._failing = True
            return False
        if self._targets is None or self._failing or targets.keys() != self._targets.keys():
            logger.info("models loaded", extra=fields(models=len(targets)))
        if unusable - self._unusable:
            logger.warning("model rows left out", extra=fields(models=sorted(unusable)))
        self._failing = False
        self._unusable = unusable
        self._targets = targets
        return True

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        """Keeps the snapshot fresh inside the block."""
        task = asyncio.create_task(self._keep_fresh())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _keep_fresh(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(self._seconds if self.is_ready else FIRST_LOAD_RETRY_SECONDS)
