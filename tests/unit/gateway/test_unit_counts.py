"""How many pictures, characters, seconds and searches a call asks for, what its answer tells of them, the cost."""

import json
from typing import Any

import pytest
from gateway.limits.estimates import needs_of
from gateway.operations import CHAT, IMAGE_EDITS, IMAGES, RERANK, SPEECH, TRANSCRIPTIONS, VIDEOS, Operation
from gateway.pricing.prices import Prices
from gateway.pricing.unit_counts import MOST_PICTURES, asked_amounts
from gateway.pricing.unit_prices import DEAREST
from gateway.usage.metering import Asked, Meter, Metering
from hypothesis import given
from hypothesis import strategies as st
from lisa.usage.schemas import CallStatus, UsageRecord

from tests.unit.gateway.calls import ADA, model

LIST = json.dumps(
    {
        "dall": {"mode": "image_generation", "litellm_provider": "openai", "output_cost_per_image": 0.04},
        "gpt-image": {
            "mode": "image_generation",
            "litellm_provider": "openai",
            "input_cost_per_token": 5e-6,
            "input_cost_per_image_token": 1e-5,
            "output_cost_per_image_token": 4e-5,
            "cache_read_input_token_cost": 1e-6,
        },
        "high/1024-x-1024/gpt-image": {
            "mode": "image_generation",
            "litellm_provider": "openai",
            "input_cost_per_image": 0.167,
        },
        "tts": {"mode": "audio_speech", "litellm_provider": "openai", "input_cost_per_character": 1.5e-5},
        "mini-tts": {
            "mode": "audio_speech",
            "litellm_provider": "openai",
            "input_cost_per_token": 6e-7,
            "output_cost_per_audio_token": 1.2e-5,
            "output_cost_per_second": 3e-4,
        },
        "whisper": {"mode": "audio_transcription", "litellm_provider": "openai", "input_cost_per_second": 1e-4},
        "transcribe": {
            "mode": "audio_transcription",
            "litellm_provider": "openai",
            "input_cost_per_token": 2.5e-6,
            "input_cost_per_audio_token": 6e-6,
            "output_cost_per_token": 1e-5,
            "input_cost_per_second": 1e-4,
        },
        "sora": {"mode": "video_generation", "litellm_provider": "openai", "output_cost_per_video_per_second": 0.3},
        "sora-high-res": {
            "mode": "video_generation",
            "litellm_provider": "openai",
            "output_cost_per_video_per_second": 0.5,
        },
        "ranker": {"mode": "rerank", "litellm_provider": "openai", "input_cost_per_query": 0.002},
        "token-ranker": {"mode": "rerank", "litellm_provider": "openai", "input_cost_per_token": 1e-6},
    }
).encode()
PRICES = Prices(lambda: LIST)


class Sink:
    """A queue and a reservation that keep what they are told."""

    def __init__(self) -> None:
        self.settled: list[tuple[int, int, int]] = []

    def put(self, call: Any) -> None:
        pass

    def settle(self, prompt_tokens: int, completion_tokens: int, cost_micro_usd: int) -> None:
        self.settled.append((prompt_tokens, completion_tokens, cost_micro_usd))


def meter_of(operation: Operation, name: str, body: dict[str, Any], body_bytes: int = 100) -> tuple[Meter, Sink]:
    sink = Sink()
    asked = Asked("r", ADA, operation, model(name=f"openai/{name}", pricing=None), False, None, 0.0)
    metering = Metering(PRICES, sink)  # type: ignore[arg-type]
    return metering.meter(asked, sink, body, body_bytes), sink  # type: ignore[arg-type]


def closed(meter: Meter, status: CallStatus = CallStatus.COMPLETED) -> tuple[int, bool]:
    """Micro-dollars, and whether they are estimated."""
    meter.close(status)
    record = UsageRecord.model_validate(meter.record())
    return record.cost_micro_usd, record.estimated


def cost(
    operation: Operation, name: str, body: dict[str, Any], answer: object = None, body_bytes: int = 100
) -> tuple[int, bool]:
    meter, sink = meter_of(operation, name, body, body_bytes)
    if answer is not None:
        meter.answer(answer if isinstance(answer, bytes) else json.dumps(answer).encode())
    spent = closed(meter)
    assert sink.settled[0][2] == spent[0]
    return spent


