"""Is this process alive, and can it answer? No credential needed: nothing is told but that."""

import orjson

from gateway.exchange import Exchange
from gateway.services import Services


async def health(exchange: Exchange, _services: Services) -> None:
    await exchange.answer(200, b'{"status":"OK"}')


async def liveliness(exchange: Exchange, _services: Services) -> None:
    await exchange.answer(200, b'"I\'m alive!"')


async def readiness(exchange: Exchange, services: Services) -> None:
    """503 until the models and the limits were read once: without either, calls are refused."""
    loaded = {"models": services.registry.is_ready, "limits": services.limits.is_ready}
    parts = {name: "loaded" if is_loaded else "not loaded" for name, is_loaded in loaded.items()}
    if all(loaded.values()):
        await exchange.answer(200, orjson.dumps({"status": "healthy", **parts}))
    else:
        await exchange.answer(503, orjson.dumps({"status": "starting", **parts}), [(b"retry-after", b"2")])
