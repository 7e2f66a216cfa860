"""Rate limits and budgets that hold over all tasks: reserve what a call may use, settle what it used."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from lisa.auth.schemas import Caller
from lisa.errors import UnavailableError
from lisa.models.schemas import ModelRow
from lisa.usage.ledger import Move, Moved
from lisa.usage.quotas import Quota, end_of, quotas_of
from lisa.usage.schemas import Limit, Metric

from gateway.errors import LimitExceededError
from gateway.estimates import ONE_REQUEST, needs_of
from gateway.leases import SWEEP_SECONDS, Lease, Leases, Ledger, Part
from gateway.limit_refusals import refusal_of
from gateway.logs import fields
from gateway.operations import Operation
from gateway.pricing import Prices

logger = logging.getLogger(__name__)

FIRST_LOAD_RETRY_SECONDS = 0.5
GRACE = timedelta(days=1)  # a row outlives its window: calls that began in it settle in it
PLAN_SECONDS = 60  # the shortest window
LEDGER_THREADS = 16  # of their own: waiting calls must not take the loop's default threads
CLOSING_SECONDS = 5.0
NOTHING = (0, 0, 0)
PLACES = {Metric.REQUESTS: 0, Metric.TOKENS: 1, Metric.COST: 2}

ReadLimits = Callable[[], Iterable[Limit]]
Planned = tuple[Lease, Quota, int]  # the last: place of the metric in `Needs`
CallerKey = tuple[str, str | None, frozenset[str]]


class LedgerStore(Protocol):
    def move(self, move: Move) -> Moved: ...


class ThreadedLedger:
    """A blocking store, asked without blocking the loop."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(LEDGER_THREADS, thread_name_prefix="ledger")
        self._failing = False

    async def move(self, move: Move) -> Moved:
        """Raises: UnavailableError."""
        try:
            moved = await asyncio.get_running_loop().run_in_executor(self._threads, self._store.move, move)
        except UnavailableError as error:
            if not self._failing:
                logger.warning("the ledger cannot be reached", extra=fields(cause=type(error.__cause__).__name__))
            self._failing = True
            raise
        self._failing = False
        return moved

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class Reservation:
    """What is reserved for one call. `settle` puts what it used in its place."""

    __slots__ = ("_leases", "_parts")

    def __init__(self, leases: Leases, parts: Sequence[Part]) -> None:
        self._leases = leases
        self._parts = parts

    def settle(self, prompt_tokens: int, completion_tokens: int, cost_micro_usd: int) -> None:
        """Once; a second time changes nothing. Never raises or waits."""
        parts, self._parts = self._parts, ()
        self._leases.settle(parts, (1, prompt_tokens + completion_tokens, cost_micro_usd))


class Limits:
    """`running` keeps the limits fresh and the ledger told; `admit` waits only when a slice has to be fetched."""

    def __init__(
        self,
        read: ReadLimits,
        ledger: Ledger,
        prices: Prices,
        seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._read = read
        self._prices = prices
        self._seconds = seconds
        self._clock = clock
        self._leases = Leases(ledger, clock)
        self._limits: dict[str, Limit] | None = None  # until they are read
        self._plans: dict[CallerKey, tuple[Planned, ...]] = {}
        self._plans_until = 0.0
        self._failing = False

    @property
    def is_ready(self) -> bool:
        return self._limits is not None

    async def admit(
        self, caller: Caller, rows: Sequence[ModelRow], operation: Operation, body: dict[str, Any], body_bytes: int
    ) -> Reservation:
        """Reserves what a call may use. `rows` are the models that may answer it; their prices were learned.

        Raises: LimitExceededError; UnavailableError when limits hold for this caller and cannot be checked.
        """
        plan = self._plan(caller)
        if not plan:
            return Reservation(self._leases, ())
        needs = ONE_REQUEST
        if any(place for _, _, place in plan):
            needs = needs_of(operation, body, body_bytes, [(row, self._prices.of(row)) for row in rows])
        most, parts = needs.most, []
        for lease, quota, place in plan:
            need, limit = most[place], quota.limit
            if need > limit:
                need = self._alone(quota, needs.likely[place])
            parts.append((lease, need, limit, place))
        if not self._leases.take(parts):
            await self._take_in_turn(parts, [quota for _, quota, _ in plan])
        return Reservation(self._leases, parts)

    async def _take_in_turn(self, parts: list[Part], quotas: list[Quota]) -> None:
        """Raises: as `admit`; then nothing stays reserved."""
        taken = []
        try:
            for part, quota in zip(parts, quotas, strict=True):
                need = part[1]
                if need and not self._leases.take((part,)) and not await self._leases.fetch(part):
                    raise self._refusal(quota, need)
                taken.append(part)
        except BaseException:  # also when the caller leaves while we wait
            self._leases.settle(taken, NOTHING)
            raise

    def _alone(self, quota: Quota, likely: int) -> int:
        """What to reserve for a call whose upper bound is beyond the limit: all, so it waits until it is alone."""
        if likely > quota.limit:
            raise self._refusal(quota, likely)
        return quota.limit

    def _refusal(self, quota: Quota, need: int) -> LimitExceededError:
        return refusal_of(quota, need, datetime.fromtimestamp(self._clock(), UTC))

    def _plan(self, caller: Caller) -> tuple[Planned, ...]:
        """The quotas that a call of this caller draws on; kept until the minute ends or a limit changes."""
        if self._limits is None:
            raise UnavailableError("The gateway is still reading its limits. Try again in a few seconds.")
        if not self._limits:
            return ()
        now = self._clock()
        if now >= self._plans_until:
            self._plans = {}
            self._plans_until = now - now % PLAN_SECONDS + PLAN_SECONDS
        key = (caller.username, caller.key_id, caller.groups)
        plan = self._plans.get(key)
        if plan is None:
            moment = datetime.fromtimestamp(now, UTC)
            quotas = quotas_of(self._limits, caller.username, caller.key_id, caller.groups)
            plan = self._plans[key] = tuple(
                (self._lease(quota, moment), quota, PLACES[quota.metric]) for quota in quotas
            )
        return plan

    def _lease(self, quota: Quota, moment: datetime) -> Lease:
        expires_at = end_of(quota.window, moment) + GRACE
        return self._leases.of(quota.key(moment), int(expires_at.timestamp()))

    async def refresh(self) -> bool:
        """Reads the limits once; on failure those known stay. True when they were read."""
        try:
            limits = {limit.subject: limit for limit in await asyncio.to_thread(self._rows)}
        except Exception as error:  # whatever is wrong with the table, the limits known so far hold
            if not self._failing:
                logger.warning("limits cannot be read", extra=fields(error=type(error).__name__))
            self._failing = True
            return False
        self._failing = False
        if limits != self._limits:
            logger.info("limits loaded", extra=fields(limits=len(limits)))
            self._limits = limits
            self._plans = {}
        return True

    def _rows(self) -> list[Limit]:
        return list(self._read())

    async def sweep(self, *, is_last: bool = False) -> None:
        """Tells the ledger what changed; see Leases."""
        await self._leases.sweep(is_last=is_last)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Limits"]:
        """Leases are swept and limits read again inside the block; at its end everything unused goes back."""
        tasks = [asyncio.create_task(self._keep_fresh()), asyncio.create_task(self._keep_swept())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_SECONDS):
                    await self.sweep(is_last=True)
                    await self.sweep(is_last=True)  # of leases that were busy

    async def _keep_fresh(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(self._seconds if self.is_ready else FIRST_LOAD_RETRY_SECONDS)

    async def _keep_swept(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self.sweep()
