"""Slices of quotas that this task holds: calls draw on them in memory, the ledger hears of a slice only.

Of each quota the ledger's `committed` has: what was spent, what running calls reserved, and what tasks hold unused.
`free` may be negative after a call that used more than it reserved; the sweep tells the ledger.
"""

import asyncio
import itertools
import uuid
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol
from weakref import WeakValueDictionary

from lisa.usage.ledger import Move, Moved

# A slice is at most this part of a limit, so that tasks do not keep much of it from each other, and at first
# enough for a few calls; it grows while slices are used up within seconds, and stays while they last some more.
SHARE = 20
FIRST_CALLS, MOST_CALLS = 8, 65_536
FAST_SECONDS, STEADY_SECONDS = 3.0, 24.0
GROWTH = 8  # at most, from one slice to the next
REFUSED_SECONDS = 0.5  # how long the ledger's refusal is believed: a flood of refused calls does not reach it
SWEEP_SECONDS = 0.8  # what lay idle for one sweep is given back by the next: within two seconds
SWEEPS_AT_ONCE = 16


class Ledger(Protocol):
    async def move(self, move: Move) -> Moved: ...


class Lease:
    """What this task holds of one quota. `free` and `reserved` are in the quota's unit."""

    __slots__ = (
        "__weakref__",
        "busy",
        "calls",
        "expires_at",
        "fetched_at",
        "free",
        "is_listed",
        "keep",
        "limit",
        "low",
        "mark",
        "quota",
        "refused_until",
        "reserved",
        "room",
        "swept_free",
        "unconfirmed",
        "wanted",
    )

    def __init__(self, quota: str, expires_at: int) -> None:
        self.quota = quota
        self.expires_at = expires_at
        self.limit = 0
        self.free = 0
        self.reserved = 0
        self.wanted = 0  # by calls that wait
        self.swept_free = 0  # what the last sweep left free: as long as that is all the same, nobody uses the lease
        self.is_listed = False  # for the sweep
        self.keep = 0  # the sweep leaves so much to a lease in use
        self.low = 0  # below it the next slice is fetched before anybody waits; 0: never
        self.calls = FIRST_CALLS  # a slice is for so many
        self.fetched_at = 0.0
        self.room = 0  # in the ledger, as it last told
        self.refused_until = 0.0
        self.mark = 0  # number of our last move in the ledger's row
        self.unconfirmed: Move | None = None  # sent, and its answer lost
        self.busy: asyncio.Task[object] | None = None


