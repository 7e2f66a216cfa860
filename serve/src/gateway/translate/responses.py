"""`responses`, OpenAI's newer protocol, for models that know only chat."""

# ruff: noqa: SIM905 - lists of words read best as text

from collections.abc import AsyncIterator
from typing import Any

import orjson

from gateway.errors import AnsweredError
from gateway.litellm_library import told
from gateway.translate.job import Events, Job, Whole

FIELDS = frozenset(
    "include input instructions max_output_tokens parallel_tool_calls reasoning service_tier stream temperature text"
    " tool_choice tools top_logprobs top_p truncation user".split()
)
TOOLS = frozenset({"function", "custom", "namespace"})
# What would need a memory of earlier answers, or somebody to ask later.
STATEFUL = ("previous_response_id", "conversation", "background", "prompt")


async def responses(job: Job) -> Whole | Events:
    _check(job)
    answer = await job.library.aresponses(
        **job.arguments(FIELDS), store=False, use_chat_completions_api=True, _skip_mcp_handler=True
    )
    if job.call.is_streamed:
        return _events(job, aiter(answer))
    return Whole(orjson.dumps(_ours(job, answer.model_dump(exclude_none=False)), default=str))


def _check(job: Job) -> None:
    body = job.call.body
    for name in STATEFUL:
        if body.get(name):
            raise job.refuse(name, "this model keeps no answers. Send the whole conversation in `input`.")
    for tool in body.get("tools") or ():
        kind = tool.get("type") if isinstance(tool, dict) else None
        # LiteLLM would play the part of OpenAI's own tools: search files, call MCP servers
        if kind not in TOOLS:
            raise job.refuse("tools", f"this model knows only tools of yours, of type function, not {str(kind)[:64]}.")


def _ours(job: Job, response: dict[str, Any]) -> dict[str, Any]:
    response["model"] = job.model_id
    response["store"] = False
    return response


async def _events(job: Job, chunks: AsyncIterator[Any]) -> Events:
    number = 0
    async for chunk in chunks:
        body = chunk.model_dump(exclude_none=True, mode="json")
        kind = str(body["type"])
        if kind == "error":
            raise AnsweredError(502, "upstream_failed", told(str(body.get("message") or body.get("error")), job.call))
        if isinstance(body.get("response"), dict):
            _ours(job, body["response"])
        body["sequence_number"] = number
        number += 1
        yield b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(body, default=str) + b"\n\n"
