"""Finds token counts in answers: OpenAI's (chat, completions, embeddings, responses, images, audio) and Anthropic's."""

from typing import Any, NamedTuple

import orjson

# As serialisers write it; what a model wrote itself is inside a string, where the quotes are escaped.
MARKS = (b'"usage":{', b'"usage": {')
LONG_ANSWER = 64 * 1024
TAIL_BYTES = 1024
MOST_TOKENS = 10**9  # an upstream that tells more is broken


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


def tokens_in_answer(body: bytes) -> Tokens | None:
    """The counts of a whole JSON answer. None: it tells none."""
    if b'"usage"' not in body:
        return None
    return tokens_of(_object(_end_of_list(body) if len(body) > LONG_ANSWER else body).get("usage"))


def fields_of_answer(body: bytes) -> dict[str, Any]:
    """Of a short answer all; of a long one those after its list, and none where they tell nothing that is counted."""
    if len(body) <= LONG_ANSWER or b'"duration"' in body:
        return _object(body)
    return _object(_end_of_list(body)) if has_usage(body) else {}


def fields_of_event(event: bytes) -> dict[str, Any]:
    """What one event of a stream has as its data; empty where that is no object."""
    return _object(b"\n".join([line[5:] for line in event.splitlines() if line.startswith(b"data:")]))


def usage_in_answer(answer: dict[str, Any]) -> Any:
    """The `usage` of an answer that may be a reranker's in Cohere's form."""
    meta = answer.get("meta")
    return answer.get("usage") or (meta.get("tokens") if isinstance(meta, dict) else None)


def usage_in_event(event: dict[str, Any]) -> Any:
    """The `usage` of an event, where its protocol has it."""
    for inner in (event, event.get("response"), event.get("message")):
        if isinstance(inner, dict) and isinstance(inner.get("usage"), dict):
            return inner["usage"]
    return None


def tokens_of(usage: Any, before: Tokens = NONE) -> Tokens | None:
    """The counts of a `usage` object; None when it has none.

    `before`: of an earlier event of the same stream. Its counts stay where this one has none: Anthropic tells the
    prompt's first, the answer's last.
    """
    if not isinstance(usage, dict):
        return None
    total = _count(usage, "total_tokens")
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if prompt is None:
        prompt = _count(usage, "input_tokens")
    if completion is None:
        completion = _count(usage, "output_tokens")
    if prompt is None and completion is None and total is None:
        return None
    cached, written = _cached(usage), _count(usage, "cache_creation_input_tokens") or 0
    if prompt is None:
        prompt, cached, written = (before[0], before[2], before[3]) if completion is not None else (total or 0, 0, 0)
    elif "cache_read_input_tokens" in usage or written:  # Anthropic counts them beside the input
        prompt += cached + written
    if completion is None:
        completion = before.completion
    if total is not None:  # some leave the tokens of reasoning out of the answer's
        completion = max(completion, total - prompt)
    return Tokens(prompt, completion, min(cached, prompt), min(written, prompt))


def _cached(usage: dict[str, Any]) -> int:
    told = _count(usage, "cache_read_input_tokens")
    for name in ("prompt_tokens_details", "input_tokens_details"):
        details = usage.get(name)
        if told is None and isinstance(details, dict):
            told = _count(details, "cached_tokens")
    return told or 0


def _count(usage: dict[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def _object(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _end_of_list(body: bytes) -> bytes:
    """Of a long answer, as one with many vectors, what follows its list: megabytes of numbers need not be parsed."""
    tail = body[-TAIL_BYTES:]
    cut = tail.rfind(b"]")
    after = tail[cut + 1 :].lstrip().removeprefix(b",") if cut >= 0 else b""
    return b"{" + after if has_usage(after) else body
