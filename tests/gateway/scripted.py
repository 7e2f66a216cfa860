"""An upstream that writes the bytes, pauses and breaks that a test tells it to."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

BREAK = None  # a step: the connection is reset
Step = bytes | float | None  # bytes are written, seconds are waited


class Asked(NamedTuple):
    path: str
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


Script = Callable[[Asked], list[Step]]


def head(kind: str, *more: str, status: int = 200) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Type: {kind}", *more, "", ""]).encode()


def whole(body: Any, *more: str, status: int = 200) -> list[Step]:
    """A JSON answer."""
    raw = json.dumps(body).encode()
    return [head("application/json", f"Content-Length: {len(raw)}", *more, status=status) + raw]


def events(*steps: Step, framed: bool = True) -> list[Step]:
    """The beginning of a stream of events, and these of them."""
    if not framed:
        return [head("text/event-stream", "Connection: close"), *steps]
    chunks = [b"%x\r\n%b\r\n" % (len(step), step) if isinstance(step, bytes) else step for step in steps]
    return [head("text/event-stream", "Transfer-Encoding: chunked"), *chunks]


def named(**fields: Any) -> bytes:
    return f"event: {fields['type']}\ndata: {json.dumps(fields)}\n\n".encode()


END: Step = b"0\r\n\r\n"  # of a framed stream


class Scripted:
    """`scripts` by the segment of the address that follows the host: `http://…/<name>/v1`."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.asked: dict[str, list[Asked]] = {}

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            lengths = [line.split(":")[1] for line in lines if line.lower().startswith("content-length:")]
            body = await reader.readexactly(int(lengths[0]) if lengths else 0)
            name, _, path = lines[0].split(" ")[1][1:].partition("/")
            asked = Asked(f"/{path}", body)
            self.asked.setdefault(name, []).append(asked)
            for step in self.scripts[name](asked):
                if isinstance(step, bytes):
                    writer.write(step)
                    await writer.drain()
                elif step is None:
                    await asyncio.sleep(0.05)  # so that what was written is read first
                    writer.transport.abort()
                    return
                else:
                    await asyncio.sleep(step)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextlib.contextmanager
def serve_scripted(scripted: Scripted) -> Iterator[str]:
    """Yields the base address."""
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), list[int]()

    async def start() -> None:
        server = await asyncio.start_server(scripted, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
