"""Is this process alive, and can it answer? No credential needed: nothing is told but that."""

from gateway.exchange import Exchange
from gateway.services import Services


async def health(exchange: Exchange, _services: Services) -> None:
    await exchange.answer(200, b'{"status":"OK"}')


async def liveliness(exchange: Exchange, _services: Services) -> None:
    await exchange.answer(200, b'"I\'m alive!"')


async def readiness(exchange: Exchange, services: Services) -> None:
    """503 until the models were read once."""
    if services.registry.is_ready:
        await exchange.answer(200, b'{"status":"healthy","models":"loaded"}')
    else:
        await exchange.answer(503, b'{"status":"starting","models":"not loaded"}', [(b"retry-after", b"2")])
