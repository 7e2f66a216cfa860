"""`responses`, OpenAI's newer protocol, for models that know only chat."""

# ruff: noqa: SIM905 - lists of words read best as text

import importlib
import itertools
import uuid
from typing import Any

import orjson

from gateway.errors import AnsweredError
from gateway.translate.chat import check_end
from gateway.translate.job import Events, Job, Whole, understanding
from gateway.translate.litellm_library import RESPONSES_BRIDGE, told
from gateway.translate.parameters import refuse_what_would_be_dropped, without_unwanted_tools
from gateway.translate.parts import check_input

FIELDS = frozenset(
    "include input instructions max_output_tokens parallel_tool_calls reasoning service_tier stream temperature text"
    " tool_choice tools top_logprobs top_p truncation user".split()
)
NAMES = {"response_format": "text"}
TOOLS = frozenset({"function", "custom", "namespace"})
ECHOED = tuple(
    "instructions max_output_tokens parallel_tool_calls temperature text tool_choice tools top_p truncation".split()
)
# What would need a memory of earlier answers, or somebody to ask later.
STATEFUL = ("previous_response_id", "conversation", "background", "prompt")
SUMMARY = "response.reasoning_summary_"  # how the kinds of its events begin
THOUGHT_FIELDS = frozenset({"type", "id", "status", "summary", "encrypted_content"})


async def responses(job: Job) -> Whole | Events:
    _check(job)
    arguments = job.arguments(FIELDS)
    asked = {name: arguments.pop(name) for name in FIELDS if name in arguments}
    asked = without_unwanted_tools(job, asked, asked["input"])
    refuse_what_would_be_dropped(job, _as_chat(asked), NAMES)
    bridge = importlib.import_module(RESPONSES_BRIDGE).LiteLLMCompletionTransformationHandler()
    with understanding("input", "OpenAI"):
        pending = bridge.response_api_handler(
            input=asked.pop("input"),
            stream=asked.pop("stream", None) is True,
            responses_api_request=asked,
            custom_llm_provider=job.provider,
            _is_async=True,
            _skip_mcp_handler=True,
            **arguments,
        )
    answer = await pending
    ours = {**_echo(job.call.body), "id": f"resp_{uuid.uuid4().hex}", "model": job.model_id, "store": False}
    if job.call.is_streamed:
        return _events(job, ours, answer)
    return Whole(orjson.dumps(_response(answer.model_dump(mode="json"), ours)))


def _as_chat(asked: dict[str, Any]) -> dict[str, Any]:
    """What decides about the answer, as chat calls it."""
    wanted = (asked.get("text") or {}).get("format") or {}
    is_text = wanted.get("type") in (None, "text")
    return {**asked, "response_format": None if is_text else {**wanted, "json_schema": wanted}}


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
    check_input(job)


def _echo(body: dict[str, Any]) -> dict[str, Any]:
    """A response tells what it was asked with."""
    asked = {name: body[name] for name in ECHOED if body.get(name) is not None}
    return {"parallel_tool_calls": True, "text": {"format": {"type": "text"}}, **asked}


def _response(answer: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    return {**answer, **ours, "output": [_item(item) for item in answer["output"]]}


def _item(item: dict[str, Any]) -> dict[str, Any]:
    """One of the output. LiteLLM tells thoughts as if they were a message; SDKs look for a summary."""
    if item["type"] != "reasoning":
        return item
    summary = [{"type": "summary_text", "text": part["text"]} for part in item.get("content") or ()]
    kept = {name: value for name, value in item.items() if name in THOUGHT_FIELDS and value is not None}
    return {"summary": summary, **kept}


async def _events(job: Job, ours: dict[str, Any], chunks: Any) -> Events:
    numbers = itertools.count()
    has_summary = False
    async for chunk in chunks:
        body = chunk.model_dump(exclude_none=True, mode="json")
        kind = str(body["type"])
        if kind == "error":
            raise AnsweredError(502, "upstream_failed", told(str(body.get("message") or body.get("error")), job.call))
        if kind == "response.completed":
            check_end(job, chunks.litellm_custom_stream_wrapper)
        if isinstance(body.get("response"), dict):
            body["response"] = _response(body["response"], ours)
        if isinstance(body.get("item"), dict):
            body["item"] = _item(body["item"])
        if kind.startswith(SUMMARY) and not has_summary:
            has_summary = True
            yield _event(_first_part(body), next(numbers))
        yield _event(body, next(numbers))


def _first_part(body: dict[str, Any]) -> dict[str, Any]:
    """What comes before a summary's first event; LiteLLM leaves it out."""
    place = {name: body[name] for name in ("item_id", "output_index", "summary_index")}
    return {"type": f"{SUMMARY}part.added", **place, "part": {"type": "summary_text", "text": ""}}


def _event(body: dict[str, Any], number: int) -> bytes:
    data = orjson.dumps({**body, "sequence_number": number})
    return b"event: " + str(body["type"]).encode() + b"\ndata: " + data + b"\n\n"
