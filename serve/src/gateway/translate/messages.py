"""`messages`, Anthropic's protocol, for models of other protocols; Claude elsewhere speaks it without a translation."""

# ruff: noqa: SIM905 - lists of words read best as text

import importlib
import uuid
from collections.abc import AsyncIterator, Iterable
from typing import Any

import orjson
from lisa.errors import UpstreamError

from gateway.errors import AnsweredError
from gateway.relay.events import WholeEvents
from gateway.translate import parts
from gateway.translate.chat import BROKE_OFF, check_end
from gateway.translate.job import Events, Job, Whole, understanding
from gateway.translate.litellm_library import told
from gateway.translate.parameters import fitted
from gateway.translate.turns import in_turn

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
NAMES = {"stop": "stop_sequences", "response_format": "output_format"}
TRANSFORMATION = "litellm.llms.anthropic.pass_through.adapters.transformation"
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
STREAM = "litellm.llms.anthropic.pass_through.adapters.streaming_iterator"


async def messages(job: Job) -> Whole | Events:
    is_native = _speaks_it(job)
    _check(job, is_native)
    arguments = job.arguments(FIELDS)
    user = (arguments.pop("metadata", None) or {}).get("user_id")
    arguments["metadata"] = {"user_id": user if isinstance(user, str) else job.call.username}
    if not is_native:
        return await _by_chat(job, arguments)
    answer = await job.library.anthropic_messages(**arguments, _skip_mcp_handler=True)
    return _checked_events(job, aiter(answer)) if job.call.is_streamed else _whole(job, answer)


def _speaks_it(job: Job) -> bool:
    """Whether the provider takes the caller's message as it is, as for Claude in Bedrock, Vertex AI and Azure."""
    if job.call.target.provider is not None:
        return False
    manager = importlib.import_module("litellm.utils").ProviderConfigManager
    model, provider = job.library.get_llm_provider(model=job.call.target.litellm_model)[:2]
    return (
        manager.get_provider_anthropic_messages_config(model=model, provider=job.library.LlmProviders(provider))
        is not None
    )


def _check(job: Job, is_native: bool) -> None:
    body = job.call.body
    if not isinstance(body.get("max_tokens"), int):
        raise job.refuse("max_tokens", "is missing. Anthropic's protocol asks for it.")
    if not isinstance(body.get("metadata"), dict | None):
        raise job.refuse("metadata", "has to be an object.")
    for tool in body.get("tools") or ():
        kind = tool.get("type") if isinstance(tool, dict) else None
        # LiteLLM plays the part of Anthropic's "advisor" with another model, which the caller names
        if kind not in (None, "custom") and (not is_native or str(kind).startswith("advisor")):
            raise job.refuse("tools", f"this model knows only those with `input_schema`, not {str(kind)[:64]}.")
    if not is_native:
        parts.check_messages(job)


async def _by_chat(job: Job, arguments: dict[str, Any]) -> Whole | Events:
    """Asked as a chat, and the answer told in Anthropic's form."""
    asked = {name: arguments.pop(name) for name in (*FIELDS, "model") if name in arguments}
    is_streamed = asked.pop("stream", None) is True
    adapter = importlib.import_module(TRANSFORMATION).AnthropicAdapter()
    with understanding("messages", "Anthropic"):
        asked["messages"] = parts.as_text(asked["messages"])
        chat, tool_names = adapter.translate_completion_input_params_with_tool_mapping(
            asked, custom_llm_provider=job.provider
        )
    chat = fitted(job, dict(chat), NAMES)
    if chat.get("tools") and (asked.get("tool_choice") or {}).get("disable_parallel_tool_use"):
        chat["parallel_tool_calls"] = False
    if is_streamed:
        chat = {**chat, "stream": True, "stream_options": {"include_usage": True}}
    answer = await job.library.acompletion(
        **{**chat, **arguments}, _skip_mcp_handler=True, _skip_responses_api_bridge=True
    )
    if is_streamed:
        wrapper = importlib.import_module(STREAM).AnthropicStreamWrapper
        ordered = in_turn(answer, wrapper._is_blank_delta)
        return _told_events(job, answer, wrapper(ordered, model=job.model_id, tool_name_mapping=tool_names))
    _close_unfinished_calls(answer)
    told_again = adapter.translate_completion_output_params(answer, tool_name_mapping=tool_names)
    return _whole(job, {**told_again, "id": f"msg_{uuid.uuid4().hex}"})


def _close_unfinished_calls(answer: Any) -> None:
    """A model that ran out of tokens leaves arguments that are no JSON; `stop_reason` tells why they are empty."""
    for choice in answer.choices:
        for call in (choice.message.tool_calls or ()) if choice.finish_reason == "length" else ():
            try:
                orjson.loads(call.function.arguments)
            except ValueError:
                call.function.arguments = "{}"


def _whole(job: Job, answer: dict[str, Any]) -> Whole:
    for block in answer["content"]:
        if block["type"] == "thinking" and block.get("signature") is None:
            block["signature"] = ""  # what is not Claude's has none, but the field is always there
    return Whole(orjson.dumps({**answer, "model": job.model_id}, default=str))


async def _told_events(job: Job, chunks: Any, events: AsyncIterator[dict[str, Any]]) -> Events:
    async for body in events:
        if body["type"] in ("message_delta", "message_stop"):
            check_end(job, chunks)
        yield _event(job, body)


def _event(job: Job, body: dict[str, Any]) -> bytes:
    if body["type"] == "message_start":
        body = {**body, "message": {**body["message"], "model": job.model_id}}
    elif body["type"] == "message_delta":
        body["delta"].setdefault("stop_sequence", None)
    return b"event: " + str(body["type"]).encode() + b"\ndata: " + orjson.dumps(body, default=str) + b"\n\n"


async def _checked_events(job: Job, chunks: AsyncIterator[Any]) -> Events:
    whole = WholeEvents()
    async for chunk in chunks:
        for event in _each(whole.take(chunk)):
            yield _checked(job, event)
    for event in _each(whole.rest()):
        yield _checked(job, event)
    if not whole.is_done:
        raise UpstreamError(BROKE_OFF)


def _each(ready: bytes) -> Iterable[bytes]:
    return (event + b"\n\n" for event in ready.split(b"\n\n") if event)


def _checked(job: Job, event: bytes) -> bytes:
    """The event, with our name of the model. Raises: AnsweredError for the one that tells of a failure."""
    kind, _, data = event.partition(b"\ndata: ")
    if kind == b"event: message_start":
        return _event(job, orjson.loads(data))
    if kind == b"event: message_stop":
        return STOP  # Bedrock tells usage in it again, perhaps without what was read from its cache
    if kind == b"event: error":
        error = orjson.loads(data).get("error") or {}
        status = STATUSES.get(str(error.get("type")), 502)
        raise AnsweredError(status, "upstream_failed", told(str(error.get("message")), job.call))
    return event
