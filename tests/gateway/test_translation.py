"""Models of another protocol (Anthropic's here), called with OpenAI's SDK through LiteLLM."""

import asyncio
import base64
import json
import struct
from typing import Any

import httpx
import openai
import pytest
from gateway.translate.inline import refuse_remote_media
from gateway.translate.vectors import _encoded
from lisa.errors import BadRequestError

from tests.gateway.conftest import PROVIDER_KEY, World
from tests.gateway.serving import eventually

ASK: list[Any] = [{"role": "user", "content": "Hi"}]


pytestmark = pytest.mark.usefixtures("litellm_imported")


def test_sdk_chats_with_another_protocol(world: World) -> None:
    answer = world.sdk().chat.completions.create(model="claude", messages=ASK, max_tokens=50, temperature=0.2)
    assert answer.model == "claude"
    assert answer.choices[0].message.content == "Bonjour"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage and answer.usage.total_tokens == 16
    seen = world.anthropic.seen
    assert (seen.body["model"], seen.body["max_tokens"], seen.body["temperature"]) == ("claude-sonnet-4-5", 50, 0.2)
    assert PROVIDER_KEY in (seen.headers[-1].get("x-api-key"), seen.headers[-1].get("authorization"))
    assert world.token() not in str(seen.headers[-1])


def test_sdk_streams_from_another_protocol(world: World) -> None:
    stream = world.sdk().chat.completions.create(
        model="claude", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Bonjour !"
    assert {chunk.model for chunk in chunks} == {"claude"}
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [5]


def test_translated_stream_is_framed_as_openai_frames_it(world: World) -> None:
    with world.http() as http:
        answer = http.post("/v1/chat/completions", json={"model": "claude", "messages": ASK, "stream": True})
    assert answer.headers["content-type"] == "text/event-stream"
    events = answer.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    for event in events[:-2]:
        for choice in json.loads(event.removeprefix("data: "))["choices"]:
            assert choice["delta"].get("content", "") is not None
            assert "finish_reason" in choice


def test_sdk_completes_with_another_protocol(world: World) -> None:
    assert world.sdk().completions.create(model="claude", prompt="x").choices[0].text == "Bonjour"
    stream = world.sdk().completions.create(model="claude", prompt="x", stream=True)
    assert "".join(chunk.choices[0].text or "" for chunk in stream) == "Bonjour !"


@pytest.mark.parametrize("stream", [True, False])
def test_providers_error_keeps_its_status(world: World, stream: bool) -> None:
    with pytest.raises(openai.RateLimitError, match="too many tokens"):
        world.sdk().chat.completions.create(model="claude-overloaded", messages=ASK, stream=stream)


def test_redirect_does_not_carry_the_key_away(world: World) -> None:
    with world.http() as http:
        answer = http.post("/v1/chat/completions", json={"model": "claude-redirect", "messages": ASK})
    assert answer.status_code >= 500
    assert "/elsewhere" not in world.anthropic.seen.paths


def test_silent_provider_is_504(impatient: World) -> None:
    with impatient.http() as http:
        answer = http.post("/v1/chat/completions", json={"model": "claude-hang", "messages": ASK})
    assert answer.status_code == 504
    assert answer.json()["code"] == "upstream_timeout"


@pytest.mark.parametrize(("model", "gateway"), [("claude-cut", "world"), ("claude-endless", "impatient")])
def test_broken_translated_stream_ends_with_an_error_event(
    request: pytest.FixtureRequest, model: str, gateway: str
) -> None:
    with request.getfixturevalue(gateway).http() as http:
        answer = http.post("/v1/chat/completions", json={"model": model, "messages": ASK, "stream": True})
    assert answer.status_code == 200
    assert "[DONE]" not in answer.text
    assert json.loads(answer.text.split("\n\n")[-2].removeprefix("data: "))["error"]["type"] == "server_error"


async def test_client_that_leaves_stops_the_provider_at_once(world: World) -> None:
    before = world.anthropic.seen.cancelled
    body = {"model": "claude-endless", "messages": ASK, "stream": True}
    async with (
        httpx.AsyncClient(base_url=world.url, headers={"Api-Key": world.token()}, timeout=20) as http,
        http.stream("POST", "/v1/chat/completions", json=body) as answer,
    ):
        assert await anext(answer.aiter_raw())
    await asyncio.to_thread(eventually, lambda: world.anthropic.seen.cancelled > before)


def test_unknown_parameters_stay_here(world: World) -> None:
    with world.http() as http:
        body = {"model": "claude", "messages": ASK, "drop": "me", "timeout": 0.0001, "cache": {"no-cache": True}}
        assert http.post("/v1/chat/completions", json=body).status_code == 200
    assert "drop" not in world.anthropic.seen.body


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}},
        {"type": "image_url", "image_url": "https://example.com/a.png"},
        {"type": "file", "file": {"file_id": "http://10.0.0.1/x.pdf"}},
        {"type": "video_url", "video_url": {"url": "file:///etc/passwd"}},
        {"type": "document", "source": {"type": "url", "url": "http://10.0.0.1"}},
    ],
)
def test_addresses_in_messages_are_not_fetched(world: World, part: dict[str, Any]) -> None:
    messages: Any = [{"role": "user", "content": [part]}]
    with pytest.raises(openai.BadRequestError, match="data:"):
        world.sdk().chat.completions.create(model="claude", messages=messages)


def test_inline_pictures_and_texts_with_addresses_pass() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    refuse_remote_media({"messages": [{"content": [picture, {"type": "text", "text": "see http://x"}]}]})
    with pytest.raises(BadRequestError):
        refuse_remote_media({"messages": [{"content": [{"image_url": {"detail": "low", "url": "HTTP://x"}}]}]})


def test_embeddings_become_base64_when_asked_for() -> None:
    answer = json.loads(_encoded({"data": [{"embedding": [0.5, -2.0]}]}, as_base64=True))
    assert struct.unpack("<2f", base64.b64decode(answer["data"][0]["embedding"])) == (0.5, -2.0)
