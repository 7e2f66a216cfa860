"""Calls that meet a slice on its way."""

import asyncio
import signal
from types import FrameType

import pytest
from gateway.limits.leases import Leases
from lisa.usage.ledger import Move, Moved

from tests.unit.gateway.calls import Asking, Reached

QUOTA, LIMIT = "user#ada|requests|minute#2027-01-15T08:00", 1000


class Opening:
    """Grants what is asked for, and opens a gate before the caller hears of it."""

    def __init__(self) -> None:
        self.gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def move(self, move: Move) -> Moved:
        if not self.gate.done():
            self.gate.set_result(None)
        return Moved(True, move.amount, move.number)


def _spinning(_signal: int, _frame: FrameType | None) -> None:
    pytest.fail("the loop was blocked")


async def test_call_between_the_end_of_a_move_and_its_callback_does_not_block_the_loop() -> None:
    ledger = Opening()
    leases = Leases(ledger, lambda: 1000.0)
    lease = leases.of(QUOTA, LIMIT, 2000)

    async def late() -> int:
        await ledger.gate
        return await leases.fetch(lease, 20, 20)

    before = signal.signal(signal.SIGALRM, _spinning)
    signal.alarm(5)
    try:
        assert all(await asyncio.gather(late(), leases.fetch(lease, 1, 1)))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert lease.reserved == 21


async def test_slice_that_is_on_its_way_while_its_limit_falls_goes_back_with_the_next_sweep() -> None:
    answers: list[asyncio.Future[Moved]] = []

    class Slow:
        async def move(self, _move: Move) -> Moved:
            answers.append(asyncio.get_running_loop().create_future())
            return await answers[-1]

    leases = Leases(Slow(), lambda: 1000.0)
    lease = leases.of(QUOTA, LIMIT, 2000)
    call = asyncio.create_task(leases.fetch(lease, 1, 1))
    for _ in range(2):
        await asyncio.sleep(0)
    leases.of(QUOTA, LIMIT // 2, 2000)
    answers[0].set_result(Moved(True, 8, 1))
    assert await call
    assert lease.free == 7
    sweep = asyncio.create_task(leases.sweep())
    await asyncio.sleep(0)
    assert lease.free == 0
    sweep.cancel()


async def test_call_that_takes_the_rest_leaves_nobody_waiting() -> None:
    ledger = Reached()
    leases = Leases(Asking(ledger), lambda: 1000.0)
    lease = leases.of(QUOTA, LIMIT, 2000)
    assert await leases.fetch(lease, 5 * LIMIT, 1) == LIMIT
    assert [move.amount for move in ledger.moves] == [5 * LIMIT, LIMIT]
    assert (lease.wanted, lease.free, lease.reserved) == (0, 0, LIMIT)
    assert await leases.fetch(lease, 5 * LIMIT, 1) == 0
    assert lease.wanted == 0


async def test_old_move_that_arrives_again_gives_nothing_back_a_second_time() -> None:
    ledger = Reached()
    leases = Leases(Asking(ledger), lambda: 1000.0)
    lease = leases.of(QUOTA, LIMIT, 2000)
    await leases.fetch(lease, 20, 20)
    for _ in range(2):
        await leases.sweep()  # what lies free goes back, while 20 stay reserved
    leases.settle((lease,), (20,), (5,))
    for _ in range(3):
        await leases.sweep()
    assert ledger.committed(QUOTA) == 5
    for move in [move for move in ledger.moves if move.amount < 0]:
        ledger.move(move)
    assert ledger.committed(QUOTA) == 5


async def test_lease_is_forgotten_when_its_row_is() -> None:
    ledger, now = Reached(), [1000.0]
    leases = Leases(Asking(ledger), lambda: now[0])
    lease = leases.of(QUOTA, LIMIT, 2000)
    await leases.fetch(lease, 20, 20)
    asked = len(ledger.moves)
    now[0] = 2000.1
    for _ in range(3):
        await leases.sweep()
    assert (len(ledger.moves), lease.is_listed) == (asked, False)


async def test_lease_in_use_keeps_its_slice() -> None:
    ledger = Reached()
    leases = Leases(Asking(ledger), lambda: 1000.0)
    lease = leases.of(QUOTA, LIMIT, 2000)
    await leases.fetch(lease, 1, 1)
    for _ in range(5):  # a call between any two sweeps
        await leases.sweep()
        assert leases.take((lease,), (1,))
    assert len(ledger.moves) == 1


async def test_slice_is_a_twentieth_of_its_limit_at_most() -> None:
    ledger, now = Reached(), [1000.0]
    leases = Leases(Asking(ledger), lambda: now[0])
    lease = leases.of(QUOTA, LIMIT, 2000)
    for _ in range(LIMIT):
        now[0] += 0.001
        await leases.fetch(lease, 1, 1)
    assert max(move.amount for move in ledger.moves) == LIMIT // 20
