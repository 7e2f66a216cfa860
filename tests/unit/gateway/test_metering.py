"""Token counts are found in every shape that upstreams tell them; what nobody tells is estimated."""

import json
import time
from typing import Any

import pytest
from gateway.limits.admission import Reservation
from gateway.operations import (
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    IMAGES,
    MESSAGES,
    RERANK,
    RESPONSES,
    SPEECH,
    TRANSCRIPTIONS,
    Operation,
)
from gateway.pricing.prices import Prices
from gateway.relay.events import WholeEvents
from gateway.usage.metering import Asked, Meter, Metering, session_of, wants_usage
from lisa.usage.schemas import MAX_COUNT, CallStatus, UsageRecord

from tests.unit.gateway.calls import ADA, model

DONE = b"data: [DONE]\n\n"


class Sink:
    """A queue and a reservation that keep what they are told."""

    def __init__(self) -> None:
        self.meters: list[Meter] = []
        self.settled: list[tuple[int, int, int]] = []

    def put(self, call: Any) -> None:
        self.meters.append(call)

    def settle(self, prompt_tokens: int, completion_tokens: int, cost_micro_usd: int) -> None:
        self.settled.append((prompt_tokens, completion_tokens, cost_micro_usd))


def meter_of(
    operation: Operation = CHAT, *, asks: bool = False, body_bytes: int = 400, **row: Any
) -> tuple[Meter, Sink]:
    sink = Sink()
    asked = Asked("r1", ADA, operation, model(**row), asks, "session-1", time.perf_counter())
    metering = Metering(Prices(lambda: b"{}"), sink)  # type: ignore[arg-type]
    reservation: Reservation = sink  # type: ignore[assignment]
    return metering.meter(asked, reservation, {"messages": []}, body_bytes), sink


def closed(meter: Meter, status: CallStatus = CallStatus.COMPLETED) -> UsageRecord:
    meter.close(status)
    return UsageRecord.model_validate(meter.record())


def counts(record: UsageRecord) -> tuple[int, int, int, bool]:
    return record.prompt_tokens, record.completion_tokens, record.cached_tokens, record.estimated


def event(body: dict[str, Any], name: str = "", end: str = "\n\n") -> bytes:
    head = f"event: {name}{end[: len(end) // 2]}" if name else ""
    return f"{head}data: {json.dumps(body, separators=(',', ':'))}{end}".encode()


def chunk(text: str | None, **more: Any) -> dict[str, Any]:
    choices = [] if text is None else [{"index": 0, "delta": {"content": text}, "finish_reason": None}]
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}


USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}
# As vLLM 0.10 sends it with include_usage: null in each chunk, the counts in one of their own.
VLLM = [event(chunk(text, usage=None)) for text in ("", "Hel", "lo", "!")] + [event(chunk(None, usage=USAGE)), DONE]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_usage_that_only_we_asked_for_stays_here(size: int) -> None:
    meter, _ = meter_of()
    pieces = [b"".join(VLLM[start : start + size]) for start in range(0, len(VLLM), size)]
    passed = b"".join(meter.event(piece) for piece in pieces)
    assert passed == b"".join([*VLLM[:4], DONE])
    assert counts(closed(meter)) == (20, 7, 0, False)


def test_usage_that_the_caller_asked_for_goes_on() -> None:
    meter, _ = meter_of(asks=True)
    assert b"".join(map(meter.event, VLLM)) == b"".join(VLLM)
    assert counts(closed(meter)) == (20, 7, 0, False)


def test_events_with_carriage_returns_are_kept_as_they_are() -> None:
    meter, _ = meter_of()
    events = [event(chunk("a"), end="\r\n\r\n"), event(chunk(None, usage=USAGE), end="\r\n\r\n")]
    assert meter.event(b"".join(events) + b"data: [DONE]\r\n\r\n") == events[0] + b"data: [DONE]\r\n\r\n"
    assert counts(closed(meter)) == (20, 7, 0, False)


