"""The models a caller may use, in OpenAI's form and in LiteLLM's `model/info` form."""

from datetime import datetime
from typing import Any
from urllib.parse import unquote

import orjson
from lisa.models.schemas import ModelType

from gateway.exchange import Exchange
from gateway.routing.targets import Target
from gateway.services import Services

_MODES = {
    ModelType.TEXTGEN: "chat",
    ModelType.EMBEDDING: "embedding",
    ModelType.IMAGEGEN: "image_generation",
    ModelType.VIDEOGEN: "video_generation",
}


async def list_models(exchange: Exchange, services: Services) -> None:
    """In Anthropic's form below its prefix and for callers that name a version of its protocol."""
    visible = services.registry.visible_to(exchange.known_caller)
    if not _is_anthropic(exchange):
        await exchange.answer(200, orjson.dumps({"object": "list", "data": [_model(target) for target in visible]}))
        return
    data = [_anthropic_model(target) for target in visible]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    await exchange.answer(200, orjson.dumps({"data": data, "has_more": False, **ends}))


async def get_model(exchange: Exchange, services: Services) -> None:
    exchange.model_id = unquote(exchange.path_id)
    target = services.registry.find(exchange.model_id, exchange.known_caller)
    await exchange.answer(200, orjson.dumps((_anthropic_model if _is_anthropic(exchange) else _model)(target)))


async def model_info(exchange: Exchange, services: Services) -> None:
    data = [_info(target) for target in services.registry.visible_to(exchange.known_caller)]
    await exchange.answer(200, orjson.dumps({"data": data}))


def _model(target: Target) -> dict[str, Any]:
    return {"id": target.model_id, "object": "model", "created": _created(target.row.last_modified), "owned_by": "lisa"}


def _anthropic_model(target: Target) -> dict[str, Any]:
    row = target.row
    return {
        "id": target.model_id,
        "type": "model",
        "display_name": row.model_description or target.model_id,
        "created_at": row.last_modified or "1970-01-01T00:00:00+00:00",
    }


def _is_anthropic(exchange: Exchange) -> bool:
    return b"/anthropic/" in exchange.path or exchange.header("anthropic-version") is not None


def _info(target: Target) -> dict[str, Any]:
    """Tells neither the address nor the key of the upstream."""
    row = target.row
    features = {feature.name for feature in row.features}
    return {
        "model_name": row.model_id,
        "litellm_params": {"model": row.model_name},
        "model_info": {
            "id": row.model_id,
            "mode": _MODES[row.model_type],
            "description": row.model_description,
            "max_input_tokens": row.context_window,
            "supports_native_streaming": row.streaming,
            "supports_function_calling": "toolCalls" in features,
            "supports_vision": "imageInput" in features,
            "supports_reasoning": "reasoning" in features,
        },
    }


def _created(last_modified: str) -> int:
    try:
        return int(datetime.fromisoformat(last_modified).timestamp())
    except ValueError:
        return 0
