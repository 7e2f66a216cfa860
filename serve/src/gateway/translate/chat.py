"""`chat/completions` and `completions` for providers of another protocol."""

# ruff: noqa: SIM905 - lists of words read best as text

from collections.abc import AsyncIterator
from typing import Any

import orjson
from lisa.errors import UpstreamError

from gateway.operations import CHAT
from gateway.relay.events import END_MARK
from gateway.translate.job import Events, Job, Whole
from gateway.translate.parameters import fitted
from gateway.translate.parts import check_chat, check_prompt

SAMPLING = frozenset(
    "frequency_penalty logit_bias logprobs max_completion_tokens max_tokens min_p n presence_penalty"
    " repetition_penalty seed stop stream stream_options temperature top_k top_logprobs top_p user".split()
)
CHAT_FIELDS = SAMPLING | frozenset(
    "audio function_call functions messages modalities parallel_tool_calls prediction reasoning_effort"
    " response_format service_tier thinking tool_choice tools verbosity".split()
)
COMPLETION_FIELDS = SAMPLING | {"prompt", "suffix", "echo", "best_of"}
USAGE_FIELDS = frozenset(
    "prompt_tokens completion_tokens total_tokens prompt_tokens_details completion_tokens_details".split()
)
BROKE_OFF = "The model's provider broke off in the middle of its answer. Try again."
TELL_WHY = frozenset({"anthropic", "azure", "bedrock", "openai", "sagemaker_chat"})  # they end, so they tell


async def chat(job: Job) -> Whole | Events:
    check_chat(job)
    # its MCP handler would load LiteLLM's proxy for every call with tools
    return await _complete(job, job.library.acompletion, {**_arguments(job, CHAT_FIELDS), "_skip_mcp_handler": True})


async def completions(job: Job) -> Whole | Events:
    check_prompt(job)
    return await _complete(job, job.library.atext_completion, _arguments(job, COMPLETION_FIELDS))


def _arguments(job: Job, allowed: frozenset[str]) -> dict[str, Any]:
    arguments = fitted(job, job.arguments(allowed))
    if job.call.is_streamed:  # also for those who did not ask: it is counted
        arguments["stream_options"] = {"include_usage": True}
    return arguments


async def _complete(job: Job, function: Any, arguments: dict[str, Any]) -> Whole | Events:
    answer = await function(**arguments)
    if job.call.is_streamed:
        return _events(job, aiter(answer))
    return Whole(_whole(job, answer.model_dump(exclude_none=True)))


async def _events(job: Job, chunks: AsyncIterator[Any]) -> Events:
    async for chunk in chunks:
        body = _chunk(job, chunk.model_dump(exclude_none=True))  # so that delta.content is never null
        yield b"data: " + orjson.dumps(body, default=str) + b"\n\n"
    check_end(job, chunks)
    yield END_MARK


def check_end(job: Job, chunks: Any) -> None:
    """Raises: UpstreamError when the provider gave no reason; LiteLLM tells `stop` then, also after errors."""
    told = getattr(chunks, "received_finish_reason", "stop") or getattr(chunks, "intermittent_finish_reason", None)
    if told is None and job.provider in TELL_WHY:
        raise UpstreamError(BROKE_OFF)


def _chunk(job: Job, body: dict[str, Any]) -> dict[str, Any]:
    choices = body.setdefault("choices", [])
    if "usage" in body:
        body["usage"] = _usage(body["usage"])
        if not any(map(_says_something, choices)):
            choices.clear()  # as OpenAI sends the usage of a stream
    for choice in choices:
        choice.setdefault("finish_reason", None)
        if job.call.operation is CHAT:
            choice.setdefault("delta", {})
    return {**body, "model": job.model_id}


def _says_something(choice: dict[str, Any]) -> bool:
    return bool(choice.get("delta") or choice.get("text") or choice.get("finish_reason"))


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's fields only. Beside them LiteLLM tells Anthropic's, which mean: to be added to the prompt's tokens."""
    return {name: value for name, value in usage.items() if name in USAGE_FIELDS}


def _whole(job: Job, body: dict[str, Any]) -> bytes:
    body["model"] = job.model_id
    if "usage" in body:
        body["usage"] = _usage(body["usage"])
    if job.call.operation is CHAT:
        for choice in body.get("choices", ()):
            message = choice.get("message", {})
            message.setdefault("content", None)
            refusal = (message.get("provider_specific_fields") or {}).get("refusal")
            if refusal:
                message["refusal"] = refusal
    return orjson.dumps(body, default=str)
