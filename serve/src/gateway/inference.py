"""Chat, completions and embeddings: check the call, ground it, pass it on or translate it."""

from typing import Any

from lisa.errors import InvalidError

from gateway import grounding, requests
from gateway.call import Call
from gateway.exchange import Exchange
from gateway.grounding import Grounding
from gateway.relay import relay
from gateway.requests import CHAT, COMPLETIONS, EMBEDDINGS, Operation
from gateway.services import Services
from gateway.translate import translate
from gateway.watch import Watch


async def chat(exchange: Exchange, services: Services) -> None:
    await _infer(exchange, services, CHAT)


async def completions(exchange: Exchange, services: Services) -> None:
    await _infer(exchange, services, COMPLETIONS)


async def embeddings(exchange: Exchange, services: Services) -> None:
    await _infer(exchange, services, EMBEDDINGS)


async def _infer(exchange: Exchange, services: Services, operation: Operation) -> None:
    settings, caller = services.settings, exchange.known_caller
    body = requests.parse(await exchange.body(settings.max_body_bytes, settings.body_seconds), operation)
    exchange.model_id = body["model"]
    target = services.registry.find(exchange.model_id, caller)
    if body.get("user") is None:
        body["user"] = caller.username
    async with Watch(exchange) as watch:
        citations = await _ground(exchange, services, operation, body)
        key = services.keys.peek(target.row)
        if key is None:
            key = await services.keys.get(target.row)
        call = Call(operation, target, body, caller.username, key, citations)
        await (translate if target.base is None else relay)(exchange, services, call, watch)


async def _ground(
    exchange: Exchange, services: Services, operation: Operation, body: dict[str, Any]
) -> Grounding | None:
    """Takes `lisa` out of the body and puts the passages in."""
    wanted = grounding.requested(body)
    if wanted is None:
        return None
    if not operation.is_groundable:
        raise InvalidError("lisa: only chat/completions can be grounded. Leave the field out.")
    question = grounding.question_of(body["messages"])
    found = await grounding.search(services.http, services.settings, exchange.credential, wanted, question)
    body["messages"] = grounding.grounded(body["messages"], found)
    return Grounding(found)
