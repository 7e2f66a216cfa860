"""Ending work whose client left or whose upstream is silent."""

import asyncio
import time
from typing import Any

import pytest
from gateway.errors import ClientLeftError, UpstreamTimeoutError
from gateway.exchange import Exchange
from gateway.watch import Watch


def exchange(disconnected: asyncio.Event) -> Exchange:
    async def receive() -> dict[str, Any]:
        await disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(_message: dict[str, Any]) -> None:
        pass

    return Exchange({"raw_path": b"/", "headers": []}, receive, send)


async def test_client_that_leaves_ends_the_block() -> None:
    disconnected = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, disconnected.set)
    with pytest.raises(ClientLeftError):
        async with Watch(exchange(disconnected)):
            await asyncio.sleep(5)
    await asyncio.sleep(0)  # the task itself is not left cancelled


async def test_deadline_moves_with_each_chunk() -> None:
    async with Watch(exchange(asyncio.Event())) as watch:
        for seconds in (100, 200, 300):
            watch.upstream(seconds)
            watch.look(time.monotonic() + seconds - 50)  # as the sweep would, but later than it
            await asyncio.sleep(0)
    with pytest.raises(UpstreamTimeoutError):
        async with Watch(exchange(asyncio.Event())) as watch:
            watch.upstream(200)
            watch.upstream(100)
            watch.look(time.monotonic() + 101)
            await asyncio.sleep(60)


async def test_client_that_does_not_read_counts_as_gone() -> None:
    with pytest.raises(ClientLeftError):
        async with Watch(exchange(asyncio.Event())) as watch:
            watch.client(0.02)
            await asyncio.sleep(5)


async def test_disconnect_after_the_answer_is_no_event() -> None:
    disconnected = asyncio.Event()
    finished = exchange(disconnected)
    async with Watch(finished) as watch:
        watch.look(time.monotonic())  # so it listens
        await finished.finish()
        disconnected.set()
        for _ in range(5):
            await asyncio.sleep(0)


async def test_reason_is_told_even_if_the_block_hides_the_cancellation() -> None:
    disconnected = asyncio.Event()
    disconnected.set()
    with pytest.raises(ClientLeftError):
        async with Watch(exchange(disconnected)):
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                raise RuntimeError("swallowed") from None


async def test_cancellation_from_outside_stays_one() -> None:
    async def work() -> None:
        async with Watch(exchange(asyncio.Event())):
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_errors_of_the_block_pass() -> None:
    with pytest.raises(KeyError):
        async with Watch(exchange(asyncio.Event())):
            raise KeyError
