"""Guardrails at inference, judged by the official SDKs and by the raw bytes that reach a caller."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from gateway import video_ids
from gateway.guardrails.answers import MARGIN, PIECE
from gateway.guardrails.bedrock import AT_ONCE, MAX_CHARACTERS, BedrockGuardrails, Source
from lisa.errors import UnavailableError
from lisa.models.guardrails import GuardrailConfig

from tests.gateway.account import MANAGEMENT_KEY
from tests.gateway.conftest import settings, unused_port
from tests.gateway.fake_guardrails import MESSAGE
from tests.gateway.fake_speaker import LOGPROBS
from tests.gateway.guarded_world import TEXT_PROTOCOLS, Guarded, chunks_of, guard, guarded_world
from tests.gateway.serving import eventually, serve_gateway

BAD = "something forbidden"
pytestmark = pytest.mark.usefixtures("litellm_imported")
each_protocol = pytest.mark.parametrize("protocol", TEXT_PROTOCOLS)
streamed_or_not = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture(scope="module")
def shared() -> Iterator[Guarded]:
    with guarded_world() as world:
        yield world


@pytest.fixture(scope="module")
def impatient_url(shared: Guarded) -> Iterator[str]:
    """Another gateway of the same account, which waits for a verdict for a second only."""
    with serve_gateway(settings(guardrail_seconds=1)) as url:
        eventually(lambda: httpx.get(f"{url}/health/readiness").status_code == 200)
        yield url


@pytest.fixture
def world(shared: Guarded) -> Guarded:
    shared.guardrails.asked.clear()
    shared.guardrails.breaks_after = None
    shared.guardrails.may_answer = lambda: bool(shared.speaker.seen.bodies)
    shared.speaker.seen.bodies.clear()
    shared.speaker.seen.cancelled = 0
    shared.speaker.pieces = ["Hello ", "there"]
    shared.speaker.delay, shared.speaker.pause_before = 0.0, None
    shared.speaker.raw, shared.speaker.logprobs, shared.speaker.failure = None, None, None
    return shared


@each_protocol
@streamed_or_not
@pytest.mark.parametrize("mode", ["pre", "during", "post"])
def test_what_is_allowed_passes_as_it_is(world: Guarded, protocol: str, stream: bool, mode: str) -> None:
    assert world.post(protocol, f"words-{mode}", stream=stream) == world.post(protocol, "free", stream=stream)
    assert world.ask(protocol, f"words-{mode}", stream=stream) == "Hello there"
    assert {asked.source for asked in world.guardrails.asked} == {"OUTPUT" if mode == "post" else "INPUT"}


@each_protocol
@streamed_or_not
def test_blocked_question_never_reaches_the_model(world: Guarded, protocol: str, stream: bool) -> None:
    assert world.ask(protocol, "words-pre", BAD, stream=stream) == MESSAGE
    assert world.speaker.seen.bodies == []


def test_block_is_told_as_the_original_tells_it(world: Guarded) -> None:
    status, raw = world.post("chat", "words-pre", BAD)
    body = json.loads(raw)
    assert (status, body["id"], body["lisa_guardrail_triggered"]) == (200, "guardrail-response", True)
    assert body["choices"][0]["message"] == {"role": "assistant", "content": MESSAGE, "refusal": None}
    status, raw = world.post("chat", "words-pre", BAD, stream=True)
    said, ended = chunks_of(raw)
    assert said["choices"][0]["delta"]["content"] == MESSAGE
    assert ended["choices"][0]["finish_reason"] == "content_filter"
    assert said["id"] == "guardrail-response" and said["lisa_guardrail_triggered"] is True
    assert raw.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("embeddings", {"model": "embedder", "input": ["fine", BAD]}),
        ("images/generations", {"model": "words-pre", "prompt": BAD}),
        ("images/generations", {"model": "words-during", "prompt": BAD}),
        ("audio/speech", {"model": "words-pre", "input": BAD, "voice": "alloy"}),
        ("messages/count_tokens", {"model": "words-pre", "messages": [{"role": "user", "content": BAD}]}),
    ],
)
def test_block_is_an_error_where_no_text_is_answered(world: Guarded, path: str, body: dict[str, Any]) -> None:
    with world.http() as http:
        answer = http.post(f"/v1/{path}", json=body)
    assert answer.status_code == 400
    assert MESSAGE in answer.text
    assert answer.json()["code"] == "guardrail_triggered"


def test_remix_of_a_video_is_checked(world: Guarded) -> None:
    video = video_ids.encode("words-pre", "vid-1")
    with world.http() as http:
        answer = http.post(f"/v1/videos/{video}/remix", json={"prompt": BAD})
    assert (answer.status_code, answer.json()["message"]) == (400, MESSAGE)


def test_texts_of_every_role_are_checked_wherever_they_stand(world: Guarded) -> None:
    nested = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": BAD}]}
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": BAD}}
    use = {"type": "tool_use", "id": "1", "name": "look", "input": {"type": "query", "name": BAD}}
    named = {"type": "tool_use", "id": "1", "name": "look", "input": {"a": [{BAD: 1}]}}
    question = {"role": "user", "content": "hello"}
    for path, more in (
        ("chat/completions", {"messages": [{"role": "system", "content": BAD}, question]}),
        ("chat/completions", {"messages": [question, {"role": "tool", "tool_call_id": "1", "content": BAD}]}),
        ("chat/completions", {"messages": [{"role": "assistant", "content": BAD}, question]}),
        ("chat/completions", {"messages": [{"role": "user", "content": [{"type": "text", "text": BAD}]}]}),
        ("messages", {"messages": [question], "system": [{"type": "text", "text": BAD}]}),
        ("messages", {"messages": [{"role": "user", "content": [nested]}]}),
        ("messages", {"messages": [{"role": "user", "content": [document]}]}),
        ("messages", {"messages": [question, {"role": "assistant", "content": [use]}]}),
        ("messages", {"messages": [question, {"role": "assistant", "content": [named]}]}),
        ("chat/completions", {"messages": [question], "prediction": {"type": "content", "content": BAD}}),
        ("responses", {"input": "hello", "instructions": BAD}),
        ("responses", {"input": [{"role": "user", "content": [{"type": "input_text", "text": BAD}]}]}),
        ("responses", {"input": [{"type": "function_call_output", "call_id": "1", "output": BAD}]}),
        ("completions", {"prompt": ["fine", BAD]}),
    ):
        with world.http() as http:
            answer = http.post(f"/v1/{path}", json={"model": "words-pre", "max_tokens": 9, **more})
        assert answer.json()["lisa_guardrail_triggered"] is True, more
    assert world.speaker.seen.bodies == []


@pytest.mark.parametrize("path", ["embeddings", "completions"])
def test_tokens_cannot_be_checked_so_they_are_refused(world: Guarded, path: str) -> None:
    name = "input" if path == "embeddings" else "prompt"
    for tokens in ([1, 2, 3], [[1, 2], [3]], [15339.0, 1917.0], [[1e3]], ["x", 1.0]):
        with world.http() as http:
            answer = http.post(f"/v1/{path}", json={"model": "embedder", name: tokens})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert world.speaker.seen.bodies == []


@each_protocol
@streamed_or_not
def test_answer_waits_for_a_verdict_that_is_made_meanwhile(world: Guarded, protocol: str, stream: bool) -> None:
    path = {"chat": "chat/completions"}.get(protocol, protocol)
    body = {"model": "wordsslow-during", "messages": [{"role": "user", "content": "x"}], "max_tokens": 9}
    body |= {"prompt": "x", "input": "x", "stream": stream}
    with world.http() as http, http.stream("POST", f"/v1/{path}", json=body) as answer:
        next(answer.iter_raw())
        first_byte = time.monotonic()
    assert world.speaker.seen.bodies
    assert world.guardrails.asked[-1].answered_at <= first_byte


@each_protocol
@streamed_or_not
def test_nothing_of_an_answer_to_a_blocked_question_is_seen(world: Guarded, protocol: str, stream: bool) -> None:
    world.speaker.pieces = ["the ", "secret ", "answer"]
    status, raw = world.post(protocol, "wordsslow-during", BAD, stream=stream)
    assert status == 200
    assert b"secret" not in raw
    assert MESSAGE.encode() in raw
    assert world.speaker.seen.bodies


@streamed_or_not
def test_block_ends_the_call_to_a_model_that_still_thinks(world: Guarded, stream: bool) -> None:
    world.speaker.delay = 60
    status, raw = world.post("chat", "wordsslow-during", BAD, stream=stream)
    assert (status, MESSAGE.encode() in raw) == (200, True)
    eventually(lambda: 0 < len(world.speaker.seen.bodies) == world.speaker.seen.cancelled)


@each_protocol
@streamed_or_not
def test_blocked_answer_is_replaced(world: Guarded, protocol: str, stream: bool) -> None:
    world.speaker.pieces = ["this is ", "forb", "idden", " knowledge"]
    assert world.ask(protocol, "words-post", stream=stream) == MESSAGE
    _, raw = world.post(protocol, "words-post", stream=stream)
    for word in (b"forb", b"idden", b"knowledge"):
        assert word not in raw


@each_protocol
def test_long_stream_is_released_in_pieces_and_ends_in_order(world: Guarded, protocol: str) -> None:
    world.speaker.pieces = ["harmless "] * 400 + ["forb", "idden ", "knowledge "] + ["more "] * 100
    world.speaker.pause_before = 400
    world.speaker.may_resume = lambda: bool(world.guardrails.asked)
    said = world.ask(protocol, "words-post", stream=True)
    assert said.startswith("harmless harmless") and said.endswith(MESSAGE)
    assert PIECE - MARGIN < len(said) < 3700  # the first piece at least, and not the last
    _, raw = world.post(protocol, "words-post", stream=True)
    assert b"idden" not in raw and b"knowledge" not in raw


def test_first_piece_does_not_wait_for_the_end(world: Guarded) -> None:
    world.speaker.pieces = ["harmless "] * 300
    world.speaker.pause_before = 250
    parts: list[bytes] = []
    world.speaker.may_resume = lambda: bool(parts)
    body = {"model": "words-post", "messages": [{"role": "user", "content": "x"}], "stream": True}
    with world.http() as http, http.stream("POST", "/v1/chat/completions", json=body) as answer:
        for part in answer.iter_raw():
            parts.append(part)
    assert b"".join(parts).count(b"harmless") == 300


def test_word_on_the_boundary_of_two_pieces_is_seen(world: Guarded) -> None:
    for shift in range(0, 12, 3):
        world.speaker.pieces = ["x" * 100] * 9 + ["x" * (92 + shift), "forb", "idden"] + ["y" * 100] * 12
        said = world.ask("chat", "words-post", stream=True)
        assert "idden" not in said and said.endswith(MESSAGE)


@each_protocol
@pytest.mark.parametrize("model", ["pii-pre", "piiinone-pre"])
def test_masked_question_reaches_the_model_masked(world: Guarded, protocol: str, model: str) -> None:
    assert world.ask(protocol, model, "I am ada@home.example.") == "Hello there"
    assert "I am {EMAIL}." in json.dumps(world.speaker.seen.body)
    assert "ada@home" not in json.dumps(world.speaker.seen.body)


def test_each_of_several_texts_is_masked_for_itself(world: Guarded) -> None:
    messages = [
        {"role": "system", "content": "You help."},
        {"role": "user", "content": "I am ada@home.example."},
        {"role": "user", "content": [{"type": "text", "text": "and bob@home.example"}]},
    ]
    for model in ("pii-pre", "piiinone-pre"):
        assert world.post("chat", model, messages=messages)[0] == 200
        seen = world.speaker.seen.body["messages"]
        assert [seen[0]["content"], seen[1]["content"]] == ["You help.", "I am {EMAIL}."]
        assert seen[2]["content"][0]["text"] == "and {EMAIL}"


def test_what_should_have_been_masked_before_is_blocked_beside_the_call(world: Guarded) -> None:
    status, raw = world.post("chat", "pii-during", "I am ada@home.example.")
    assert (status, json.loads(raw)["id"]) == (200, "guardrail-response")


@each_protocol
@streamed_or_not
@pytest.mark.parametrize("model", ["pii-post", "piiinone-post"])
def test_answer_is_masked_in_all_its_copies(world: Guarded, protocol: str, stream: bool, model: str) -> None:
    world.speaker.pieces = ["Write to a", "da@home", ".example", " or call."]
    world.speaker.logprobs = LOGPROBS
    assert world.ask(protocol, model, stream=stream) == "Write to {EMAIL} or call."
    _, raw = world.post(protocol, model, stream=stream)
    assert b"home" not in raw and b"a@b.example" not in raw


@each_protocol
def test_long_stream_is_masked_in_pieces(world: Guarded, protocol: str) -> None:
    words = [f"word{number} " for number in range(600)]
    for place in (140, 150, 155, 300, 599):
        words[place] = "ada@home.example "
    world.speaker.pieces = words
    expected = "".join(words).replace("ada@home.example", "{EMAIL}")
    assert world.ask(protocol, "pii-post", stream=True) == expected


def test_transcriptions_are_checked(world: Guarded) -> None:
    world.speaker.pieces = ["Write to ada@home.example."]
    with world.http() as http:
        for format_, expected in (("json", '{"text":"Write to {EMAIL}."}'), ("text", "Write to {EMAIL}.")):
            answer = http.post(
                "/v1/audio/transcriptions",
                data={"model": "pii-post", "response_format": format_},
                files={"file": ("a.wav", b"RIFF", "audio/wav")},
            )
            assert (answer.status_code, answer.text) == (200, expected)
        world.speaker.pieces = [BAD]
        answer = http.post(
            "/v1/audio/transcriptions", data={"model": "words-post"}, files={"file": ("a.wav", b"RIFF", "audio/wav")}
        )
    assert (answer.status_code, answer.json()["code"]) == (400, "guardrail_triggered")


@pytest.mark.parametrize("name", ["prompt", "prompt[]"])
def test_text_of_a_form_is_checked_under_each_of_its_names(world: Guarded, name: str) -> None:
    with world.http() as http:
        answer = http.post(
            "/v1/audio/transcriptions", data={"model": "words-pre", name: ["fine", BAD]}, files={"file": b"RIFF"}
        )
    assert (answer.status_code, answer.json()["code"]) == (400, "guardrail_triggered")
    assert world.speaker.seen.bodies == []


def test_pictures_and_sound_pass_after_the_question_was_checked(world: Guarded) -> None:
    with world.http() as http:
        for model in ("words-pre", "words-during", "words-post"):
            answer = http.post("/v1/audio/speech", json={"model": model, "input": "hello", "voice": "alloy"})
            assert (answer.status_code, answer.content) == (200, b"\x00sound")
            assert http.post("/v1/embeddings", json={"model": model, "input": "hello"}).status_code == 200


@pytest.mark.parametrize(
    ("caller", "is_checked"), [("ada", False), ("bob", True), ("root", True), (MANAGEMENT_KEY, True)]
)
def test_guardrails_of_groups_are_for_their_members_and_admins(world: Guarded, caller: str, is_checked: bool) -> None:
    _, raw = world.post("chat", "physics", BAD, caller)
    assert (MESSAGE in raw.decode()) is is_checked


@streamed_or_not
@pytest.mark.parametrize("mode", ["pre", "during", "post"])
@pytest.mark.parametrize("name", ["broken", "denied", "odd", "hanging"])
def test_without_a_verdict_nothing_passes(
    world: Guarded, impatient_url: str, name: str, mode: str, stream: bool
) -> None:
    if name == "hanging":
        world = replace(world, url=impatient_url)
    world.speaker.pieces = ["the ", "secret"]
    status, raw = world.post("chat", f"{name}-{mode}", stream=stream)
    assert (status, json.loads(raw)["code"]) == (503, "unavailable")
    assert b"secret" not in raw
    if mode != "during":  # there the refusal may come before the model is reached, or after
        assert bool(world.speaker.seen.bodies) is (mode == "post")


def test_stream_whose_later_piece_gets_no_verdict_ends_with_an_error(world: Guarded) -> None:
    world.speaker.pieces = ["harmless "] * 250
    world.speaker.pause_before = 240
    world.speaker.may_resume = lambda: bool(world.guardrails.asked)
    body = {"model": "words-post", "messages": [{"role": "user", "content": "x"}], "stream": True}
    world.guardrails.breaks_after = 1
    with world.http() as http:
        raw = http.post("/v1/chat/completions", json=body).content
    events = chunks_of(raw)
    assert events[-1]["error"]["code"] == "unavailable"
    assert b"[DONE]" not in raw and 90 < raw.count(b"harmless") < 240


async def test_unreachable_guardrails_have_no_verdict(world: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://127.0.0.1:{unused_port()}")
    bedrock = BedrockGuardrails(2)
    config = GuardrailConfig.model_validate(guard("words", "pre_call"))
    with pytest.raises(UnavailableError):
        await bedrock.apply(config, Source.INPUT, ["hello"])
    bedrock.close()


def test_several_guardrails_all_apply(world: Guarded) -> None:
    world.speaker.pieces = ["Write to ada@home.example"]
    assert world.ask("chat", "several", "I am ada@home.example.") == "Write to {EMAIL}"
    first, second, third = world.guardrails.asked
    assert (first.guardrail, first.version, first.texts) == ("pii", "3", ["I am ada@home.example."])
    assert (second.guardrail, second.texts, third.source) == ("words", ["I am {EMAIL}."], "OUTPUT")
    assert world.ask("chat", "several", BAD) == MESSAGE


@pytest.mark.parametrize("model", ["pool", "backed"])
def test_no_way_round_the_guardrails_of_those_who_may_answer(world: Guarded, model: str) -> None:
    world.speaker.pieces = [BAD]
    assert world.ask("chat", model, BAD) == MESSAGE


@pytest.mark.parametrize("protocol", ["chat", "messages"])
@streamed_or_not
def test_translated_answers_are_checked_too(world: Guarded, protocol: str, stream: bool) -> None:
    asked = len(world.anthropic.seen.bodies)
    assert world.ask(protocol, "claude", "hello", stream=stream) == MESSAGE  # it says Bonjour
    assert len(world.anthropic.seen.bodies) == asked + 1
    assert world.ask(protocol, "claude", BAD, stream=stream) == MESSAGE
    assert len(world.anthropic.seen.bodies) == asked + 1


@pytest.mark.parametrize(
    "raw",
    [
        b"data: not json\n\n",
        b'data: ["forbidden"]\n\n',
        b"\xef\xbb\xbfdata: {}\n\n",
        b"data: " + b'{"a":' * 200 + b"1" + b"}" * 200 + b"\n\n",
    ],
)
def test_stream_that_cannot_be_read_does_not_pass(world: Guarded, raw: bytes) -> None:
    world.speaker.raw = raw
    status, answer = world.post("chat", "words-post", stream=True)
    assert (status, json.loads(answer)["code"]) == (502, "upstream_failed")


@streamed_or_not
@pytest.mark.parametrize("protocol", ["chat", "messages"])
@pytest.mark.parametrize(
    "failure",
    [
        {"text": json.dumps({"error": {"message": "no call of a tool", "failed_generation": BAD}})},
        {"text": f"The model said: {BAD}", "content_type": "text/plain"},
    ],
    ids=["json", "text"],
)
def test_what_a_model_said_in_an_error_is_checked(
    world: Guarded, protocol: str, stream: bool, failure: dict[str, Any]
) -> None:
    world.speaker.failure = {"content_type": "application/json", **failure, "status": 400}
    status, raw = world.post(protocol, "words-post", stream=stream)
    assert (status, MESSAGE.encode() in raw, BAD.encode() in raw) == (200, True, False)


def test_error_that_says_nothing_forbidden_stays_as_it_is(world: Guarded) -> None:
    world.speaker.failure = {"text": '{"error": {"message": "x@y"}}', "content_type": "application/json", "status": 422}
    assert world.post("chat", "words-post") == world.post("chat", "free") == (422, b'{"error": {"message": "x@y"}}')
    world.speaker.failure = {"text": "ask ada@home.example", "status": 422}
    status, raw = world.post("chat", "pii-post")
    assert (status, json.loads(raw)["message"]) == (422, "The model's endpoint answered 422: ask {EMAIL}.")


def test_long_texts_are_asked_about_in_parts(world: Guarded) -> None:
    text = "word " * 6_000
    assert world.ask("chat", "words-pre", text) == "Hello there"
    parts = [part for asked in world.guardrails.asked for part in asked.texts]
    assert len(parts) == 2 and sum(map(len, parts)) == len(text)
    assert world.ask("chat", "words-pre", text + BAD) == MESSAGE
    assert world.ask("chat", "pii-pre", f"{text}ada@home.example {text}") == "Hello there"
    assert world.speaker.seen.body["messages"][0]["content"] == f"{text}{{EMAIL}} {text}"


@pytest.mark.parametrize(
    "content",
    [[f"text {number}" for number in range(5_001)], [{}] * 60_000, [[1] * 30_000, [1] * 30_000]],
    ids=["texts", "objects", "numbers"],
)
def test_question_of_endlessly_many_texts_is_refused(world: Guarded, content: list[Any]) -> None:
    for mode in ("pre", "during"):
        status, raw = world.post("chat", f"words-{mode}", messages=[{"role": "user", "content": content}])
        assert (status, json.loads(raw)["code"]) == (400, "bad_request")
        assert b"at most" in raw
    assert world.guardrails.of("words") == []


async def test_one_call_leaves_threads_to_others_and_loses_no_text(world: Guarded) -> None:
    bedrock = BedrockGuardrails(20)
    slow = GuardrailConfig.model_validate(guard("wordsslower", "pre_call"))
    texts = [str(number) * MAX_CHARACTERS for number in range(10)] * 2
    assert await bedrock.apply(slow, Source.INPUT, texts) == texts
    assert 1 < world.guardrails.most_at_once["wordsslower"] <= AT_ONCE
    for name in ("pii", "piiinone"):
        masking = GuardrailConfig.model_validate(guard(name, "pre_call"))
        texts = [f"{number} ada@home.example" if number % 7 == 0 else str(number) for number in range(300)]
        masked = [text.replace("ada@home.example", "{EMAIL}") for text in texts]
        assert await bedrock.apply(masking, Source.INPUT, texts) == masked
    bedrock.close()


def test_models_without_guardrails_ask_nobody(world: Guarded) -> None:
    assert world.ask("chat", "free", BAD) == "Hello there"
    assert world.guardrails.asked == []
