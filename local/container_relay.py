"""Lets containers reach the emulator, which listens on the loopback only: a relay on the engine's own bridge."""

import asyncio
import contextlib
import fcntl
import socket
import struct
import threading
from collections.abc import Iterator

from local.problems import LocalError

BRIDGES = ("docker0", "podman0")
SIOCGIFADDR = 0x8915  # linux/sockios.h
BLOCK_BYTES = 65_536


def bridge_address() -> str:
    """The address of the host on the engine's bridge; only containers can reach it.

    Raises: LocalError when there is no bridge (it appears with the engine's first container).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for name in BRIDGES:
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", name.encode()))
                return socket.inet_ntoa(answer[20:24])
    raise LocalError(
        f"No container engine's bridge ({', '.join(BRIDGES)}) is there. Is a Docker-compatible one running?"
    )


@contextlib.contextmanager
def relay(address: str, port: int) -> Iterator[str]:
    """The emulator's URL for containers, as long as the block runs."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def connect(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        await _connect(client, answers, address, port)

    listening = asyncio.start_server(connect, address, port)
    server = asyncio.run_coroutine_threadsafe(listening, loop).result()
    try:
        yield f"http://{address}:{port}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)


async def _connect(client: asyncio.StreamReader, answers: asyncio.StreamWriter, address: str, port: int) -> None:
    source, requests = await asyncio.open_connection("127.0.0.1", port)
    # The emulator refuses names that are not its own, so that no DNS entry can point a browser to it.
    host, own = f"host: {address}:".encode(), b"host: 127.0.0.1:"
    await asyncio.gather(_copy(client, requests, host, own), _copy(source, answers))


async def _copy(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, found: bytes = b"", instead: bytes = b""
) -> None:
    with contextlib.suppress(OSError):
        while block := await source.read(BLOCK_BYTES):
            if found and (at := block.lower().find(found)) >= 0:
                block = block[:at] + instead + block[at + len(found) :]
            target.write(block)
            await target.drain()
    with contextlib.suppress(OSError):
        target.close()
