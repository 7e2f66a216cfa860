"""The mocked upstream, a process of its own: `python -m benchmarks.gateway.upstream PORT`.

The first part of the path says how it behaves, e.g. POST /slow-20/v1/chat/completions: a stream of 20 slow chunks.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvloop

from benchmarks.gateway.answers import (
    CHUNKS,
    STREAM_HEAD,
    http_answer,
    stamped_chunk,
    stream_chunks,
    stream_end,
    whole_answer,
)

PACE_SECONDS = 0.02
SLOW_SECONDS = (0.5, 1.0)
WHOLE = whole_answer()
PIECES = stream_chunks(CHUNKS)
PLAIN_END, USAGE_END = stream_end(False), stream_end(True)
ERROR = http_answer(500, b'{"error":{"message":"the engine fell over","type":"server_error","code":500}}')
HALF = http_answer(200, b'{"id":"chatcmpl-1","choices":[{"index":0,"mess', declared=900)


class Burst:
    """Streams as fast as they go: in each turn of the loop one chunk of every stream, each in a write of its own.

    Written past the loop, so that this process is not what limits the streams.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._running: dict[Any, tuple[int, Iterator[bytes]]] = {}

    def add(self, transport: Any, end: bytes) -> None:
        if not self._running:
            self._loop.call_soon(self._turn)
        self._running[transport] = transport.get_extra_info("socket").fileno(), iter((STREAM_HEAD, *PIECES, end))

    def remove(self, transport: Any) -> None:
        self._running.pop(transport, None)

    def _turn(self) -> None:
        for transport, (descriptor, pieces) in list(self._running.items()):
            piece = next(pieces, None)
            if piece is None:
                del self._running[transport]
                continue
            try:
                os.write(descriptor, piece)  # all or nothing: a stream is smaller than the socket's buffer
            except OSError:
                transport.abort()
        if self._running:
            self._loop.call_soon(self._turn)


class Upstream(asyncio.Protocol):
    """One connection, one call at a time."""

    def __init__(self, burst: "Burst") -> None:
        self._burst = burst
        self._loop = asyncio.get_running_loop()
        self._held = b""
        self._timer: asyncio.Handle | None = None
        self._next = 0
        self._last = 0
        self._end = PLAIN_END

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._burst.remove(self._transport)
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return
        head, body = self._held[:end].lower(), self._held[end + 4 :]
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < length:
            return
        self._held = b""
        self._answer(head.split(b" ", 2)[1].split(b"/", 2)[1].decode(), body)

    def _answer(self, behaviour: str, body: bytes) -> None:
        name, _, count = behaviour.partition("-")
        streamed = b'"stream":true' in body or b'"stream": true' in body
        self._end = USAGE_END if b"include_usage" in body else PLAIN_END
        if name == "error":
            self._transport.write(ERROR)
        elif name == "half":
            self._transport.write(HALF)
            self._transport.close()
        elif name == "fast" and not streamed:
            self._transport.write(WHOLE)
        elif name == "fast":
            self._burst.add(self._transport, self._end)
        elif name != "hang":
            self._transport.write(STREAM_HEAD)
            self._next, self._last = 0, int(count or CHUNKS)
            {"paced": self._paced, "slow": self._slow, "cut": self._cut}[name]()

    def _paced(self) -> None:
        self._transport.write(stamped_chunk(time.monotonic_ns()))
        self._go_on(self._paced, PACE_SECONDS)

    def _slow(self) -> None:
        self._transport.write(stamped_chunk(time.monotonic_ns()))
        self._go_on(self._slow, random.uniform(*SLOW_SECONDS))

    def _cut(self) -> None:
        """Breaks off in the middle of the chunk after the tenth."""
        if self._next == 10:
            self._transport.write(PIECES[0][:40])
            self._transport.close()
        else:
            self._transport.write(PIECES[self._next])
            self._go_on(self._cut, PACE_SECONDS)

    def _go_on(self, step: Callable[[], None], seconds: float) -> None:
        self._next += 1
        if self._next == self._last:
            step = self._finish
        self._timer = self._loop.call_later(seconds, step)

    def _finish(self) -> None:
        self._transport.write(self._end)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    stop, burst = asyncio.Event(), Burst()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Upstream(burst), "127.0.0.1", port, backlog=2048)
    print("ready", flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    random.seed(1)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(int(sys.argv[1])))
