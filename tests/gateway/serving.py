"""Real servers in threads of the test process: an aiohttp application, and the gateway on uvicorn."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import uvicorn
from aiohttp import web
from gateway.app import gateway
from gateway.http_protocol import LimitedHttp
from gateway.settings import GatewaySettings


def eventually(probe: Callable[[], object], seconds: float = 10) -> None:
    """Returns when `probe` is true; fails the test when it is not in time."""
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            raise AssertionError("did not happen in time")
        time.sleep(0.01)


@contextlib.contextmanager
def serve_application(application: web.Application) -> Iterator[str]:
    """Yields the base address."""
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    port = 0

    async def start() -> web.AppRunner:
        nonlocal port
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextlib.contextmanager
def serve_gateway(settings: GatewaySettings) -> Iterator[str]:
    """Yields the base address once the server accepts."""
    server = uvicorn.Server(
        uvicorn.Config(
            gateway(settings),
            host="127.0.0.1",
            port=0,
            loop="uvloop",
            http=LimitedHttp,
            interface="asgi3",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=settings.keep_alive_seconds,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive())
        assert server.started, "the gateway did not start"
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(15)
