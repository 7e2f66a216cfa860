"""What a provider lacks among the parameters: refused where it decides about the answer, left out where it advises."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gateway.translate.job import Job

# With what they are when they ask for nothing.
DECISIVE: Mapping[str, Any] = {
    "n": 1,
    "tools": [],
    "tool_choice": "auto",
    "functions": [],
    "function_call": "auto",
    "response_format": {"type": "text"},
    "stop": [],
}
UNCHANGED = frozenset({"azure", "openai", "sagemaker_chat"})  # they get what is OpenAI's as it is
WHY = {
    "n": "this model gives one answer to a call. Leave the field out and ask several times.",
    "functions": "this model knows them as `tools` only.",
}
SAME: Mapping[str, str] = {}


def fitted(job: Job, asked: dict[str, Any], names: Mapping[str, str] = SAME) -> dict[str, Any]:
    """A chat's parameters as the provider takes them; `names` are what the caller calls some of them.

    Raises: BadRequestError for what LiteLLM would leave out, though it decides about the answer.
    """
    asked = without_unwanted_tools(job, asked, asked.get("messages"))
    refuse_what_would_be_dropped(job, asked, names)
    if job.provider not in UNCHANGED:
        _refuse_unusual_tools(job, asked.get("tools"))
    return asked


def without_unwanted_tools(job: Job, asked: dict[str, Any], history: Any) -> dict[str, Any]:
    """Bedrock cannot be told to call no tool, but without tools it calls none.

    It wants those to be named to which the history refers.
    """
    if not job.provider.startswith("bedrock") or asked.get("tool_choice") != "none":
        return asked
    if isinstance(history, list) and any(map(_refers_to_a_tool, history)):
        return asked
    return {name: value for name, value in asked.items() if name not in ("tools", "tool_choice")}


def _refers_to_a_tool(said: dict[str, Any]) -> bool:
    """A message of chat, or an item of responses."""
    return bool(said.get("tool_calls") or said.get("role") == "tool" or said.get("call_id"))


def refuse_what_would_be_dropped(job: Job, asked: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Raises: BadRequestError."""
    model = job.call.target.litellm_model
    known = _known(job.library, model)
    for name, nothing in DECISIVE.items():
        if known is not None and name not in known and asked.get(name) not in (None, nothing):
            raise job.refuse(names.get(name, name), WHY.get(name, "this model knows nothing like it. Leave it out."))
    if job.call.is_streamed and asked.get("n") not in (None, 1):  # LiteLLM mixes their ends up
        raise job.refuse("n", "this model streams one answer to a call. Leave `stream` out, or ask several times.")
    is_bedrock = job.provider.startswith("bedrock")
    if is_bedrock or job.is_by_claude:
        _refuse_free_json(job, asked.get("response_format"), names.get("response_format", "response_format"))
    if job.is_by_claude or (is_bedrock and "claude" in model):
        _refuse_blank_stops(job, asked.get("stop"))


@lru_cache(1000)
def _known(library: Any, model: str) -> frozenset[str] | None:
    """LiteLLM takes up to 12 ms to find out, while every stream waits."""
    known = library.get_supported_openai_params(model)
    return None if known is None else frozenset(known)


def _refuse_unusual_tools(job: Job, tools: Any) -> None:
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict) and tool.get("type") in ("custom", "function") and "function" not in tool:
            raise job.refuse("tools", 'this model knows tools of the form {"type": "function", "function": {…}} only.')


def _refuse_free_json(job: Job, wanted: Any, field: str) -> None:
    if not isinstance(wanted, dict) or wanted.get("type") == "text":
        return
    schema = wanted.get("response_schema") or (wanted.get("json_schema") or {}).get("schema")
    if not isinstance(schema, dict):
        raise job.refuse(field, "this model writes JSON by a schema only. Send the type json_schema, with its schema.")


def _refuse_blank_stops(job: Job, stops: Any) -> None:
    if any(isinstance(stop, str) and stop.isspace() for stop in (stops if isinstance(stops, list) else [stops])):
        raise job.refuse("stop", "Claude stops at words only, not at white space.")