@pytest.mark.parametrize(
    ("body", "answer", "pictures"),
    [
        ({}, {"data": [{}]}, 1),
        ({"n": 3}, {"data": [{}, {}, {}]}, 3),
        ({"n": 3}, {"data": [{}, {}]}, 2),
        ({"n": 3}, {"data": []}, 0),
        ({"n": 3}, b"not json", 3),
        ({"n": "3"}, b"", 3),
        ({"n": True}, b"", 1),
        ({"n": -2}, b"", 1),
        ({"n": "many"}, b"", 1),
        ({"n": 10**30}, b"", MOST_PICTURES),
        ({"n": "9" * 5000}, b"", 1),
    ],
)
def test_pictures_are_those_of_the_answer_else_those_asked_for(
    body: dict[str, Any], answer: object, pictures: int
) -> None:
    assert cost(IMAGES, "dall", body, answer) == (pictures * 40_000, False)


def test_long_answer_is_not_parsed_for_its_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(_body: bytes) -> None:
        raise AssertionError("parsed")

    answer = json.dumps({"created": 1, "data": [{"b64_json": "A" * 100_000}]}).encode()
    monkeypatch.setattr("gateway.pricing.token_counts.orjson.loads", unread)
    assert cost(IMAGES, "dall", {"n": 2}, answer) == (80_000, False)


USAGE = {
    "input_tokens": 110,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 100},
    "output_tokens": 4160,
    "total_tokens": 4270,
}


@pytest.mark.parametrize("size", [10, 200_000])
def test_picture_tokens_have_their_own_price(size: int) -> None:
    answer = {"created": 1, "data": [{"b64_json": "A" * size}], "quality": "high", "usage": USAGE}
    assert cost(IMAGE_EDITS, "gpt-image", {"quality": "high"}, answer) == (10 * 5 + 100 * 10 + 4160 * 40, False)


def test_text_beside_pictures_and_cached_tokens_have_their_own_price() -> None:
    details = {"input_tokens_details": {"cached_tokens": 50, "image_tokens": 100}}
    usage = USAGE | details | {"output_tokens_details": {"text_tokens": 160, "image_tokens": 4000}}
    assert cost(IMAGES, "gpt-image", {}, {"usage": usage})[0] == 50 * 1 + 60 * 10 + 160 * 0 + 4000 * 40


def test_stream_of_pictures_tells_its_tokens_at_the_end() -> None:
    meter, _ = meter_of(IMAGES, "gpt-image", {"stream": True})
    partial = b'event: image_generation.partial_image\ndata: {"b64_json":"AAAA"}\n\n'
    event = b"event: image_generation.completed\ndata: " + json.dumps({"b64_json": "A", "usage": USAGE}).encode()
    assert meter.event(partial) == partial
    assert meter.event(event + b"\n\n") == event + b"\n\n"
    assert closed(meter) == (10 * 5 + 100 * 10 + 4160 * 40, False)


