"""Looking at, fetching, remixing and deleting a video that was made here."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote

import orjson
from lisa.errors import BadRequestError

from gateway import video_ids
from gateway.call import UNCOUNTED, Call
from gateway.exchange import Exchange
from gateway.operations import VIDEOS
from gateway.relay import relay_to
from gateway.services import Services
from gateway.translate import translate_by
from gateway.translate.films import video
from gateway.watch import Watch


async def get(exchange: Exchange, services: Services) -> None:
    await _pass(exchange, services, "GET")


async def delete(exchange: Exchange, services: Services) -> None:
    await _pass(exchange, services, "DELETE")


async def content(exchange: Exchange, services: Services) -> None:
    """The film, or with `?variant=thumbnail|spritesheet` pictures of it."""
    variant = parse_qs(exchange.scope["query_string"].decode("latin-1")).get("variant", [""])[0]
    await _pass(exchange, services, "GET", "content", variant=variant)


async def remix(exchange: Exchange, services: Services) -> None:
    raw = await exchange.body(services.settings.max_body_bytes, services.settings.body_seconds)
    try:
        prompt = orjson.loads(raw)["prompt"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise BadRequestError("`prompt` is missing. Send a JSON object with it.") from None
    if not isinstance(prompt, str):
        raise BadRequestError("`prompt` has to be text.")
    await _pass(exchange, services, "POST", "remix", {"prompt": prompt})


async def _pass(
    exchange: Exchange,
    services: Services,
    method: str,
    action: str = "",
    body: Mapping[str, Any] | None = None,
    variant: str = "",
) -> None:
    exchange.model_id, upstream_id = video_ids.decode(exchange.path_id)
    target = services.registry.find(exchange.model_id, exchange.known_caller)
    key = await services.keys.get(target.row)
    call = Call(VIDEOS, target, dict(body or {}), exchange.known_caller.username, key, UNCOUNTED)
    checks = services.guardrails.of(target, (), exchange.known_caller) if body else None
    if checks is None:
        await _pass_on(exchange, services, call, upstream_id, method, action, variant)
    else:
        await checks.run(
            exchange,
            call.body,
            lambda guarded: _pass_on(guarded, services, call, upstream_id, method, action, variant),
        )


async def _pass_on(
    exchange: Exchange, services: Services, call: Call, upstream_id: str, method: str, action: str, variant: str
) -> None:
    target = call.target
    async with Watch(exchange) as watch:
        if not target.speaks(VIDEOS):
            looking = video(upstream_id, "delete" if method == "DELETE" else action, variant)
            await translate_by(looking, exchange, services, call, watch)
            return
        path = f"{VIDEOS.path}/{quote(upstream_id, safe='')}{f'/{action}' if action else ''}"
        address = target.url(f"{path}?variant={quote(variant)}" if variant else path)
        data = orjson.dumps(call.body) if call.body else None
        await relay_to(exchange, services, call, watch, method, address, data)
