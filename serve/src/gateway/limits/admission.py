"""Rate limits and budgets that hold over all tasks: reserve what a call may use, settle what it used."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from lisa.auth.schemas import Caller
from lisa.errors import UnavailableError
from lisa.usage.ledger import Move, Moved
from lisa.usage.quotas import Quota, end_of, quotas_of
from lisa.usage.schemas import Limit, Metric

from gateway.errors import LimitExceededError
from gateway.limits.estimates import ONE_REQUEST, needs_of
from gateway.limits.leases import SWEEP_SECONDS, Lease, Leases, Ledger
from gateway.limits.refusals import refusal_of
from gateway.logs import fields
from gateway.operations import EMBEDDINGS, Operation
from gateway.pricing.prices import Priced

logger = logging.getLogger(__name__)

FIRST_LOAD_RETRY_SECONDS = 0.5
GRACE = timedelta(days=1)  # a row outlives its window: calls that began in it settle in it
PLAN_SECONDS = 60  # the shortest window
LEDGER_THREADS = 16  # of their own: waiting calls must not take the loop's default threads
CLOSING_SECONDS = 5.0
PLACES = {Metric.REQUESTS: 0, Metric.TOKENS: 1, Metric.COST: 2}

Waiting = Callable[[], contextlib.AbstractAsyncContextManager[object]]
ReadLimits = Callable[[], Iterable[Limit]]
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


class Plan(NamedTuple):
    """The quotas that a caller's calls draw on: lease, quota and place of its metric in `Needs`, in one order.

    `least`, by place: no limit is lower.
    """

    leases: tuple[Lease, ...]
    quotas: tuple[Quota, ...]
    places: tuple[int, ...]
    least: tuple[float, float, float]


NO_PLAN = Plan((), (), (), (math.inf, math.inf, math.inf))


class Reservation:
    """What is reserved for one call. `settle` puts what it used in its place."""

    __slots__ = ("_leases", "needs", "plan")

    def __init__(self, leases: Leases, plan: Plan, needs: Sequence[int]) -> None:
        self._leases = leases
        self.plan = plan
        self.needs = needs

    def settle(self, prompt_tokens: int, completion_tokens: int, cost_micro_usd: int) -> None:
        """Once; a second time changes nothing. Never raises or waits."""
        plan, self.plan = self.plan, NO_PLAN
        if plan.leases:
            spent = (1, prompt_tokens + completion_tokens, cost_micro_usd)
            self._leases.settle(plan.leases, self.needs, [spent[place] for place in plan.places])


class Limits:
    """`running` keeps the limits fresh and the ledger told; `admit` waits only when a slice has to be fetched."""

    def __init__(
        self,
        read: ReadLimits,
        ledger: Ledger,
        seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._leases = Leases(ledger, clock)
        self._limits: dict[str, Limit] | None = None  # until they are read
        self._plans: dict[CallerKey, Plan] = {}
        self._plans_until = 0.0
        self._failing = False

    @property
    def is_ready(self) -> bool:
        return self._limits is not None

    async def admit(
        self,
        caller: Caller,
        priced: Sequence[Priced],
        operation: Operation,
        body: dict[str, Any],
        body_bytes: int,
        waiting: Waiting = contextlib.nullcontext,
    ) -> Reservation:
        """Reserves what a call may use. `priced` are the models that may answer it, with their prices.

        `waiting` surrounds the time in which the ledger is asked; most calls do without.
        Raises: LimitExceededError; UnavailableError when limits hold for this caller and cannot be checked; what
        `waiting` does.
        """
        plan = self._plan(caller)
        if not plan.leases:
            return Reservation(self._leases, plan, ())
        asked = ONE_REQUEST
        if any(plan.places):
            asked = needs_of(operation, body, body_bytes, priced)
        most, least = asked.most, plan.least
        needs = [most[place] for place in plan.places]
        if most[0] > least[0] or most[1] > least[1] or most[2] > least[2]:
            needs = [self._within(quota, need, asked.likely) for quota, need in zip(plan.quotas, needs, strict=True)]
        if not self._leases.take(plan.leases, needs):
            async with waiting():
                await self._take_in_turn(plan, needs, asked.likely)
        return Reservation(self._leases, plan, needs)

    async def extend(
        self, reservation: Reservation, priced: Sequence[Priced], more_bytes: int, waiting: Waiting
    ) -> None:
        """Reserves for text that came to a prompt. Raises: as `admit`; then only what was reserved before stays so."""
        plan, more = reservation.plan, needs_of(EMBEDDINGS, {}, more_bytes, priced)
        needs = [more.most[place] if place else 0 for place in plan.places]  # it is one request as before
        if not self._leases.take(plan.leases, needs):
            async with waiting():
                await self._take_in_turn(plan, needs, more.likely)
        reservation.needs = [sum(both) for both in zip(reservation.needs, needs, strict=True)]

    async def _take_in_turn(self, plan: Plan, needs: list[int], likely: tuple[int, int, int]) -> None:
        """Leaves in `needs` what was reserved. Raises: as `admit`; then nothing stays reserved."""
        taken = 0
        try:
            for lease, quota, place in zip(plan.leases, plan.quotas, plan.places, strict=True):
                need = needs[taken]
                if need and not self._leases.take((lease,), (need,)):
                    needs[taken] = await self._leases.fetch(lease, need, likely[place])
                    if not needs[taken]:
                        raise self._refusal(quota, likely[place])
                taken += 1
        except BaseException:  # also when the caller leaves while we wait
            self._leases.settle(plan.leases[:taken], needs[:taken], [0] * taken)
            raise

    def _within(self, quota: Quota, need: int, likely: tuple[int, int, int]) -> int:
        """What to reserve, where there is as much, for a call whose upper bound may be beyond the limit."""
        if need > quota.limit and likely[PLACES[quota.metric]] > quota.limit:
            raise self._refusal(quota, likely[PLACES[quota.metric]])
        return min(need, quota.limit)

    def _refusal(self, quota: Quota, need: int) -> LimitExceededError:
        return refusal_of(quota, need, datetime.fromtimestamp(self._clock(), UTC))

    def _plan(self, caller: Caller) -> Plan:
        """Kept until the minute ends or a limit changes."""
        if self._limits is None:
            raise UnavailableError("The gateway is still reading its limits. Try again in a few seconds.")
        if not self._limits:
            return NO_PLAN
        now = self._clock()
        if now >= self._plans_until:
            self._plans = {}
            self._plans_until = now - now % PLAN_SECONDS + PLAN_SECONDS
        key = (caller.username, caller.key_id, caller.groups)
        plan = self._plans.get(key)
        if plan is None:
            quotas = quotas_of(self._limits, caller.username, caller.key_id, caller.groups)
            plan = self._plans[key] = self._planned(quotas, datetime.fromtimestamp(now, UTC))
        return plan

    def _planned(self, quotas: Sequence[Quota], moment: datetime) -> Plan:
        least = [math.inf, math.inf, math.inf]
        for quota in quotas:
            place = PLACES[quota.metric]
            least[place] = min(least[place], quota.limit)
        leases = tuple(self._lease(quota, moment) for quota in quotas)
        places = tuple(PLACES[quota.metric] for quota in quotas)
        return Plan(leases, tuple(quotas), places, (least[0], least[1], least[2]))

    def _lease(self, quota: Quota, moment: datetime) -> Lease:
        expires_at = end_of(quota.window, moment) + GRACE
        return self._leases.of(quota.key(moment), quota.limit, int(expires_at.timestamp()))

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
