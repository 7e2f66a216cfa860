"""An answer leaves in one piece where its head and body are there together; neither waits for the other."""

import asyncio
from typing import Any, cast

from gateway.http_protocol import MAX_JOINED_BYTES, OnePiece


class Wire:
    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.packets.append(data)

    def close(self) -> None:
        self.is_closed = True


def answer() -> tuple[OnePiece, Wire]:
    wire = Wire()
    return OnePiece(cast(Any, wire), asyncio.get_running_loop()), wire


async def test_head_and_body_leave_together() -> None:
    piece, wire = answer()
    piece.write(b"head ")
    piece.write(b"body")
    await asyncio.sleep(0)
    assert wire.packets == [b"head body"]


async def test_head_of_a_stream_does_not_wait_for_its_first_event() -> None:
    piece, wire = answer()
    piece.write(b"head")
    await asyncio.sleep(0)
    assert wire.packets == [b"head"]
    for event in (b"one", b"two"):
        piece.write(event)
    assert wire.packets == [b"head", b"one", b"two"]


async def test_long_body_is_not_copied() -> None:
    piece, wire = answer()
    body = b"x" * (MAX_JOINED_BYTES + 1)
    piece.write(b"head")
    piece.write(body)
    assert wire.packets[0] == b"head"
    assert wire.packets[1] is body


async def test_head_leaves_before_the_connection_ends() -> None:
    piece, wire = answer()
    piece.write(b"head")
    piece.close()
    assert (wire.packets, wire.is_closed) == ([b"head"], True)
    await asyncio.sleep(0)
    assert wire.packets == [b"head"]
