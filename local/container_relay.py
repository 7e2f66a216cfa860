"""Lets containers reach the emulator, which listens on the loopback only: a relay on the engine's own bridge."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator

from local.problems import LocalError

DEFAULT_ENGINE = "unix:///var/run/docker.sock"
# linux/in.h: listen on an address that is not there yet; podman makes its bridge with the first container
IP_FREEBIND = 15
BLOCK_BYTES = 65_536


class _Engine(http.client.HTTPConnection):
    """The engine's API on its Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def bridge_address(engine: str = DEFAULT_ENGINE) -> str:
    """The address of the host on the engine's bridge; only containers can reach it. `engine` is a DOCKER_HOST.

    Raises: LocalError when there is no engine of this machine, or it has no bridge.
    """
    problem = LocalError(f"No container engine answers at {engine}. Start a Docker-compatible one, or set DOCKER_HOST.")
    if not engine.startswith("unix://"):
        raise problem
    try:
        with contextlib.closing(_Engine(engine.removeprefix("unix://"))) as connection:
            connection.request("GET", "/networks/bridge")
            network = json.loads(connection.getresponse().read())
        return str(next(part["Gateway"] for part in network["IPAM"]["Config"] if ":" not in part["Gateway"]))
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, StopIteration) as error:
        raise problem from error


@contextlib.contextmanager
def relay(address: str, port: int) -> Iterator[str]:
    """The emulator's URL for containers, as long as the block runs."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def connect(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        await _connect(client, answers, address, port)

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    listener.bind((address, port))
    listening = asyncio.start_server(connect, sock=listener)
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
