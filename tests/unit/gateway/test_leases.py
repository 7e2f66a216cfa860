"""Calls that meet a slice on its way."""

import asyncio
import signal
from types import FrameType

import pytest
from gateway.limits.leases import Leases
from lisa.usage.ledger import Move, Moved

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
