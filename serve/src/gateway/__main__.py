"""`python -m gateway`: serves on HOST:PORT until SIGTERM, then lets running answers end."""

import gc

import uvicorn

from gateway import logs
from gateway.app import gateway
from gateway.http_protocol import LimitedHttp
from gateway.settings import GatewaySettings

# Calls leave next to no cycles behind; Python's own 700 is a collection every few calls, over all that is in use.
COLLECT_AFTER_OBJECTS = 20_000


def main() -> None:
    """Raises: lisa.settings.SettingsError, naming the variables, when the environment is incomplete."""
    settings = GatewaySettings.load()
    logs.configure(settings.log_level)
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 20, 20)
    uvicorn.run(
        gateway(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=LimitedHttp,
        interface="asgi3",
        ws="none",
        lifespan="on",
        access_log=False,  # ours has the ids
        log_config=None,
        server_header=False,
        proxy_headers=False,  # nothing here depends on the client's address, so nobody can forge it
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.drain_seconds,
        backlog=2048,
    )


if __name__ == "__main__":
    main()
