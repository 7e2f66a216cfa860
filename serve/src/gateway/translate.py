"""Providers that do not speak OpenAI's protocol: LiteLLM translates, we frame the answer."""

# ruff: noqa: SIM905 - lists of words read best as text

import struct
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import orjson

from gateway import litellm_http, litellm_library
from gateway.call import Call
from gateway.exchange import Exchange
from gateway.media import refuse_remote_media
from gateway.operations import CHAT, EMBEDDINGS, Operation
from gateway.services import Services
from gateway.watch import Watch

# What may reach LiteLLM: its functions take addresses, keys and callbacks as keywords too.
SAMPLING = frozenset(
    "frequency_penalty logit_bias logprobs max_completion_tokens max_tokens min_p n presence_penalty"
    " repetition_penalty seed stop stream stream_options temperature top_k top_logprobs top_p user".split()
)
FIELDS: dict[Operation, frozenset[str]] = {
    CHAT: SAMPLING
    | frozenset(
        "audio function_call functions messages modalities parallel_tool_calls prediction reasoning_effort"
        " response_format service_tier thinking tool_choice tools verbosity".split()
    ),
    EMBEDDINGS: frozenset({"input", "dimensions", "user"}),
}
COMPLETION_FIELDS = SAMPLING | {"prompt", "suffix", "echo", "best_of"}
END_MARK = b"data: [DONE]\n\n"


async def translate(exchange: Exchange, services: Services, call: Call, watch: Watch) -> None:
    """Answers in OpenAI's form, whatever the provider speaks.

    Raises: AnsweredError with the provider's status; UpstreamError; from the watch its timeouts.
    """
    settings = services.settings
    refuse_remote_media(call.body)
    library = await litellm_library.load()
    watch.upstream(settings.first_byte_seconds)
    arguments = _arguments(call, settings.first_byte_seconds)
    with litellm_http.calling(services.http), litellm_library.provider_errors(call):
        if call.operation is EMBEDDINGS:
            answer = await library.aembedding(**arguments)
        elif call.operation is CHAT:
            # its MCP handler would load LiteLLM's proxy for every call with tools
            answer = await library.acompletion(**arguments, _skip_mcp_handler=True)
        else:
            answer = await library.atext_completion(**arguments)
        if call.is_streamed and call.operation is not EMBEDDINGS:
            await _stream(exchange, services, call, watch, aiter(answer))
            return
    watch.client(settings.stall_seconds)
    await exchange.answer(200, _whole(call, answer.model_dump(exclude_none=True)))


def _arguments(call: Call, seconds: float) -> dict[str, Any]:
    allowed = FIELDS.get(call.operation, COMPLETION_FIELDS)
    arguments = {name: value for name, value in call.body.items() if name in allowed and value is not None}
    return {
        **arguments,
        "model": call.target.litellm_model,
        "api_key": call.provider_key or None,
        "api_base": call.target.litellm_base,
        "timeout": seconds,
        "max_retries": 0,
        "num_retries": 0,
    }


async def _stream(exchange: Exchange, services: Services, call: Call, watch: Watch, chunks: AsyncIterator[Any]) -> None:
    """The first chunk is awaited before the answer begins, so that an early error keeps its status."""
    settings = services.settings
    first = await anext(chunks, None)
    await exchange.start_stream()
    if call.grounding is not None:
        await exchange.write(call.grounding.first_event(exchange.request_id, call.target.model_id))
    if first is not None:
        await exchange.write(_event(call, first))
    watch.upstream(settings.gap_seconds)
    async for chunk in chunks:
        watch.client(settings.stall_seconds)
        await exchange.write(_event(call, chunk))
        watch.upstream(settings.gap_seconds)
    await exchange.finish(END_MARK)


def _event(call: Call, chunk: Any) -> bytes:
    body = chunk.model_dump(exclude_none=True)  # so that delta.content is never null
    body["model"] = call.target.model_id
    if "usage" in body and not any(map(_says_something, body["choices"])):
        body["choices"] = []  # as OpenAI sends the usage of a stream
    for choice in body.get("choices", ()):
        choice.setdefault("finish_reason", None)
        if call.operation is CHAT:
            choice.setdefault("delta", {})
    return b"data: " + orjson.dumps(body, default=str) + b"\n\n"


def _says_something(choice: dict[str, Any]) -> bool:
    return bool(choice.get("delta") or choice.get("text") or choice.get("finish_reason"))


def _whole(call: Call, body: dict[str, Any]) -> bytes:
    body["model"] = call.target.model_id
    if call.operation is EMBEDDINGS and call.body.get("encoding_format") == "base64":
        for item in body.get("data", ()):
            if isinstance(item.get("embedding"), list):
                item["embedding"] = b64encode(_floats(item["embedding"])).decode()
    if call.operation is CHAT:
        for choice in body.get("choices", ()):
            choice.get("message", {}).setdefault("content", None)
    answer = orjson.dumps(body, default=str)
    return answer if call.grounding is None else call.grounding.added_to(answer)


def _floats(values: list[float]) -> bytes:
    """Little-endian float32, as OpenAI sends base64 embeddings."""
    return struct.pack(f"<{len(values)}f", *values)
