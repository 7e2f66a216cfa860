"""How many pictures, characters, seconds and searches a call asks for, got, and costs."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from gateway.operations import IMAGE_EDITS, IMAGES, RERANK, SPEECH, TRANSCRIPTIONS, VIDEOS, Operation
from gateway.pricing.prices import Price, micro_usd
from gateway.pricing.token_counts import Tokens, count_of, input_details, output_details
from gateway.pricing.unit_prices import DEAREST, Amounts, UnitPrices, usd_of

MOST_PICTURES = 1024  # `n` of a caller who is up to something
# OpenAI's pictures have up to 6,240 tokens, those of 4K by the list's prices 13,400; a picture to edit as many.
MOST_PICTURE_TOKENS = 16 * 1024
EDITED_PICTURE_TOKENS = 8 * 1024
# Opus, the thriftiest codec, needs 6 kbit/s (RFC 6716); speech is usually sent at 32 or more.
LEAST_SOUND_BYTES_A_SECOND, LIKELY_SOUND_BYTES_A_SECOND = 750, 4000
# English is read at 15 characters a second, and at its slowest (`speed` 0.25) at a quarter of that.
LEAST_TEXT_BYTES_A_SECOND, LIKELY_TEXT_BYTES_A_SECOND = 3.75, 15
MOST_FILM_SECONDS, LIKELY_FILM_SECONDS = 12, 4  # Sora's longest, and what it makes unasked
LONGEST_SECONDS = 86_400
# Cohere, whose word it is: a search has up to 100 documents, longer ones count once for each 500 tokens.
DOCUMENTS_A_SEARCH, TOKENS_A_DOCUMENT = 100, 500
MOST_SEARCHES = 100_000
LABEL_CHARACTERS = 32

Asked = Callable[[Mapping[str, Any], int], tuple[Amounts, Amounts]]


def asked_amounts(operation: Operation, body: Mapping[str, Any], body_bytes: int) -> tuple[Amounts, Amounts]:
    """What a call of an operation that `has_units` uses at most, and likely. `body_bytes`: with the form's files."""
    return _ASKED[operation](body, body_bytes)


def unit_bounds(
    price: Price, units: UnitPrices, operation: Operation, body: Mapping[str, Any], body_bytes: int
) -> tuple[float, float]:
    """Dollars beside those of the prompt's text, at most and likely."""
    most, likely = asked_amounts(operation, body, body_bytes)
    tokens_usd = most.pictures * MOST_PICTURE_TOKENS * units.media_output
    if operation is IMAGE_EDITS:
        tokens_usd += EDITED_PICTURE_TOKENS * max(units.media_input, price.dearest_input)
    return max(usd_of(units, most), tokens_usd), usd_of(units, likely)


def told_amounts(amounts: Amounts, answer: Mapping[str, Any]) -> Amounts:
    """The same, where an answer tells better: the pictures in it, how long sound or film is, the searches."""
    pictures = answer.get("data")
    if amounts.pictures and isinstance(pictures, list):
        amounts = amounts._replace(pictures=len(pictures))
    if amounts.seconds:
        told = (_object(answer, "usage").get("seconds"), answer.get("duration"), answer.get("seconds"))
        seconds = next((seconds for value in told if (seconds := _seconds(value)) is not None), None)
        if seconds is not None:
            size = _label(answer.get("size")) or amounts.size
            amounts = amounts._replace(seconds=seconds, size=size, is_guessed=False)
    searches = _object(_object(answer, "meta"), "billed_units").get("search_units")
    if amounts.searches and isinstance(searches, int | float) and 0 <= searches <= MOST_SEARCHES:
        amounts = amounts._replace(searches=math.ceil(searches))
    return amounts