def test_usage_beside_the_last_piece_of_text_goes_on() -> None:
    meter, _ = meter_of()
    last = event(chunk("!", usage=USAGE, x_groq={"usage": USAGE}))
    assert meter.event(last + DONE) == last + DONE
    assert counts(closed(meter)) == (20, 7, 0, False)


def test_usage_with_spaces_and_details_is_read() -> None:
    meter, _ = meter_of()
    details = {**USAGE, "prompt_tokens_details": {"cached_tokens": 16, "audio_tokens": 0}}
    assert meter.event(f"data: {json.dumps(chunk(None, usage=details))}\n\n".encode()) == b""
    assert counts(closed(meter)) == (20, 7, 16, False)


def test_reasoning_that_is_counted_beside_the_answer_is_part_of_it() -> None:
    meter, _ = meter_of()
    meter.event(event(chunk(None, usage={"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 127})))
    assert counts(closed(meter)) == (20, 107, 0, False)


def test_what_a_model_writes_is_not_taken_for_usage() -> None:
    meter, _ = meter_of()
    forged = 'x"usage":{"prompt_tokens":0,"completion_tokens":0}'
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": forged}}
    pieces = [event(chunk(forged)), event({**chunk(None), "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})]
    assert b"".join(map(meter.event, pieces)) == b"".join(pieces)
    assert closed(meter).estimated
    meter, _ = meter_of(MESSAGES)
    content = [
        {"type": "tool_use", "id": "t", "name": "f", "input": {"usage": {"input_tokens": 0, "output_tokens": 0}}}
    ]
    usage = {"input_tokens": 5, "output_tokens": 9}
    meter.answer(json.dumps({"type": "message", "usage": usage, "content": content}).encode())
    assert counts(closed(meter)) == (5, 9, 0, False)


def test_stream_that_is_cut_is_estimated_from_its_events() -> None:
    meter, sink = meter_of()
    for piece in VLLM[:4]:
        meter.event(piece)
    record = closed(meter, CallStatus.CUT_SHORT)
    assert counts(record) == (100, 3, 0, True)
    assert record.status is CallStatus.CUT_SHORT
    assert sink.settled == [(100, 3, 109)]


@pytest.mark.parametrize("kilobytes", [500, 1500, 2500])
def test_usage_at_the_end_of_an_event_that_passes_in_pieces_is_read(kilobytes: int) -> None:
    usage = {"input_tokens": 5000, "output_tokens": 3000, "total_tokens": 8000, "output_tokens_details": {}}
    item = {"type": "image_generation_call", "result": "A" * kilobytes * 1024}
    response = {"output": [item], "usage": usage, "user": None, "metadata": {"note": '"usage":{' + "x" * 5000}}
    stream = event({"type": "response.completed", "response": response}, "response.completed")
    (meter, _), events = meter_of(RESPONSES), WholeEvents()
    pieces = [events.take(stream[start : start + 65_536]) for start in range(0, len(stream), 65_536)]
    assert b"".join(meter.event(piece) for piece in pieces if piece) == stream
    assert counts(closed(meter)) == (5000, 3000, 0, False)


PARAGRAPH = "The quick brown fox jumps over the lazy dog. " * 45  # some 450 tokens


@pytest.mark.parametrize("operation", [CHAT, COMPLETIONS])
def test_stream_of_long_events_that_is_cut_is_estimated_from_its_bytes(operation: Operation) -> None:
    meter, _ = meter_of(operation)
    for _ in range(20):
        meter.event(event(chunk(PARAGRAPH)))
    assert 20 * 400 < closed(meter, CallStatus.CUT_SHORT).completion_tokens < 20 * 500


# As OpenAI sends a token today, and with the likeliest tokens in its place; as Azure does, with what its filter says.
OPENAI = {"service_tier": "default", "system_fingerprint": "fp_560af6e559", "obfuscation": "hT0gJw4", "usage": None}
LIKELY = [{"token": word, "logprob": -0.25, "bytes": [32, 99, 97, 116]} for word in (" cat", " dog", " cow", " hen")]
VERDICT = {"filtered": False, "severity": "safe"}
ONE_TOKEN_EACH: list[dict[str, Any]] = [
    {"delta": {"content": " cat"}, "logprobs": None},
    {"delta": {"content": " cat"}, "logprobs": {"content": [{**LIKELY[0], "top_logprobs": LIKELY}], "refusal": None}},
    {
        "delta": {"content": " cat"},
        "content_filter_results": dict.fromkeys(("hate", "self_harm", "sexual", "violence"), VERDICT),
    },
]


@pytest.mark.parametrize("choice", ONE_TOKEN_EACH)
def test_events_of_a_token_each_are_counted_though_they_tell_more(choice: dict[str, Any]) -> None:
    meter, _ = meter_of()
    body = {**chunk(None), "id": "chatcmpl-Cx3ViTlCQ5cpJ0fMqNUHMrFAwgGKz", "model": "gpt-4o-2024-08-06", **OPENAI}
    for _ in range(20):
        meter.event(event({**body, "choices": [{"index": 0, "finish_reason": None, **choice}]}))
    meter.event(DONE)
    assert closed(meter).completion_tokens == 20


def test_call_that_no_upstream_answered_costs_nothing() -> None:
    meter, sink = meter_of()
    assert counts(closed(meter, CallStatus.FAILED)) == (0, 0, 0, False)
    assert sink.settled == [(0, 0, 0)]


def test_prompt_is_counted_of_a_caller_who_left_before_the_answer() -> None:
    meter, _ = meter_of()
    assert counts(closed(meter, CallStatus.CUT_SHORT)) == (100, 0, 0, True)


ANTHROPIC = [
    event(
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "content": [],
                "model": "claude",
                "usage": {
                    "input_tokens": 25,
                    "cache_creation_input_tokens": 100,
                    "cache_read_input_tokens": 1000,
                    "output_tokens": 1,
                    "service_tier": "standard",
                },
            },
        },
        "message_start",
    ),
    event({"type": "ping"}, "ping"),
    event({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
    event(
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Bonjour, le monde ! " * 4},
        },
        "content_block_delta",
    ),
    event({"type": "content_block_stop", "index": 0}, "content_block_stop"),
    event(
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 42}}, "message_delta"
    ),
    event({"type": "message_stop"}, "message_stop"),
]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_anthropic_stream_tells_prompt_first_and_answer_last(size: int) -> None:
    meter, _ = meter_of(MESSAGES)
    pieces = [b"".join(ANTHROPIC[start : start + size]) for start in range(0, len(ANTHROPIC), size)]
    assert b"".join(map(meter.event, pieces)) == b"".join(ANTHROPIC)
    assert counts(closed(meter)) == (1125, 42, 1000, False)


def test_anthropic_stream_that_is_cut_has_the_prompt_that_was_told() -> None:
    meter, _ = meter_of(MESSAGES)
    for piece in ANTHROPIC[:4]:
        meter.event(piece)
    prompt, completion, cached, estimated = counts(closed(meter, CallStatus.CUT_SHORT))
    assert (prompt, cached, estimated) == (1125, 1000, True)
    assert 10 < completion < 80


def test_stream_that_is_cut_has_no_less_than_what_was_told_of_its_answer() -> None:
    meter, _ = meter_of(MESSAGES)
    meter.event(event({"type": "message_start", "message": {"usage": {"input_tokens": 25, "output_tokens": 50}}}))
    meter.event(event({"type": "ping"}, "ping"))
    assert counts(closed(meter, CallStatus.CUT_SHORT)) == (25, 50, 0, True)


def test_responses_stream_tells_usage_in_its_last_event() -> None:
    meter, _ = meter_of(RESPONSES)
    usage = {"input_tokens": 36, "input_tokens_details": {"cached_tokens": 8}, "output_tokens": 87, "total_tokens": 123}
    response = {"id": "resp_1", "object": "response", "output": []}
    pieces = [
        event({"type": "response.created", "response": {**response, "usage": None}}, "response.created"),
        event({"type": "response.output_text.delta", "delta": "Hi"}, "response.output_text.delta"),
        event({"type": "response.completed", "response": {**response, "usage": usage}}, "response.completed"),
    ]
    assert b"".join(map(meter.event, pieces)) == b"".join(pieces)
    assert counts(closed(meter)) == (36, 87, 8, False)


@pytest.mark.parametrize(
    ("operation", "answer", "expected"),
    [
        (CHAT, {"choices": [{"message": {"content": "hi"}}], "usage": USAGE}, (20, 7, 0, False)),
        (COMPLETIONS, {"choices": [{"text": "hi"}], "usage": USAGE}, (20, 7, 0, False)),
        (EMBEDDINGS, {"data": [], "usage": {"prompt_tokens": 8, "total_tokens": 8}}, (8, 0, 0, False)),
        (EMBEDDINGS, {"data": []}, (100, 0, 0, True)),
        (
            RESPONSES,
            {
                "output": [],
                "usage": {"input_tokens": 3, "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 2}},
            },
            (3, 4, 0, False),
        ),
        (
            MESSAGES,
            {"content": [], "usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 6}},
            (9, 4, 6, False),
        ),
        (COUNT_TOKENS, {"input_tokens": 14}, (0, 0, 0, False)),
        (RERANK, {"results": [], "usage": {"total_tokens": 56}}, (56, 0, 0, False)),
        (RERANK, {"results": [], "meta": {"tokens": {"input_tokens": 5, "output_tokens": 0}}}, (5, 0, 0, False)),
        (RERANK, {"results": [], "meta": {"billed_units": {"search_units": 1}}}, (0, 0, 0, False)),
        (
            IMAGES,
            {"data": [], "usage": {"input_tokens": 50, "output_tokens": 4160, "total_tokens": 4210}},
            (50, 4160, 0, False),
        ),
        (IMAGES, {"created": 1, "data": []}, (0, 0, 0, False)),
        (TRANSCRIPTIONS, {"text": "hi", "usage": {"type": "duration", "seconds": 3}}, (0, 0, 0, False)),
        (CHAT, {"choices": [], "usage": {"prompt_tokens": "7", "completion_tokens": -1}}, (100, 0, 0, True)),
        (CHAT, {"choices": [], "usage": {"prompt_tokens": 10**15, "completion_tokens": 1}}, (100, 1, 0, True)),
        (CHAT, {"choices": [], "usage": []}, (100, 0, 0, True)),
    ],
)
def test_whole_answers(operation: Operation, answer: dict[str, Any], expected: tuple[int, int, int, bool]) -> None:
    meter, _ = meter_of(operation)
    meter.answer(json.dumps(answer, indent=2).encode())
    assert counts(closed(meter)) == expected


def test_long_answer_is_read_from_its_end() -> None:
    meter, _ = meter_of(EMBEDDINGS)
    vectors = [{"object": "embedding", "index": 0, "embedding": [0.123456] * 20_000}]
    answer = {"object": "list", "data": vectors, "model": "m", "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    meter.answer(json.dumps(answer).encode())
    assert counts(closed(meter)) == (8, 0, 0, False)
    meter, _ = meter_of(EMBEDDINGS)
    meter.answer(json.dumps({"usage": {"prompt_tokens": 9, "total_tokens": 9}, "data": vectors}).encode())
    assert counts(closed(meter)) == (9, 0, 0, False)


@pytest.mark.parametrize("answer", [b"", b"not json", b"[]", b"null", b'"usage":{', b'{"usage":{"prompt_tokens":1}'])
def test_answer_that_is_no_json_object_is_survived(answer: bytes) -> None:
    meter, _ = meter_of()
    meter.answer(answer)
    assert closed(meter).estimated
    meter, _ = meter_of()
    assert meter.event(b"data: " + answer + b"\n\n") == b"data: " + answer + b"\n\n"
    closed(meter)


def test_sound_has_no_tokens() -> None:
    meter, _ = meter_of(SPEECH)
    meter.answer(b"\xff\xfb\x90" * 1000)
    assert counts(closed(meter)) == (0, 0, 0, False)


def told(prompt: int, completion: int, cached: int = 0) -> bytes:
    details = {"cached_tokens": cached}
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "prompt_tokens_details": details}
    return json.dumps({"usage": usage}).encode()


def test_translated_answers_tell_their_counts() -> None:
    meter, sink = meter_of()
    meter.answer(told(10, 4, cached=2))
    assert counts(closed(meter)) == (10, 4, 2, False)
    assert sink.settled == [(10, 4, 22)]


def ended(usage: bytes = told(10, 4, cached=2), **changes: Any) -> Meter:
    """A call that has ended; `changes` are of what was asked, or `answered_by` and `status`."""
    meter, _ = meter_of()
    status = changes.pop("status", CallStatus.COMPLETED)
    meter.answered_by(model(changes.pop("answered_by", "m")))
    meter._asked = meter._asked._replace(**changes)
    meter.answer(usage)
    meter.close(status)
    return meter


def test_calls_of_one_kind_add_up_to_one_record() -> None:
    first, second = ended(), ended(told(100, 40, cached=20), request_id="r2")
    assert first.kind() == second.kind()
    record = first.record()
    second.add_to(record)
    summed = UsageRecord.model_validate(record)
    assert (summed.request_id, summed.requests, counts(summed)) == ("r1", 2, (110, 44, 22, False))
    assert summed.ms >= first.record()["ms"]


@pytest.mark.parametrize(
    "change",
    [
        {"caller": ADA.model_copy(update={"username": "bob"})},
        {"caller": ADA.model_copy(update={"key_id": "key-2"})},
        {"caller": ADA.model_copy(update={"groups": frozenset({"finance"})})},
        {"operation": EMBEDDINGS},
        {"row": model("other")},
        {"answered_by": "other"},
        {"session_id": "session-2"},
        {"status": CallStatus.FAILED},
        {"usage": b"{}"},  # so that its tokens are estimated
    ],
    ids=str,
)
def test_calls_that_counters_tell_apart_are_of_different_kinds(change: dict[str, Any]) -> None:
    assert ended(**change).kind() != ended().kind()


@pytest.mark.parametrize(
    ("told", "session"), [("s" * 128, "s" * 128), ("s" * 129, None), ("s" * 65_000, None), ("", None), (None, None)]
)
def test_session_is_an_id_of_128_characters_at_most(told: str | None, session: str | None) -> None:
    assert session_of(told) == session


def test_calls_of_two_days_are_of_different_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    today = ended()
    monkeypatch.setattr(time, "time", lambda: today._time + 24 * 60 * 60)
    assert ended().kind() != today.kind()


def test_sums_stay_what_a_record_may_tell() -> None:
    record = ended().record() | {"promptTokens": MAX_COUNT - 1}
    ended().add_to(record)
    assert UsageRecord.model_validate(record).prompt_tokens == MAX_COUNT


def test_close_counts_once() -> None:
    meter, sink = meter_of()
    meter.answer(told(1, 1))
    meter.close(CallStatus.COMPLETED)
    meter.close(CallStatus.FAILED)
    assert (len(sink.meters), len(sink.settled)) == (1, 1)
    assert closed(meter).status is CallStatus.COMPLETED


def test_record_says_who_asked_whom() -> None:
    meter, _ = meter_of()
    meter.answered_by(model("other", pricing={"inputCostPerToken": 1e-3, "outputCostPerToken": 0}))
    meter.answer(told(2, 5))
    record = closed(meter)
    assert (record.username, record.key_id, record.groups) == ("ada", "key-1", ["physics"])
    assert (record.model_id, record.deployment_id, record.operation) == ("m", "other", "chat")
    assert (record.session_id, record.cost_micro_usd) == ("session-1", 2000)
    assert record.request_id == "r1"


def test_costs_of_the_cache_are_the_providers() -> None:
    raw = json.dumps(
        {
            "claude": {
                "litellm_provider": "anthropic",
                "input_cost_per_token": 3e-6,
                "output_cost_per_token": 15e-6,
                "cache_read_input_token_cost": 3e-7,
                "cache_creation_input_token_cost": 3.75e-6,
            }
        }
    ).encode()
    asked = Asked("r", ADA, MESSAGES, model(name="anthropic/claude", pricing=None), False, None, 0.0)
    sink = Sink()
    meter = Metering(Prices(lambda: raw), sink).meter(asked, sink, {}, 10)  # type: ignore[arg-type]
    for piece in ANTHROPIC:
        meter.event(piece)
    assert closed(meter).cost_micro_usd == 25 * 3 + 1000 * 0.3 + 100 * 3.75 + 42 * 15


TIERS = json.dumps(
    {
        "gpt": {
            "litellm_provider": "openai",
            "input_cost_per_token": 1e-6,
            "output_cost_per_token": 2e-6,
            "output_cost_per_audio_token": 1e-4,
            "input_cost_per_token_priority": 1e-5,
            "output_cost_per_token_priority": 2e-5,
            "cache_creation_input_token_cost_above_1hr": 1e-3,
        }
    }
).encode()


def cost_in_tiers(pieces: list[bytes], operation: Operation = CHAT, tier: str | None = None) -> int:
    asked = Asked("r", ADA, operation, model(name="openai/gpt", pricing=None), False, None, 0.0)
    sink = Sink()
    metering = Metering(Prices(lambda: TIERS), sink)  # type: ignore[arg-type]
    meter = metering.meter(asked, sink, {"service_tier": tier}, 10)  # type: ignore[arg-type]
    for piece in pieces:
        if piece.startswith((b"data:", b"event:")):
            meter.event(piece)
        else:
            meter.answer(piece)
    return closed(meter).cost_micro_usd


def test_tier_that_answers_is_paid_else_the_one_that_was_asked_for() -> None:
    told = {"choices": [], "usage": USAGE}
    for piece in (lambda body: json.dumps(body).encode(), event, lambda body: event({"response": body})):
        assert cost_in_tiers([piece(told)]) == 20 + 14
        assert cost_in_tiers([piece(told)], tier="priority") == 200 + 140
        assert cost_in_tiers([piece({**told, "service_tier": "priority"})], tier="auto") == 200 + 140
        assert cost_in_tiers([piece({**told, "service_tier": "default"})], tier="priority") == 20 + 14


def test_sound_in_an_answer_has_its_own_price() -> None:
    sound = USAGE | {"completion_tokens_details": {"audio_tokens": 5}}
    assert cost_in_tiers([event(chunk(None, usage=sound))]) == 20 + 500 + 4


def test_what_a_stream_kept_for_an_hour_is_told_at_its_beginning() -> None:
    hour = {"input_tokens": 1, "cache_creation_input_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 3}}
    start = event({"type": "message_start", "message": {"usage": hour}})
    assert cost_in_tiers([start, *ANTHROPIC[1:]], MESSAGES) == 1 + 3 * 1000 + 42 * 2


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({}, False),
        ({"stream_options": {"include_usage": True}}, True),
        ({"stream_options": {"include_usage": False}}, False),
        ({"stream_options": None}, False),
        ({"stream_options": "yes"}, False),
    ],
)
def test_caller_asks_for_usage_by_an_option(body: dict[str, Any], wanted: bool) -> None:
    assert wants_usage(body) is wanted
