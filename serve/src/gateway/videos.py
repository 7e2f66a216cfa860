"""Looking at, fetching, remixing and deleting a video that was made here."""

from collections.abc import Awaitable
from typing import Any
from urllib.parse import parse_qs, quote

import orjson
from lisa.errors import BadRequestError

from gateway import video_ids
from gateway.call import UNCOUNTED, Call, Meter
from gateway.exchange import Exchange
from gateway.operations import VIDEOS
from gateway.relay.pass_through import relay_to
from gateway.routing.targets import Target
from gateway.services import Services
from gateway.translate import translate_by
from gateway.translate.films import video
from gateway.usage.accounting import opened
from gateway.watch import Watch


async def get(exchange: Exchange, services: Services) -> None:
    await _look(exchange, services, "GET")


async def delete(exchange: Exchange, services: Services) -> None:
    await _look(exchange, services, "DELETE")


async def content(exchange: Exchange, services: Services) -> None:
    """The film, or with `?variant=thumbnail|spritesheet` pictures of it."""
    variant = parse_qs(exchange.scope["query_string"].decode("latin-1")).get("variant", [""])[0]
    await _look(exchange, services, "GET", "content", variant)


async def remix(exchange: Exchange, services: Services) -> None:
    """Another film like it: limited, counted and guarded as the first."""
    raw = await exchange.body(services.settings.max_body_bytes, services.settings.body_seconds)
    try:
        prompt = orjson.loads(raw)["prompt"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise BadRequestError("`prompt` is missing. Send a JSON object with it.") from None
    if not isinstance(prompt, str):
        raise BadRequestError("`prompt` has to be text.")
    target, upstream_id = _found(exchange, services)
    body = {"prompt": prompt}
    account = await opened(exchange, services, target, (target,), body, len(raw))
    with account as meter:
        call = await _call(exchange, services, target, body, meter)

        def pass_on(guarded: Exchange) -> Awaitable[None]:
            return _pass_on(guarded, services, call, upstream_id, "POST", "remix")

        checks = services.guardrails.of(target, (), exchange.known_caller)
        await (pass_on(exchange) if checks is None else checks.run(exchange, body, pass_on))


async def _look(exchange: Exchange, services: Services, method: str, action: str = "", variant: str = "") -> None:
    """What costs nothing, and is no call of a model."""
    target, upstream_id = _found(exchange, services)
    call = await _call(exchange, services, target, {}, UNCOUNTED)
    await _pass_on(exchange, services, call, upstream_id, method, action, variant)


def _found(exchange: Exchange, services: Services) -> tuple[Target, str]:
    """The model that made the video, and the video's id there. Raises: ModelNotFoundError."""
    exchange.model_id, upstream_id = video_ids.decode(exchange.path_id)
    return services.registry.find(exchange.model_id, exchange.known_caller), upstream_id


async def _call(exchange: Exchange, services: Services, target: Target, body: dict[str, Any], meter: Meter) -> Call:
    key = await services.keys.get(target.row)
    return Call(VIDEOS, target, body, exchange.known_caller.username, key, meter)


async def _pass_on(
    exchange: Exchange, services: Services, call: Call, upstream_id: str, method: str, action: str, variant: str = ""
) -> None:
    target = call.target
    async with Watch(exchange) as watch:
        if not target.speaks(VIDEOS):
            looking = video(upstream_id, "delete" if method == "DELETE" else action, variant)
            await translate_by(looking, exchange, services, call, watch)
            return
        path = f"{VIDEOS.path}/{quote(upstream_id, safe='')}{f'/{action}' if action else ''}"
        address = target.url(path)
        if variant:
            address = address.extend_query(variant=variant)
        await relay_to(exchange, services, call, watch, method, address, orjson.dumps(call.body) if call.body else b"")
