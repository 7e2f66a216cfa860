"""Where the texts of requests and answers are: of OpenAI's and Anthropic's protocols alike."""

# ruff: noqa: SIM905 - lists of words read best as text

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lisa.errors import BadRequestError

from gateway.errors import GuardrailTriggeredError

BLOCKED = "This was blocked by a guardrail."
# What the caller writes for the model.
WRITTEN = tuple("system instructions messages prompt suffix prediction input query documents".split())
# Strings that are nobody's text: names, kinds, keys and encoded bytes. Everything else counts as text, so that a
# field that we do not know is checked rather than let through.
LABELS = frozenset(
    "b64_json bytes cache_control call_id container created_at data detail embedding encrypted_content file_data"
    " file_id file_url finish_reason format id image_url item_id lisa logprobs media_type model name"
    " native_finish_reason object obfuscation phase previous_response_id provider reason role service_tier"
    " signature status stop_reason"
    " stop_sequence system_fingerprint token tool_call_id tool_use_id type url usage".split()
)
# A tool's arguments as an object: there every key is somebody's own.
FREE = frozenset({"input", "arguments", "variables"})
Path = tuple[str | int, ...]
MAX_DEPTH = 100
# Of a question. Whoever sends more keeps the gateway, or the guardrails, from everybody else.
MAX_VALUES = 50_000
MAX_TEXTS = 5_000


class TooDeepError(ValueError):
    """Nobody writes JSON like that, except to hide something."""


@dataclass(frozen=True, slots=True)
class Place:
    """A text in a JSON document: it can be read, and replaced."""

    holder: Any
    key: Any
    path: Path

    @property
    def text(self) -> str:
        return str(self.holder[self.key])

    def replace(self, text: str) -> None:
        self.holder[self.key] = text


class Name(Place):
    """A name that somebody made up: text, too. `path` has a place in a list that there is not."""

    @property
    def text(self) -> str:
        return str(self.key)

    def replace(self, text: str) -> None:
        """Raises: GuardrailTriggeredError, since under another name the value would be another argument."""
        if text != self.key:
            raise GuardrailTriggeredError(BLOCKED)


def request_places(body: dict[str, Any]) -> list[Place]:
    """The texts that a caller sends. Raises: BadRequestError for tokens, which cannot be read, and for too many."""
    if not _has_at_most(MAX_VALUES, [body.get(name) for name in WRITTEN]):
        raise BadRequestError(f"This model has a guardrail, which reads {MAX_VALUES:,} values at most.")
    places: list[Place] = []
    for name in WRITTEN:
        value = body.get(name)
        if isinstance(value, list) and _has_tokens(value):
            raise BadRequestError(f"`{name}`: this model has a guardrail, which reads no tokens. Send text.")
        try:
            places += _place(body, name, value, (name,), isinstance(value, dict))
        except TooDeepError:
            raise BadRequestError(f"`{name}` is nested too deeply.") from None
    if len({place.text for place in places}) > MAX_TEXTS:
        raise BadRequestError(f"This model has a guardrail, which reads {MAX_TEXTS:,} different texts at most.")
    return places


def answer_places(body: Any) -> list[Place]:
    """The texts of an answer, or of one event of a stream. Raises: TooDeepError."""
    if not isinstance(body, dict):
        return list(_places(body, (), False))
    if body.get("object") == "response":  # it repeats the request besides
        return list(_places(body.get("output"), ("output",), False))
    response = body.get("response")
    if not isinstance(response, dict) or response.get("object") != "response":
        return list(_places(body, (), False))
    event = {key: value for key, value in body.items() if key != "response"}
    return [*_places(event, (), False), *answer_places(response)]


def strip_copies(value: Any) -> None:
    """Takes out what tells a masked text a second time: its tokens, its sound."""
    if isinstance(value, dict):
        if value.get("logprobs"):
            value["logprobs"] = [] if isinstance(value["logprobs"], list) else None
        if isinstance(value.get("audio"), dict) and "data" in value["audio"]:
            value["audio"]["data"] = ""
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            strip_copies(part)


def _places(value: Any, path: Path, is_free: bool) -> Iterator[Place]:
    if len(path) > MAX_DEPTH:
        raise TooDeepError
    if isinstance(value, dict):
        for key, inner in value.items():
            if is_free or key not in LABELS or (key == "data" and value.get("type") == "text"):
                if is_free:
                    yield Name(value, key, (*path, key, -1))
                is_inner_free = is_free or (key in FREE and isinstance(inner, dict))
                yield from _place(value, key, inner, (*path, key), is_inner_free)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            # in a stream the position tells nothing, the field `index` does
            index = inner.get("index", number) if isinstance(inner, dict) else number
            yield from _place(value, number, inner, (*path, index), is_free)


def _place(holder: Any, key: Any, inner: Any, path: Path, is_free: bool) -> Iterator[Place]:
    if not isinstance(inner, str):
        yield from _places(inner, path, is_free)
    elif inner:
        yield Place(holder, key, path)


def _has_at_most(most: int, values: list[Any]) -> bool:
    """Looks no further than that."""
    waiting: list[Any] = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            most -= len(value)
            if most < 0:
                return False
            waiting += value.values() if isinstance(value, dict) else value
    return True


def _has_tokens(value: list[Any]) -> bool:
    rows = [value, *(part for part in value if isinstance(part, list))]
    return any(isinstance(part, int | float) for row in rows for part in row)
