"""What a call may use at most, known before it is made: that much of a quota is reserved for it.

A token is at least one byte of text, and a body's JSON has more bytes than its text; so the bytes of a body are an
upper bound for the tokens of its text, in every language and with every tokenizer. Four bytes a token are likely.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from lisa.models.schemas import ModelRow

from gateway.operations import COUNT_TOKENS, MESSAGES, Operation
from gateway.pricing.prices import Priced, micro_usd
from gateway.pricing.unit_counts import unit_bounds

LIKELY_BYTES_PER_TOKEN = 4
ANSWER_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "n_predict")  # the last is llama.cpp's
ANSWER_COUNTS = ("n", "best_of")
ANSWER_NUMBERS = ANSWER_LIMITS + ANSWER_COUNTS  # whole ones, see `requests`
DEFAULT_ANSWER_TOKENS = 4096
ANTHROPICS_OWN = "anthropic/"
# Pictures, sound and files lie in a body as base64, which says little of their tokens: a page of a PDF has up to 3,000
# and is rarely under 50 KB, a picture up to 5,000. What a body only points to (an address, an id) nobody knows.
SEARCHED_FROM_BYTES = 16 * 1024
EMBEDDED_FROM_CHARACTERS = 8 * 1024
EMBEDDED_TOKENS, EMBEDDED_CHARACTERS_PER_TOKEN = 8 * 1024, 16
PROMPTS = ("messages", "input", "system")
EMBEDDED_FIELDS = frozenset(("url", "data", "file_data", "image_url"))
MAX_DEPTH = 6


class Needs(NamedTuple):
    """Requests, tokens, micro-dollars. `most` is reserved, or what is left of a limit: no less than `likely`."""

    most: tuple[int, int, int]
    likely: tuple[int, int, int]


ONE_REQUEST = Needs((1, 0, 0), (1, 0, 0))


def needs_of(operation: Operation, body: dict[str, Any], body_bytes: int, priced: Iterable[Priced]) -> Needs:
    """`priced` are the models that may answer, with their prices: the dearest counts."""
    if operation is COUNT_TOKENS:
        return ONE_REQUEST
    text_bytes = body_bytes
    if operation.takes_form:  # its bytes are those of files
        text_bytes = min(body_bytes, sum(len(value) * 4 for value in body.values() if isinstance(value, str)))
    bound = prompt_bound(body, text_bytes)
    likely = bound // LIKELY_BYTES_PER_TOKEN + 1
    most_tokens = likely_tokens = most_cost = likely_cost = 0
    for row, price in priced:
        asked, is_bound, answers = 0, True, 1
        if operation.is_generating:
            asked, is_bound, answers = _asked(within_reach(operation, body, row, body_bytes))
        usual = 0 if is_bound else row.max_output_tokens or price.max_output or DEFAULT_ANSWER_TOKENS
        answer = max(asked, usual) * answers
        sure = answer if is_bound else 0
        most_tokens = max(most_tokens, bound + answer)
        likely_tokens = max(likely_tokens, likely + sure)
        dearest_input, dearest_output = price.dearest(bound, body.get("service_tier"))
        most_cost = max(most_cost, micro_usd(bound * dearest_input + answer * dearest_output))
        likely_cost = max(likely_cost, micro_usd(likely * price.input + sure * price.output))
        if price.units is not None and operation.has_units:
            most_more, likely_more = unit_bounds(price, price.units, operation, body, body_bytes)
            most_cost = max(most_cost, micro_usd(bound * dearest_input + most_more))
            likely_cost = max(likely_cost, micro_usd(likely * price.input + likely_more))
    likely_cost = max(likely_cost, min(most_cost, 1))  # nothing that may cost something runs without a budget
    return Needs((1, most_tokens, most_cost), (1, likely_tokens, likely_cost))


def within_reach(operation: Operation, body: dict[str, Any], row: ModelRow, body_bytes: int) -> dict[str, Any]:
    """The same, with no longer a message asked for than the model is known to give: that is how it is sent.

    Clients made for Claude, as Claude Code, ask for answers of Claude's length; other endpoints refuse that.
    """
    if operation is not MESSAGES or row.model_name.startswith(ANTHROPICS_OWN):
        return body
    asked = body.get("max_tokens")
    context = row.context_window and max(row.context_window - body_bytes // LIKELY_BYTES_PER_TOKEN, 1)
    known = [length for length in (row.max_output_tokens, context) if length]
    if not isinstance(asked, int) or not known or asked <= min(known):
        return body
    return {**body, "max_tokens": min(known)}


def prompt_bound(body: dict[str, Any], body_bytes: int) -> int:
    """The tokens that a prompt has at most; for pictures, sound and files in it an estimate."""
    if body_bytes < SEARCHED_FROM_BYTES:
        return body_bytes
    saved = sum(_saved(body.get(name), MAX_DEPTH) for name in PROMPTS)
    return max(body_bytes - saved, 1)


def _saved(value: Any, depth: int) -> int:
    """How many of the bytes below a value are no tokens, since they are base64."""
    if depth == 0:
        return 0
    if isinstance(value, list):
        return sum(_saved(part, depth - 1) for part in value if isinstance(part, dict | list))
    if not isinstance(value, dict):
        return 0
    saved = 0
    for name, part in value.items():
        if isinstance(part, dict | list):
            saved += 0 if name == "input" else _saved(part, depth - 1)  # a tool's arguments are text
        elif name in EMBEDDED_FIELDS and _is_embedded(part):
            saved += max(len(part) - EMBEDDED_TOKENS - len(part) // EMBEDDED_CHARACTERS_PER_TOKEN, 0)
    return saved


def _is_embedded(value: Any) -> bool:
    return isinstance(value, str) and len(value) > EMBEDDED_FROM_CHARACTERS and value.isascii() and " " not in value


def _asked(body: dict[str, Any]) -> tuple[int, bool, int]:
    """The length that the caller allows an answer, whether it ends there, and how many answers."""
    told = [length for name in ANSWER_LIMITS if (length := body.get(name)) is not None]
    answers = max(1, *(body.get(name) or 1 for name in ANSWER_COUNTS))
    # To llama.cpp -1 means: without end. Others do not know `n_predict`, so the longest counts.
    return max(told, default=0), bool(told) and min(told) > 0, answers * _prompts(body.get("prompt"))


def _prompts(prompt: Any) -> int:
    """How many prompts are answered: each text or list of tokens in a list; numbers in it are tokens of one prompt."""
    if not isinstance(prompt, list):
        return 1
    return max(len(prompt) - list(map(type, prompt)).count(int), 1)