def test_pictures_whose_tokens_nobody_tells_are_estimated() -> None:
    no_tokens = {"data": [{}], "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}  # as LiteLLM does
    assert cost(IMAGES, "gpt-image", {"quality": "high"}, no_tokens) == (167_000, True)
    assert cost(IMAGES, "gpt-image", {"n": 2}, b"") == (84_480, True)


def test_speech_is_paid_by_the_character() -> None:
    assert cost(SPEECH, "tts", {"input": "Grüß Gott!"}) == (150, False)
    assert cost(SPEECH, "tts", {"input": ["no", "text"]}) == (0, False)


def test_speech_that_is_paid_by_the_second_is_estimated_until_its_tokens_are_told() -> None:
    body = {"input": "a" * 150}
    assert cost(SPEECH, "mini-tts", body) == (3000, True)
    meter, _ = meter_of(SPEECH, "mini-tts", body)
    done = {"type": "speech.audio.done", "usage": {"input_tokens": 10, "output_tokens": 200, "total_tokens": 210}}
    meter.event(b"data: " + json.dumps(done).encode() + b"\n\n")
    assert closed(meter) == (6 + 2400, False)


@pytest.mark.parametrize(
    ("answer", "spent"),
    [
        ({"text": "hi", "usage": {"type": "duration", "seconds": 9}}, (900, False)),
        ({"text": "hi", "duration": 8.5}, (850, False)),
        ({"text": "hi", "duration": "8.50"}, (850, False)),
        ({"text": "hi", "duration": 8.5, "segments": ["x" * 100_000]}, (850, False)),
        ({"text": "hi", "duration": -1}, (2000, True)),
        ({"text": "hi", "duration": "inf"}, (2000, True)),
        ({"text": "hi"}, (2000, True)),
        (b"hello\n", (2000, True)),
    ],
)
def test_sound_is_paid_by_the_seconds_that_are_told_else_by_its_size(answer: object, spent: tuple[int, bool]) -> None:
    assert cost(TRANSCRIPTIONS, "whisper", {}, answer, 80_000) == spent


def test_sound_that_is_told_in_tokens_is_paid_by_them() -> None:
    usage = {
        "type": "tokens",
        "input_tokens": 110,
        "input_token_details": {"text_tokens": 10, "audio_tokens": 100},
        "output_tokens": 20,
        "total_tokens": 130,
    }
    assert cost(TRANSCRIPTIONS, "transcribe", {}, {"text": "hi", "usage": usage}) == (25 + 600 + 200, False)
    meter, _ = meter_of(TRANSCRIPTIONS, "transcribe", {"stream": "true"})
    meter.event(b"data: " + json.dumps({"type": "transcript.text.done", "usage": usage}).encode() + b"\n\n")
    assert closed(meter) == (825, False)


@pytest.mark.parametrize(
    ("body", "answer", "spent"),
    [
        ({"seconds": "8"}, b"", (2_400_000, False)),
        ({"seconds": 8, "size": "1792x1024"}, b"", (4_000_000, False)),
        ({"seconds": "8"}, {"id": "v", "seconds": "4", "size": "1024x1792"}, (2_000_000, False)),
        ({}, {"id": "v", "seconds": "12", "size": "720x1280"}, (3_600_000, False)),
        ({}, {"id": "v"}, (1_200_000, True)),
        ({"seconds": "a while"}, {"id": "v"}, (1_200_000, True)),
    ],
)
def test_film_is_paid_by_the_second(body: dict[str, Any], answer: object, spent: tuple[int, bool]) -> None:
    assert cost(VIDEOS, "sora", body, answer) == spent


@pytest.mark.parametrize(
    ("documents", "answer", "searches"),
    [
        (["a"], {"results": []}, 1),
        (["a"] * 100, {"results": []}, 1),
        (["a"] * 101, {"results": []}, 2),
        ([], {"results": []}, 1),
        ("a", {"results": []}, 1),
        (["a"], {"results": [], "meta": {"billed_units": {"search_units": 3}}}, 3),
        (["a"], {"results": [], "meta": {"billed_units": {"search_units": -3}}}, 1),
    ],
)
def test_rerank_is_paid_by_the_search(documents: object, answer: object, searches: int) -> None:
    assert cost(RERANK, "ranker", {"documents": documents}, answer) == (searches * 2000, False)


def test_rerank_that_is_paid_by_the_token_stays_so() -> None:
    assert cost(RERANK, "token-ranker", {"documents": ["a"]}, {"usage": {"total_tokens": 56}}) == (56, False)
    assert cost(RERANK, "token-ranker", {"documents": ["a"]}, {"meta": {"tokens": {"input_tokens": 5}}}) == (5, False)


@pytest.mark.parametrize(
    ("operation", "name", "body"),
    [
        (IMAGES, "dall", {"n": 2}),
        (SPEECH, "tts", {"input": "hello"}),
        (TRANSCRIPTIONS, "whisper", {}),
        (VIDEOS, "sora", {"seconds": 4}),
        (RERANK, "ranker", {"documents": ["a"]}),
    ],
)
def test_failed_call_costs_nothing_and_one_that_the_caller_left_what_it_asked_for(
    operation: Operation, name: str, body: dict[str, Any]
) -> None:
    meter, sink = meter_of(operation, name, body)
    assert closed(meter, CallStatus.FAILED) == (0, False)
    assert sink.settled == [(0, 0, 0)]
    meter, _ = meter_of(operation, name, body)
    assert closed(meter, CallStatus.CUT_SHORT)[0] > 0


def test_call_that_fails_after_its_answer_costs_what_the_provider_asks_for_it() -> None:
    meter, _ = meter_of(IMAGES, "dall", {"n": 2})
    meter.answer(b'{"data":[{}]}')
    assert closed(meter, CallStatus.FAILED) == (40_000, False)


def test_own_price_is_one_of_tokens() -> None:
    sink = Sink()
    asked = Asked("r", ADA, IMAGES, model(name="openai/dall"), False, None, 0.0)
    meter = Metering(PRICES, sink).meter(asked, sink, {"n": 2}, 100)  # type: ignore[arg-type]
    assert closed(meter) == (0, False)


def test_chat_with_a_model_of_pictures_is_paid_by_the_token() -> None:
    chat = {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}}
    assert cost(CHAT, "gpt-image", {"messages": []}, chat) == (50, False)
    row = model(name="openai/dall", pricing=None)
    assert needs_of(CHAT, {"messages": [], "n": 3}, 100, [(row, PRICES.of(row))]).most[2] == 0