class Leases:
    """The leases of this task, which the ledger knows by a name that no other task has."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._task = uuid.uuid4().hex[:12]
        self._numbers = itertools.count(1)
        # Whoever may use a lease holds it: a caller's plan, a reservation, the sweep.
        self._known: WeakValueDictionary[str, Lease] = WeakValueDictionary()
        self._listed: deque[Lease] = deque()

    def of(self, quota: str, limit: int, expires_at: int) -> Lease:
        lease = self._known.get(quota)
        if lease is None:
            lease = self._known[quota] = Lease(quota, expires_at)
        was, lease.limit = lease.limit, limit
        if limit < was:  # what is free was leased under the higher one: it goes back now, or after the move on its way
            lease.keep = 0
            self._tidy(lease, is_idle=True)
        return lease

    def take(self, leases: Sequence[Lease], needs: Sequence[int]) -> bool:
        """Reserves what is needed of each from what is at hand, or of none. False: `fetch` has to."""
        for lease, need in zip(leases, needs, strict=True):
            if lease.free < need:
                return False
        for lease, need in zip(leases, needs, strict=True):  # a busy caller has many: nothing is done without need
            lease.free = free = lease.free - need
            lease.reserved += need
            if free < lease.low and lease.busy is None:
                self._order(lease, need)
        return True

    async def fetch(self, lease: Lease, need: int, least: int) -> int:
        """Reserves with the ledger's consent, or what is left, where that is `least` or more.

        Returns how much; 0: the limit does not allow it. Raises: UnavailableError.
        """
        enough = need
        lease.wanted += enough
        try:
            while lease.free < enough:
                left = lease.free + lease.room
                if enough > left and self._clock() < lease.refused_until:
                    if left < least:
                        return 0
                    lease.wanted -= enough - left
                    enough = left
                else:
                    await self._more(lease, enough)
        finally:
            lease.wanted -= enough
        self.take((lease,), (enough,))
        return enough

    async def _more(self, lease: Lease, need: int) -> None:
        if lease.busy is None:
            self._order(lease, need)
        if lease.busy is not None:
            await asyncio.shield(lease.busy)  # whoever waits may leave; the ledger's answer is not lost
            await asyncio.sleep(0)  # one that has just ended is forgotten by its callback, which has to run

    def settle(self, leases: Sequence[Lease], reserved: Sequence[int], spent: Sequence[int]) -> None:
        """Puts what was spent of each where it was reserved."""
        for lease, was_reserved, was_spent in zip(leases, reserved, spent, strict=True):
            lease.reserved -= was_reserved
            lease.free = free = lease.free + was_reserved - was_spent
            if free < 0:
                self._list(lease)  # of which nothing was at hand, nor had to be

    def _list(self, lease: Lease) -> None:
        """For the sweep, which keeps what it finds something in."""
        if not lease.is_listed:
            lease.is_listed = True
            self._listed.append(lease)

    def _order(self, lease: Lease, need: int) -> None:
        self._list(lease)  # also for what arrives when whoever waited has left
        self._start(lease, self._fetch(lease, need))

    def _start(self, lease: Lease, work: Coroutine[Any, Any, object]) -> None:
        """One move of a lease at a time."""
        lease.busy = asyncio.get_running_loop().create_task(work)
        lease.busy.add_done_callback(lambda task: _ended(lease, task))

    async def _fetch(self, lease: Lease, need: int) -> None:
        await self._confirm(lease)
        now, limit = self._clock(), lease.limit
        lasted = now - lease.fetched_at
        is_steady = lasted < STEADY_SECONDS
        if not is_steady:
            lease.calls = FIRST_CALLS
        elif lasted < FAST_SECONDS:
            lease.calls = min(int(lease.calls / max(lasted / FAST_SECONDS, 1 / GROWTH)), MOST_CALLS)
        lease.fetched_at = now
        lease.keep = min(limit // SHARE, need * lease.calls)
        shortage = lease.wanted - lease.free
        amount = max(shortage, lease.keep)
        if amount <= 0:
            return
        moved = await self._move(lease, amount, limit)
        room = limit - moved.committed
        if not moved.is_applied and shortage > 0 and 0 < room < amount and lease.free + room >= need:
            moved = await self._move(lease, room, limit)
        lease.low = amount // 2 if moved.is_applied and is_steady else 0
        if not moved.is_applied and shortage > 0:
            lease.refused_until = self._clock() + REFUSED_SECONDS

    async def sweep(self, *, is_last: bool = False) -> None:
        """Gives back what is idle, tells what was spent beyond reservations. `is_last`: nothing is in use any more."""
        at_work: list[asyncio.Task[object]] = []
        for _ in range(len(self._listed)):
            lease = self._listed.popleft()
            lease.is_listed = False
            if self._clock() > lease.expires_at:
                continue  # long after its window: the row is gone, or will be
            is_idle = is_last or lease.free == lease.swept_free
            self._tidy(lease, is_idle)
            if lease.busy is not None:
                at_work.append(lease.busy)
            if lease.busy is not None or lease.free or lease.reserved or not is_idle:
                self._list(lease)
            lease.swept_free = lease.free
            if len(at_work) >= SWEEPS_AT_ONCE:
                await asyncio.wait(at_work)
                at_work.clear()
        if at_work:
            await asyncio.wait(at_work)

    def _tidy(self, lease: Lease, is_idle: bool) -> None:
        work = self._tidying(lease, is_idle) if lease.busy is None else None
        if work is not None:
            self._start(lease, work)

    def _tidying(self, lease: Lease, is_idle: bool) -> Coroutine[Any, Any, object] | None:
        """What the ledger has to be told of a lease that nobody waits for. `is_idle`: since the last sweep."""
        if lease.unconfirmed is not None:
            return self._confirm(lease)
        if lease.free < 0:
            return self._commit_overrun(lease)
        if lease.free > (0 if is_idle else 2 * lease.keep):
            return self._give_back(lease, lease.free - (0 if is_idle else lease.keep))
        if lease.mark and is_idle and not lease.reserved:
            return self._give_back(lease, 0)
        return None

    async def _commit_overrun(self, lease: Lease) -> None:
        await self._move(lease, -lease.free, None)

    def _give_back(self, lease: Lease, amount: int) -> Coroutine[Any, Any, Moved]:
        lease.free -= amount  # at once, before the ledger knows: nobody may draw on it any more
        return self._move(lease, -amount, None)

    async def _confirm(self, lease: Lease) -> None:
        """Asks again how a move ended whose answer was lost. Raises: UnavailableError."""
        if lease.unconfirmed is not None:
            await self._send(lease, lease.unconfirmed)

    async def _move(self, lease: Lease, amount: int, limit: int | None) -> Moved:
        is_last = amount <= 0 and bool(lease.mark) and not (lease.free or lease.reserved)
        number = next(self._numbers)
        move = Move(lease.quota, self._task, lease.mark, number, amount, lease.expires_at, limit, is_last)
        return await self._send(lease, move)

    async def _send(self, lease: Lease, move: Move) -> Moved:
        lease.unconfirmed = move
        moved = await self._ledger.move(move)
        lease.unconfirmed = None
        lease.mark = moved.mark
        lease.room = max(lease.limit - moved.committed, 0)
        if moved.is_applied == (move.amount > 0):  # granted; or not given back, as a copy of an earlier move came late
            lease.free += abs(move.amount)
        return moved


def _ended(lease: Lease, task: asyncio.Task[object]) -> None:
    lease.busy = None
    if not task.cancelled():
        task.exception()  # whoever waits gets it; if nobody does, the sweep tries again
