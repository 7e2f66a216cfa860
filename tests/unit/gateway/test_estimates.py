"""What is reserved is an upper bound for text, and near enough for pictures, sound and files."""

from typing import Any

import pytest
from gateway.limits.estimates import EMBEDDED_TOKENS, needs_of, prompt_bound
from gateway.operations import CHAT, COMPLETIONS, EMBEDDINGS, MESSAGES, RESPONSES, TRANSCRIPTIONS, Operation
from gateway.pricing.prices import Price
from gateway.pricing.rates import Case, Rates

from tests.unit.gateway.calls import model

PRICE = Price(1e-6, 2e-6, 1e-7, 1.25e-6, 500)
PLAIN = model(pricing=None)


@pytest.mark.parametrize(
    ("operation", "body", "tokens"),
    [
        (CHAT, {"max_tokens": 10}, 110),
        (CHAT, {"max_completion_tokens": 20, "max_tokens": 10}, 120),
        (RESPONSES, {"max_output_tokens": 30}, 130),
        (CHAT, {"max_tokens": 10, "n": 3}, 130),
        (CHAT, {"max_tokens": 10, "best_of": 4}, 140),
        (CHAT, {}, 600),
        (CHAT, {"max_tokens": None, "n": None}, 600),
        (CHAT, {"max_tokens": 10, "n_predict": 20}, 120),
        (CHAT, {"max_tokens": 10, "n_predict": -1}, 600),
        (CHAT, {"max_tokens": 1000, "n_predict": 0}, 1100),
        (CHAT, {"max_tokens": -5, "n": -1}, 600),
        (EMBEDDINGS, {"max_tokens": 10}, 100),
        (MESSAGES, {"max_tokens": 7}, 107),
        (CHAT, {"max_tokens": 1, "n": 10**6}, 1_000_100),
        (COMPLETIONS, {"max_tokens": 10, "prompt": ["a"] * 2000}, 20_100),
        (COMPLETIONS, {"max_tokens": 10, "prompt": [[1, 2], [3]], "n": 3}, 160),
        (COMPLETIONS, {"max_tokens": 10, "prompt": [1, 2, 3]}, 110),
        (COMPLETIONS, {"max_tokens": 10, "prompt": []}, 110),
        (COMPLETIONS, {"prompt": ["a", "b"]}, 1100),
    ],
)
def test_reserved_tokens(operation: Operation, body: dict[str, Any], tokens: int) -> None:
    assert needs_of(operation, body, 100, [(PLAIN, PRICE)]).most[1] == tokens


def test_length_of_an_answer_is_the_models_where_the_caller_tells_none() -> None:
    own = model(pricing=None, maxOutputTokens=50)
    assert needs_of(CHAT, {}, 100, [(own, PRICE)]).most[1] == 150
    assert needs_of(CHAT, {}, 100, [(PLAIN, PRICE._replace(max_output=0))]).most[1] == 100 + 4096


@pytest.mark.parametrize(
    ("operation", "name", "known", "length"),
    [
        (MESSAGES, "openai/m", {"maxOutputTokens": 4096}, 4096),
        (MESSAGES, "openai/m", {"maxOutputTokens": 4096, "contextWindow": 1025}, 1000),
        (MESSAGES, "bedrock/m", {"contextWindow": 1025}, 1000),
        (MESSAGES, "openai/m", {"maxOutputTokens": 64_000}, 32_000),
        (MESSAGES, "openai/m", {}, 32_000),
        (MESSAGES, "anthropic/m", {"maxOutputTokens": 4096}, 32_000),
        (CHAT, "openai/m", {"maxOutputTokens": 4096}, 32_000),
    ],
)
def test_message_reserves_as_long_an_answer_as_the_model_is_asked_for(
    operation: Operation, name: str, known: dict[str, Any], length: int
) -> None:
    row = model(name=name, pricing=None, **known)
    assert needs_of(operation, {"max_tokens": 32_000}, 100, [(row, PRICE)]).most[1] == 100 + length


def test_dearest_model_counts() -> None:
    needs = needs_of(CHAT, {"max_tokens": 10}, 100, [(PLAIN, PRICE), (PLAIN, Price(5e-6, 5e-6, 0, 5e-6))])
    assert needs.most == (1, 110, 550)
    assert needs_of(CHAT, {"max_tokens": 10}, 100, [(PLAIN, PRICE)]).most[2] == 145, "at the price of filling the cache"


def test_dearest_case_counts() -> None:
    audio = Rates(1e-6, 2e-6, 1e-7, 1e-6, 1e-6, heard=4e-6, seen=1e-6, spoken=8e-6, drawn=2e-6)
    fast = audio._replace(input=1e-5, output=1e-4)
    price = PRICE._replace(cases=(Case(0, "priority", fast, False), Case(0, "", audio, False)))
    assert needs_of(CHAT, {"max_tokens": 10}, 100, [(PLAIN, price)]).most[2] == 400 + 80
    body = {"max_tokens": 10, "service_tier": "priority"}
    assert needs_of(CHAT, body, 100, [(PLAIN, price)]).most[2] == 1000 + 1000


def part(kind: str, size: int) -> dict[str, Any]:
    data = "A" * size
    parts: dict[str, dict[str, Any]] = {
        "openai": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        "responses": {"type": "input_image", "image_url": f"data:image/png;base64,{data}"},
        "anthropic": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        "audio": {"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}},
        "file": {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{data}"}},
    }
    return parts[kind]


@pytest.mark.parametrize("kind", ["openai", "responses", "anthropic", "audio", "file"])
def test_picture_in_a_body_is_not_a_million_tokens(kind: str) -> None:
    size = 4_000_000
    content = [{"type": "text", "text": "What is it?"}, part(kind, size)]
    for name in ("messages", "input"):
        bound = prompt_bound({name: [{"role": "user", "content": content}]}, size + 200)
        assert EMBEDDED_TOKENS < bound < size / 12


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": "A" * 100_000}],
        [{"type": "image_url", "image_url": {"url": "a word " * 20_000}}],
        [{"type": "tool_use", "name": "f", "input": {"data": "A" * 100_000}}],
        [{"type": "image_url", "image_url": {"url": "é" * 60_000}}],
    ],
)
def test_text_is_never_taken_for_a_picture(content: list[dict[str, Any]]) -> None:
    assert prompt_bound({"messages": [{"role": "user", "content": content}]}, 120_000) == 120_000


def test_uploaded_sound_is_not_text() -> None:
    needs = needs_of(TRANSCRIPTIONS, {"model": "whisper", "language": "de"}, 20_000_000, [(PLAIN, PRICE)])
    assert needs.most[1] < 100
