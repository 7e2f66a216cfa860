"""`messages` and `messages/count_tokens`, Anthropic's protocol, for models of other protocols."""

# ruff: noqa: SIM905 - lists of words read best as text

import asyncio
import importlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import orjson
from lisa.errors import BadRequestError

from gateway.errors import AnsweredError
from gateway.events import WholeEvents
from gateway.litellm_library import told
from gateway.translate.job import Events, Job, Whole

FIELDS = frozenset(
    "max_tokens messages metadata output_config output_format stop_sequences stream system temperature thinking"
    " tool_choice tools top_k top_p".split()
)
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
ADAPTER = "litellm.llms.anthropic.pass_through.adapters.transformation"


async def messages(job: Job) -> Whole | Events:
    _check(job)
    arguments = job.arguments(FIELDS)
    user = (arguments.pop("metadata", None) or {}).get("user_id")
    arguments["metadata"] = {"user_id": user if isinstance(user, str) else job.call.username}
    answer = await job.library.anthropic_messages(**arguments, _skip_mcp_handler=True)
    if job.call.is_streamed:
        return _events(job, aiter(answer))
    return Whole(orjson.dumps({**answer, "model": job.model_id}, default=str))


def _check(job: Job) -> None:
    body = job.call.body
    if not isinstance(body.get("max_tokens"), int):
        raise job.refuse("max_tokens", "is missing. Anthropic's protocol asks for it.")
    if not isinstance(body.get("metadata"), dict | None):
        raise job.refuse("metadata", "has to be an object.")
    for tool in body.get("tools") or ():
        kind = tool.get("type") if isinstance(tool, dict) else None
        # LiteLLM would play the part of Anthropic's own tools: ask other models, search the web
        if kind not in (None, "custom"):
            raise job.refuse(
                "tools", f"this model knows only tools of yours, with `input_schema`, not {str(kind)[:64]}."
            )


async def _events(job: Job, chunks: AsyncIterator[Any]) -> Events:
    whole = WholeEvents()
    async for chunk in chunks:
        for event in _each(whole.take(chunk)):
            yield _checked(job, event)
    for event in _each(whole.rest()):
        yield _checked(job, event)


def _each(ready: bytes) -> Iterable[bytes]:
    return (event + b"\n\n" for event in ready.split(b"\n\n") if event)


def _checked(job: Job, event: bytes) -> bytes:
    """The event, with our name of the model. Raises: AnsweredError for the one that tells of a failure."""
    kind, _, data = event.partition(b"\ndata: ")
    if kind == b"event: message_start":
        body = orjson.loads(data)
        body["message"]["model"] = job.model_id
        return kind + b"\ndata: " + orjson.dumps(body) + b"\n\n"
    if kind == b"event: error":
        error = orjson.loads(data).get("error") or {}
        status = STATUSES.get(str(error.get("type")), 502)
        raise AnsweredError(status, "upstream_failed", told(str(error.get("message")), job.call))
    return event


async def count_tokens(job: Job) -> Whole | Events:
    """Counted with a tokenizer that may not be the model's: `estimated` says so."""
    body = job.call.body
    count = await asyncio.to_thread(_count, job.library, job.call.target.litellm_model, body)
    return Whole(orjson.dumps({"input_tokens": count, "estimated": True}), is_counted=False)


def _count(library: Any, model: str, body: dict[str, Any]) -> int:
    adapter = importlib.import_module(ADAPTER).LiteLLMAnthropicMessagesAdapter()
    try:
        messages = adapter.translate_anthropic_messages_to_openai(body["messages"], model)
        system = body.get("system")
        if system:
            messages = [{"role": "system", "content": system}, *messages]
        tools = adapter.translate_anthropic_tools_to_openai(body["tools"], model)[0] if body.get("tools") else None
        return int(
            library.token_counter(model=model, messages=messages, tools=tools, use_default_image_token_count=True)
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRequestError("`messages`, `system` or `tools` are not in the form of Anthropic's protocol.") from error
