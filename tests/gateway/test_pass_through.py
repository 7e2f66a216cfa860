"""Calls to upstreams that speak OpenAI's protocol, made with OpenAI's own SDK."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.gateway.conftest import PROVIDER_KEY, World
from tests.gateway.fake_openai import _answer_text, _events
from tests.gateway.serving import eventually

ASK: list[Any] = [{"role": "user", "content": "Hi"}]


def ask(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": ASK, **more}


def test_sdk_chats(world: World) -> None:
    answer = world.sdk().chat.completions.create(model="echo", messages=ASK)
    assert answer.choices[0].message.content == "Hello  \u2028 there"
    assert answer.usage and answer.usage.total_tokens == 7


def test_sdk_streams_with_usage(world: World) -> None:
    stream = world.sdk().chat.completions.create(
        model="echo", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello there \u2603"
    assert chunks[-1].usage and chunks[-1].usage.completion_tokens == 4


async def test_async_sdk_streams_many_at_once(world: World) -> None:
    async with world.async_sdk() as sdk:

        async def read() -> str:
            stream = await sdk.chat.completions.create(model="dribble", messages=ASK, stream=True)
            return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

        texts = await asyncio.gather(*(read() for _ in range(20)))
    assert set(texts) == {"Hello there \u2603"}


def test_sdk_gets_tool_calls_streamed_and_not(world: World) -> None:
    tools: Any = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    answer = world.sdk().chat.completions.create(model="tools", messages=ASK, tools=tools)
    assert answer.choices[0].message.tool_calls[0].function.arguments == '{"city":"Zürich"}'  # type: ignore
    stream = world.sdk().chat.completions.create(model="tools", messages=ASK, tools=tools, stream=True)
    calls = [c for chunk in stream for c in (chunk.choices[0].delta.tool_calls or [])]
    assert calls[0].function and calls[0].function.name == "weather"


def test_sdk_completes_streamed_and_not(world: World) -> None:
    assert world.sdk().completions.create(model="echo", prompt="x").choices[0].text == "Hello there"
    stream = world.sdk().completions.create(model="echo", prompt="x", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == "Hello there \u2603"


@pytest.mark.parametrize("encoding", [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}])
def test_sdk_embeds(world: World, encoding: dict[str, Any]) -> None:
    answer = world.sdk().embeddings.create(model="minilm", input=["four", "sixsix"], **encoding)
    vectors = [item.embedding for item in answer.data]
    if encoding.get("encoding_format") == "base64":
        assert all(isinstance(vector, str) for vector in vectors)
    else:
        assert vectors == [[4.0, 0.5, -0.25], [6.0, 0.5, -0.25]]


@pytest.mark.parametrize("prefix", ["/v1", "/v2/serve", "/v2/serve/v1"])
def test_every_prefix_leads_to_the_same_routes(world: World, prefix: str) -> None:
    sdk = world.sdk(path=prefix)
    assert sdk.chat.completions.create(model="echo", messages=ASK).id == "chatcmpl-up"
    assert sdk.models.retrieve("echo").id == "echo"


def test_bytes_of_the_answer_are_untouched(world: World) -> None:
    with world.http() as http:
        answer = http.post("/v1/chat/completions", json=ask("echo"))
    assert answer.text == _answer_text("/chat/completions", {"model": "echo"})
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_bytes_of_a_stream_are_untouched(world: World) -> None:
    with world.http() as http:
        answer = http.post("/v1/chat/completions", json=ask("dribble", stream=True))
    assert answer.content == b"".join(_events("/chat/completions", {"model": "dribble"}))
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"


def test_events_arrive_while_the_upstream_is_still_silent(world: World) -> None:
    told = b""
    with world.http() as http, http.stream("POST", "/v1/chat/completions", json=ask("gap", stream=True)) as answer:
        pieces = answer.iter_raw()
        while told.count(b"\n\n") < 2:
            told += next(pieces)
    assert told == b"".join(_events("/chat/completions", {"model": "gap"})[:2])


def test_only_the_model_changes_in_the_body(world: World) -> None:
    sent = ask("keyless", temperature=0.1, seed=2**53 + 1, unknown={"deep": [1, None, "\u00e9"]}, user="someone")
    with world.http() as http:
        assert http.post("/v1/chat/completions", json=sent).status_code == 200
    assert world.upstream.seen.body == {**sent, "model": "echo"}
    assert list(world.upstream.seen.body) == list(sent)


def test_absent_user_becomes_the_caller(world: World) -> None:
    world.sdk("bob").chat.completions.create(model="echo", messages=ASK)
    assert world.upstream.seen.body["user"] == "bob"
    assert world.upstream.seen.headers[-1]["x-litellm-end-user-id"] == "bob"


def test_provider_key_goes_upstream_and_nothing_of_the_callers_headers(world: World) -> None:
    with world.http() as http:
        http.post(
            "/v1/chat/completions",
            json=ask("echo"),
            headers={"X-Secret": "mine", "Cookie": "a=b", "X-Forwarded-For": "1.2.3.4", "Api-Key": "other"},
        )
    headers = world.upstream.seen.headers[-1]
    assert headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert not {"x-secret", "cookie", "x-forwarded-for", "api-key"} & headers.keys()
    assert world.token() not in str(headers)


def test_upstream_without_a_key_gets_none(world: World) -> None:
    world.sdk().chat.completions.create(model="keyless", messages=ASK)
    assert "authorization" not in world.upstream.seen.headers[-1]


async def test_slow_answers_do_not_hold_up_others(world: World) -> None:
    asked = len(world.upstream.seen.bodies)
    async with httpx.AsyncClient(base_url=world.url, headers={"Api-Key": world.token()}, timeout=20) as http:
        slow = [asyncio.create_task(http.post("/v1/chat/completions", json=ask("hang"))) for _ in range(30)]
        await asyncio.to_thread(eventually, lambda: len(world.upstream.seen.bodies) == asked + len(slow))
        assert (await http.post("/v1/chat/completions", json=ask("echo"))).status_code == 200
        assert not any(call.done() for call in slow)
        for call in slow:
            call.cancel()
        await asyncio.wait(slow)
