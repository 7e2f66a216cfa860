"""Finds token counts in answers: OpenAI's (chat, completions, embeddings, responses, images, audio) and Anthropic's."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

# As serialisers write it; what a model wrote itself is inside a string, where the quotes are escaped.
MARKS = (b'"usage":{', b'"usage": {')
LONG_ANSWER = 64 * 1024
TAIL_BYTES = 1024
MOST_TOKENS = 10**9  # an upstream that tells more is broken
_DECODER = json.JSONDecoder()  # orjson reads nothing that has more behind it
INPUT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
OUTPUT_DETAILS = ("completion_tokens_details", "output_tokens_details")


class Tokens(NamedTuple):
    """`cached` and `written` (read from the provider's cache, put into it) are parts of `prompt`."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    written: int = 0


NONE = Tokens()


def has_usage(piece: bytes) -> bool:
    """True when it may hold counts; `"usage":null`, which vLLM writes into each event, does not count."""
    return MARKS[0] in piece or MARKS[1] in piece


def usage_of_answer(body: bytes) -> Any:
    """The `usage` of a whole JSON answer. None: it tells none."""
    if b'"usage"' not in body:
        return None
    return _with_tier(_object(_end_of_list(body) if len(body) > LONG_ANSWER else body))


def fields_of_answer(body: bytes) -> dict[str, Any]:
    """Of a short answer all; of a long one those after its list, and none where they tell nothing that is counted."""
    if len(body) <= LONG_ANSWER or b'"duration"' in body:
        return _object(body)
    return _object(_end_of_list(body)) if has_usage(body) else {}


def fields_of_event(event: bytes) -> dict[str, Any]:
    """What one event of a stream has as its data; empty where that is no object. Of a piece of a long one its usage."""
    data = _object(b"\n".join([line[5:] for line in event.splitlines() if line.startswith(b"data:")]))
    return data or _usage_alone(event)


def usage_in_answer(answer: dict[str, Any]) -> Any:
    """The `usage` of an answer that may be a reranker's in Cohere's form."""
    meta = answer.get("meta")
    return answer.get("usage") or (meta.get("tokens") if isinstance(meta, dict) else None)


def usage_in_event(event: dict[str, Any]) -> Any:
    """The `usage` of an event, where its protocol has it."""
    for inner in (event, event.get("response"), event.get("message")):
        if isinstance(inner, dict) and isinstance(inner.get("usage"), dict):
            return _with_tier(inner)
    return None


def tokens_of(usage: Any, before: Tokens = NONE) -> Tokens | None:
    """The counts of a `usage` object; None when it has none.

    `before`: of an earlier event of the same stream. Its counts stay where this one has none: Anthropic tells the
    prompt's first, the answer's last.
    """
    if not isinstance(usage, dict):
        return None
    total = count_of(usage, "total_tokens")
    prompt, completion = count_of(usage, "prompt_tokens"), count_of(usage, "completion_tokens")
    cached, written = count_of(usage, "cache_read_input_tokens"), count_of(usage, "cache_creation_input_tokens")
    is_beside = prompt is None and (cached is not None or written is not None)  # Anthropic counts them beside the input
    if prompt is None:
        prompt = count_of(usage, "input_tokens")
    if completion is None:
        completion = count_of(usage, "output_tokens")
    if prompt is None and completion is None and total is None:
        return None
    details = input_details(usage)
    if cached is None:
        cached = count_of(details, "cached_tokens") or 0
    if written is None:  # LiteLLM's name for it, and OpenAI's
        written = count_of(details, "cache_creation_tokens") or count_of(details, "cache_write_tokens") or 0
    if prompt is None:
        prompt, cached, written = (before[0], before[2], before[3]) if completion is not None else (total or 0, 0, 0)
    elif is_beside:
        prompt += cached + written
    if completion is None:
        completion = before.completion
    if total is not None:  # some leave the tokens of reasoning out of the answer's
        completion = max(completion, total - prompt)
    return Tokens(prompt, completion, min(cached, prompt), min(written, prompt))


def input_details(usage: Mapping[str, Any]) -> dict[str, Any]:
    """What it tells of the kinds of a prompt's tokens."""
    return _details(usage, INPUT_DETAILS)


def output_details(usage: Mapping[str, Any]) -> dict[str, Any]:
    """What it tells of the kinds of an answer's tokens."""
    return _details(usage, OUTPUT_DETAILS)


def count_of(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def kept_tokens(usage: Mapping[str, Any]) -> int:
    """How many were put into the cache for an hour, as Anthropic tells it or, among the details, LiteLLM."""
    told = usage.get("cache_creation") or input_details(usage).get("cache_creation_token_details")
    return count_of(told, "ephemeral_1h_input_tokens") or 0 if isinstance(told, dict) else 0


def _with_tier(answer: dict[str, Any]) -> Any:
    """Its `usage`, with the service tier that OpenAI tells beside it and Anthropic in it."""
    usage = answer.get("usage")
    if isinstance(usage, dict) and "service_tier" in answer:
        usage.setdefault("service_tier", answer["service_tier"])
    return usage


def _details(usage: Mapping[str, Any], places: tuple[str, ...]) -> dict[str, Any]:
    for place in places:
        details = usage.get(place)
        if details and isinstance(details, dict):
            return details
    return {}


def _object(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _usage_alone(event: bytes) -> dict[str, Any]:
    """Of an event of which only a piece is here: the last counts in it, whatever they lie in."""
    start = max(map(event.rfind, MARKS))
    if start < 0:
        return {}
    counts = event[start : start + TAIL_BYTES].decode(errors="replace").partition(":")[2].lstrip()
    try:
        return {"usage": _DECODER.raw_decode(counts)[0]}
    except ValueError:
        return {}


def _end_of_list(body: bytes) -> bytes:
    """Of a long answer, as one with many vectors, what follows its list: megabytes of numbers need not be parsed."""
    tail = body[-TAIL_BYTES:]
    cut = tail.rfind(b"]")
    after = tail[cut + 1 :].lstrip().removeprefix(b",") if cut >= 0 else b""
    return b"{" + after if has_usage(after) else body
