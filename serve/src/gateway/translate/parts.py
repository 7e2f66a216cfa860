"""Which parts a translated question may have: what LiteLLM does not know, it leaves out without a word."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.translate.job import Job
from gateway.translate.parameters import UNCHANGED

Kinds = frozenset[str]
TEXT: Kinds = frozenset({"text"})
CHAT: Mapping[str, Kinds] = {
    "system": TEXT,
    "developer": TEXT,
    "user": TEXT | {"image_url", "file"},
    "assistant": TEXT | {"thinking", "redacted_thinking"},
    "tool": TEXT | {"image_url", "file", "tool_reference"},
}
# Of users, beside the above.
BY_CLAUDE: Kinds = frozenset({"document"})
BY_BEDROCK: Kinds = BY_CLAUDE | {"guarded_text", "grounding_source", "query"}
BY_OTHERS: Kinds = BY_BEDROCK | {"input_audio", "audio_url", "video_url"}
RESULT: Kinds = TEXT | {"image", "document", "search_result", "tool_reference"}
MESSAGES: Mapping[str, Kinds] = {
    "system": TEXT,
    "user": TEXT | {"image", "document", "search_result", "tool_result"},
    "assistant": TEXT | {"tool_use", "thinking", "redacted_thinking"},
}
INNER: Mapping[str, Kinds] = {"tool_result": RESULT, "search_result": TEXT}
SOURCES: Mapping[str, Kinds] = {
    "image": frozenset({"base64", "url"}),
    "document": frozenset({"base64", "url", "text", "content"}),
}
CALLS: Kinds = frozenset({"function_call", "custom_tool_call"})
ITEMS: Kinds = CALLS | {"message", "function_call_output", "custom_tool_call_output", "reasoning", "web_search_call"}
INPUT: Kinds = TEXT | {"input_text", "output_text", "input_image", "input_file"}
OUTPUT: Kinds = INPUT - {"input_file"}


def check_chat(job: Job) -> None:
    """Raises: BadRequestError."""
    provider = job.provider
    if provider in UNCHANGED:
        return
    users = CHAT["user"] | _extra(job, provider)
    for message in job.call.body["messages"]:
        role = str(message.get("role"))
        _check(job, "messages", message.get("content"), users if role == "user" else CHAT.get(role, users))


def _extra(job: Job, provider: str) -> Kinds:
    if provider.startswith("bedrock"):
        return BY_BEDROCK
    return BY_CLAUDE if job.is_by_claude else BY_OTHERS


def check_prompt(job: Job) -> None:
    """Raises: BadRequestError."""
    prompt = job.call.body["prompt"]
    if not isinstance(prompt, str) and not (isinstance(prompt, list) and [type(one) for one in prompt] == [str]):
        raise job.refuse("prompt", "this model takes one text. Send it as a string, and several in a call each.")


def check_messages(job: Job) -> None:
    """Raises: BadRequestError."""
    _check(job, "system", job.call.body.get("system"), TEXT)
    for message in job.call.body["messages"]:
        known = MESSAGES.get(str(message.get("role")), TEXT)
        for part in _check(job, "messages", message.get("content"), known):
            _check_inner(job, part)


def _check_inner(job: Job, part: dict[str, Any]) -> None:
    if part["type"] in SOURCES:
        for source in _check(job, "messages", [part.get("source")], SOURCES[part["type"]]):
            _check(job, "messages", source.get("content"), TEXT | {"image"})
    elif part["type"] in INNER:
        for inner in _check(job, "messages", part.get("content"), INNER[part["type"]]):
            _check_inner(job, inner)


def check_input(job: Job) -> None:
    """Raises: BadRequestError."""
    given = job.call.body["input"]
    for item in given if isinstance(given, list) else ():
        if not isinstance(item, dict):
            continue
        if item.get("type") == "item_reference":
            raise job.refuse("input", "this model keeps no items. Send the item itself in place of item_reference.")
        kind = "message" if item.get("type") is None and "role" in item else item.get("type")
        _check(job, "input", [{"type": kind}], ITEMS)
        _check(job, "input", item.get("content") if kind == "message" else None, INPUT)
        _check(job, "input", item.get("output"), OUTPUT)


def _check(job: Job, field: str, parts: Any, known: Kinds) -> list[dict[str, Any]]:
    """The parts, those that are objects."""
    found = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    for part in found:
        kind = part.get("type")
        if not isinstance(kind, str) or kind not in known:
            other = ", ".join(sorted(known))
            raise job.refuse(field, f"this model cannot be sent what is of type {str(kind)[:64]} here. Send {other}.")
    return found


def as_text(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Anthropic's messages, with documents and search results as the texts that chat has in their place."""
    return [{**message, "content": _plain(message["content"])} for message in messages]


def _plain(content: Any) -> Any:
    return [one for part in content for one in _parts(part)] if isinstance(content, list) else content


def _parts(part: Any) -> Iterator[Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "tool_result":
        yield {**part, "content": _plain(part.get("content"))}
    elif kind == "search_result":
        yield from _texts(part.get("title"), part.get("source"))
        yield from part["content"]
    elif kind == "document":
        yield from _texts(part.get("title"), part.get("context"))
        yield from _source(part)
    else:
        yield part


def _source(document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    source = document["source"]
    if source["type"] == "text":
        return _texts(source["data"])
    if source["type"] == "content":
        return _texts(source["content"]) if isinstance(source["content"], str) else source["content"]
    return [document]


def _texts(*texts: str | None) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text} for text in texts if text]