def cost_with_units(
    price: Price, units: UnitPrices, tokens: Tokens, usage: Mapping[str, Any], amounts: Amounts
) -> tuple[int, bool]:
    """Micro-dollars, and whether they are estimated. What the upstream tells in tokens counts first, if they cost."""
    usd = _tokens_usd(price, units, tokens, usage)
    if usd:
        return micro_usd(usd), False
    cost = micro_usd(usd_of(units, amounts))
    return cost, bool(cost) and (units.is_guessed or (amounts.is_guessed and units.second > 0))


def _tokens_usd(price: Price, units: UnitPrices, tokens: Tokens, usage: Mapping[str, Any]) -> float:
    """A prompt's tokens are text where `usage` does not tell otherwise, an answer's are not."""
    uncached = max(tokens.prompt - tokens.cached, 0)
    details = input_details(usage)
    media = (count_of(details, "image_tokens") or 0) + (count_of(details, "audio_tokens") or 0)
    shown = min(media, uncached)
    written = min(count_of(output_details(usage), "text_tokens") or 0, tokens.completion)
    asked = (uncached - shown) * price.input + shown * units.media_input + tokens.cached * price.cached
    return asked + written * price.output + (tokens.completion - written) * units.media_output


def _pictures(body: Mapping[str, Any], _body_bytes: int) -> tuple[Amounts, Amounts]:
    amounts = Amounts(
        pictures=_count(body.get("n")), quality=_label(body.get("quality")), size=_label(body.get("size"))
    )
    return amounts, amounts


def _speech(body: Mapping[str, Any], _body_bytes: int) -> tuple[Amounts, Amounts]:
    text = body.get("input")
    if not isinstance(text, str):
        return Amounts(), Amounts()
    size = len(text.encode(errors="replace"))
    likely = Amounts(characters=len(text), seconds=size / LIKELY_TEXT_BYTES_A_SECOND, is_guessed=True)
    return likely._replace(seconds=size / LEAST_TEXT_BYTES_A_SECOND), likely


def _transcription(_body: Mapping[str, Any], body_bytes: int) -> tuple[Amounts, Amounts]:
    likely = Amounts(seconds=body_bytes / LIKELY_SOUND_BYTES_A_SECOND, is_guessed=True)
    return likely._replace(seconds=body_bytes / LEAST_SOUND_BYTES_A_SECOND), likely


def _film(body: Mapping[str, Any], _body_bytes: int) -> tuple[Amounts, Amounts]:
    seconds = _seconds(body.get("seconds"))
    size = _label(body.get("size")) or _label(body.get("resolution"))
    likely = Amounts(seconds=seconds or LIKELY_FILM_SECONDS, size=size, is_guessed=seconds is None)
    return likely._replace(seconds=seconds or MOST_FILM_SECONDS, size=size or DEAREST), likely


def _searches(body: Mapping[str, Any], body_bytes: int) -> tuple[Amounts, Amounts]:
    documents = body.get("documents")
    count = len(documents) if isinstance(documents, list) else 1
    longest = count + body_bytes // TOKENS_A_DOCUMENT  # a token has at least a byte
    return Amounts(searches=longest // DOCUMENTS_A_SEARCH + 1), Amounts(searches=-(-count // DOCUMENTS_A_SEARCH) or 1)


_ASKED: dict[Operation, Asked] = {
    IMAGES: _pictures,
    IMAGE_EDITS: _pictures,
    SPEECH: _speech,
    TRANSCRIPTIONS: _transcription,
    VIDEOS: _film,
    RERANK: _searches,
}


def _count(value: Any) -> int:
    if isinstance(value, str) and value.isdecimal() and len(value) < LABEL_CHARACTERS:  # a form has only text
        value = int(value)
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return min(int(value), MOST_PICTURES) if is_count else 1


def _seconds(value: Any) -> float | None:
    """As numbers or as text, which OpenAI writes for films."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 < seconds <= LONGEST_SECONDS else None


def _label(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= LABEL_CHARACTERS else ""


def _object(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    return value if isinstance(value, dict) else {}
