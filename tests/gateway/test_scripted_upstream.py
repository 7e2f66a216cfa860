"""Upstreams that answer in ways that no well-behaved server does, or that few do."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel

from tests.gateway.conftest import World
from tests.gateway.scripted import BREAK, END, Asked, Script, Scripted, events, head, named, serve_scripted, whole
from tests.gateway.serving import eventually

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "up",
    "content": [{"type": "text", "text": '{"headers":"x"}'}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "up",
    "status": "completed",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
CHUNK = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}\n\n'


def completion(content: str = "ok") -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "up", "choices": [choice]}


@dataclass
class Upstream:
    world: World
    scripted: Scripted
    url: str

    def plays(self, name: str, script: Script, model: str = "hosted_vllm/up", query: str = "", **more: Any) -> str:
        """Registers a model whose endpoint plays the script, and returns its id."""
        self.scripted.scripts[name] = script
        self.world.account.register(name, model, f"{self.url}/{name}/v1{query}", **more)
        eventually(lambda: name in {each.id for each in self.sdk().models.list()})
        return name

    def sdk(self) -> openai.OpenAI:
        return self.world.sdk()

    def claude(self) -> anthropic.Anthropic:
        return anthropic.Anthropic(base_url=self.world.url, api_key=self.world.token(), max_retries=0, timeout=20)

    def asked(self, name: str) -> list[Asked]:
        return self.scripted.asked.get(name, [])


@pytest.fixture(scope="module")
def upstream(world: World) -> Iterator[Upstream]:
    scripted = Scripted()
    with serve_scripted(scripted) as url:
        yield Upstream(world, scripted, url)


@pytest.fixture(scope="module")
def hasty(impatient: World) -> Iterator[Upstream]:
    scripted = Scripted()
    with serve_scripted(scripted) as url:
        yield Upstream(impatient, scripted, url)


class Http(BaseModel):
    headers: str


def test_names_in_a_schema_are_the_callers(upstream: Upstream) -> None:
    name = upstream.plays("schemas", lambda _: whole(MESSAGE), "anthropic/claude", api_key="key")
    parsed = upstream.claude().messages.parse(model=name, max_tokens=9, messages=ASK, output_format=Http)
    assert parsed.parsed_output == Http(headers="x")
    deep = {"type": "object", "properties": {"a": {"type": "array", "items": {"properties": {"fallbacks": {}}}}}}
    name = upstream.plays("guided", lambda _: whole(completion()))
    for field in ("guided_json", "structured_outputs"):
        upstream.sdk().chat.completions.create(model=name, messages=ASK, extra_body={field: {"json": deep}})
        assert upstream.asked(name)[-1].fields[field] == {"json": deep}


def test_one_callers_404_does_not_turn_responses_off_for_others(upstream: Upstream) -> None:
    def answer(asked: Asked) -> list[Any]:
        if asked.path.endswith("/chat/completions"):
            return whole(completion("translated"))
        if "gone" in (asked.fields.get("previous_response_id"), asked.fields.get("input")):
            return whole({"error": {"message": "no 'gone' here", "code": 404}}, status=404)
        return whole(RESPONSE)

    name = upstream.plays("responses", answer)
    sdk = upstream.sdk()
    with pytest.raises(openai.NotFoundError, match="no 'gone' here"):
        sdk.responses.create(model=name, input="hi", previous_response_id="gone")
    assert sdk.responses.create(model=name, input="hi").id == "resp_1"
    with pytest.raises(openai.NotFoundError, match="no 'gone' here"):  # it is known to speak it by now
        sdk.responses.create(model=name, input="gone")
    assert sdk.responses.create(model=name, previous_response_id="resp_0").id == "resp_1"
    assert {asked.path for asked in upstream.asked(name)} == {"/v1/responses"}


@pytest.mark.parametrize(("limit", "budget"), [(8192, 8191), (900, None)])
def test_thoughts_stay_shorter_than_a_lowered_answer(upstream: Upstream, limit: int, budget: int | None) -> None:
    name = upstream.plays(f"thinks-{limit}", lambda _: whole(MESSAGE), max_output_tokens=limit)
    thinking: Any = {"type": "enabled", "budget_tokens": 16_000}
    upstream.claude().messages.create(model=name, max_tokens=32_000, messages=ASK, thinking=thinking, timeout=20)
    sent = upstream.asked(name)[-1].fields
    assert sent["max_tokens"] == limit
    assert sent.get("thinking") == (budget and {"type": "enabled", "budget_tokens": budget})


@pytest.mark.parametrize("then", [BREAK, 30.0], ids=["breaks", "hangs"])
def test_stream_that_fails_before_its_first_event_falls_back(hasty: Upstream, then: float | None) -> None:
    other = hasty.plays("healthy", lambda _: events(CHUNK, b"data: [DONE]\n\n", END))
    name = hasty.plays("head-" + ("only" if then else "lost"), lambda _: events(then), fallbacks=[other])
    stream = hasty.sdk().chat.completions.create(model=name, messages=ASK, stream=True)
    assert [chunk.choices[0].delta.content for chunk in stream] == ["ok"]


def test_reset_after_the_last_event_is_no_error(upstream: Upstream) -> None:
    start = named(type="message_start", message={**MESSAGE, "content": []})
    end = named(type="message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 1})
    stop = named(type="message_stop")
    name = upstream.plays("resets", lambda _: events(start, end, stop, BREAK), "anthropic/claude", api_key="key")
    with upstream.claude().messages.stream(model=name, max_tokens=9, messages=ASK) as stream:
        assert stream.get_final_message().stop_reason == "end_turn"


def test_unframed_stream_ends_with_the_last_event_of_its_protocol(upstream: Upstream) -> None:
    said = [b'data: {"type": "transcript.text.delta", "delta": "a"}\n\n']
    said.append(b'data: {"text": "a", "type": "transcript.text.done"}\n\n')
    name = upstream.plays("unframed", lambda _: events(*said, framed=False))
    stream = upstream.sdk().audio.transcriptions.create(model=name, file=("a.mp3", b"x"), stream=True)
    assert [event.type for event in stream] == ["transcript.text.delta", "transcript.text.done"]
    name = upstream.plays("unframed-half", lambda _: events(said[0], framed=False))
    with pytest.raises(openai.APIError):
        list(upstream.sdk().audio.transcriptions.create(model=name, file=("a.mp3", b"x"), stream=True))


def test_short_wait_that_an_upstream_asks_for_is_kept(upstream: Upstream) -> None:
    times: list[float] = []

    def answer(_: Asked) -> list[Any]:
        times.append(time.monotonic())
        return whole({}, "Retry-After: 1", status=429) if len(times) == 1 else whole(completion())

    name = upstream.plays("soon", answer)
    upstream.sdk().chat.completions.create(model=name, messages=ASK)
    first, second = times
    assert second - first >= 1


@pytest.mark.parametrize("wait", ["60.5", "date"])
def test_long_wait_is_the_callers(upstream: Upstream, wait: str) -> None:
    given = formatdate(time.time() + 60, usegmt=True) if wait == "date" else wait
    name = upstream.plays(f"later-{wait}", lambda _: whole({}, f"Retry-After: {given}", status=429))
    with pytest.raises(openai.RateLimitError) as limited:
        upstream.sdk().chat.completions.create(model=name, messages=ASK)
    assert limited.value.response.headers["retry-after"] == given
    assert len(upstream.asked(name)) == 1


@pytest.mark.parametrize("status", [600, 999])
def test_status_that_http_does_not_have_is_502(upstream: Upstream, status: int) -> None:
    name = upstream.plays(f"status-{status}", lambda _: whole({"error": {"message": "odd"}}, status=status))
    with pytest.raises(openai.InternalServerError) as failure:
        upstream.sdk().chat.completions.create(model=name, messages=ASK)
    assert (failure.value.status_code, failure.value.code) == (502, "upstream_failed")


def test_anthropics_sdk_finds_the_request_id_and_the_limits(upstream: Upstream) -> None:
    left = "anthropic-ratelimit-requests-remaining"
    name = upstream.plays("ids", lambda _: whole(MESSAGE, f"{left}: 7"), "anthropic/claude", api_key="key")
    answer = upstream.claude().messages.with_raw_response.create(model=name, max_tokens=9, messages=ASK)
    assert answer.parse()._request_id == answer.headers["x-request-id"]
    assert answer.headers[left] == "7"
    with pytest.raises(anthropic.NotFoundError) as unknown:
        upstream.claude().messages.create(model="nobody", max_tokens=9, messages=ASK)
    assert unknown.value.request_id == unknown.value.response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [("my call Zürich.mp3".encode(), "my call Zürich.mp3".encode()), (b"Z\xfcrich.mp3", b"Z?rich.mp3")],
)
def test_names_of_files_arrive_as_they_were_sent(upstream: Upstream, sent: bytes, arrives: bytes) -> None:
    name = upstream.plays(f"upload-{len(sent)}", lambda _: whole({"text": "x"}))
    part = b'--B\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    body = part % (b"model", name.encode()) + part % (b'file"; filename="' + sent, b"ID3") + b"--B--\r\n"
    with upstream.world.http() as http:
        kind = {"Content-Type": "multipart/form-data; boundary=B"}
        assert http.post("/v1/audio/transcriptions", content=body, headers=kind).status_code == 200
    assert b'filename="%b"' % arrives in upstream.asked(name)[-1].body


def test_variant_of_a_video_joins_the_query_of_its_endpoint(upstream: Upstream) -> None:
    video = {"id": "v1", "object": "video", "status": "queued", "model": "up", "created_at": 1}
    name = upstream.plays("films", lambda _: whole(video), query="?tenant=7")
    made = upstream.sdk().videos.create(model=name, prompt="p")
    upstream.sdk().videos.download_content(made.id, variant="thumbnail")
    assert upstream.asked(name)[-1].path == "/v1/videos/v1/content?tenant=7&variant=thumbnail"


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_key_that_an_endpoint_repeats_stays_here(upstream: Upstream, kind: str) -> None:
    key = "sk-of-the-provider"
    said = json.dumps({"error": {"message": f"no {key}"}}).encode() if kind != "text/plain" else f"no {key}".encode()
    answer: list[Any] = [head(kind, f"Content-Length: {len(said)}", status=400) + said]
    name = upstream.plays(f"repeats-{len(said)}", lambda _: answer, api_key=key)
    with upstream.world.http() as http:
        refused = http.post("/v1/chat/completions", json={"model": name, "messages": ASK})
    assert refused.status_code == 400
    assert key not in refused.text and "no ***" in refused.text