def reserved(operation: Operation, name: str, body: dict[str, Any], body_bytes: int = 100) -> tuple[int, int]:
    """Micro-dollars at most, and likely."""
    row = model(name=f"openai/{name}", pricing=None)
    needs = needs_of(operation, body, body_bytes, [(row, PRICES.of(row))])
    return needs.most[2], needs.likely[2]


def test_what_is_priced_by_the_unit_is_reserved() -> None:
    assert reserved(IMAGES, "dall", {"n": 3}) == (120_000, 120_000)
    assert reserved(SPEECH, "tts", {"input": "hello"}) == (75, 75)
    assert reserved(TRANSCRIPTIONS, "whisper", {}, 6_000_000) == (800_000, 150_000)
    assert reserved(VIDEOS, "sora", {"seconds": "8", "size": "1280x720"}) == (2_400_000, 2_400_000)
    assert reserved(VIDEOS, "sora", {}) == (6_000_000, 1_200_000)
    assert reserved(RERANK, "ranker", {"documents": ["a"]}) == (2000, 2000)
    assert reserved(RERANK, "ranker", {"documents": ["a"]}, 100_000) == (6000, 2000)
    most, likely = reserved(IMAGES, "gpt-image", {})
    assert likely < 50_000 < 6240 * 40 < most < 1_000_000  # micro-dollars of the largest picture


def test_dearest_model_counts_by_the_unit_too() -> None:
    rows = [model(name=f"openai/{name}", pricing=None) for name in ("dall", "gpt-image")]
    priced = [(row, PRICES.of(row)) for row in rows]
    assert needs_of(IMAGES, {}, 10, priced).most[2] == needs_of(IMAGES, {}, 10, priced[1:]).most[2] > 40_000


def test_film_of_unknown_size_is_bounded_by_the_dearest() -> None:
    assert asked_amounts(VIDEOS, {"seconds": 4}, 0)[0].size == DEAREST


FIELDS = st.fixed_dictionaries(
    {"model": st.just("m")},
    optional={
        "n": st.one_of(st.integers(), st.text(max_size=5), st.none(), st.floats()),
        "size": st.one_of(st.sampled_from(["auto", "1024x1024", "1792x1024", "720p", "0x0"]), st.text(), st.integers()),
        "quality": st.one_of(st.sampled_from(["high", "standard", "auto"]), st.none(), st.lists(st.none())),
        "seconds": st.one_of(st.integers(), st.floats(), st.text(max_size=9), st.booleans()),
        "input": st.one_of(st.text(), st.none(), st.lists(st.text())),
        "documents": st.one_of(st.lists(st.text(), max_size=300), st.text(), st.none()),
    },
)
MODELS = [
    (IMAGES, "dall"),
    (IMAGES, "gpt-image"),
    (IMAGE_EDITS, "gpt-image"),
    (SPEECH, "tts"),
    (SPEECH, "mini-tts"),
    (TRANSCRIPTIONS, "whisper"),
    (TRANSCRIPTIONS, "transcribe"),
    (VIDEOS, "sora"),
    (RERANK, "ranker"),
]


@given(asked=st.sampled_from(MODELS), body=FIELDS, size=st.integers(50, 10_000_000))
def test_call_whose_answer_tells_nothing_settles_no_more_than_it_reserved(
    asked: tuple[Operation, str], body: dict[str, Any], size: int
) -> None:
    operation, name = asked
    most, likely = reserved(operation, name, body, size)
    assert likely <= most
    assert cost(operation, name, body, b"{}", size)[0] <= most
