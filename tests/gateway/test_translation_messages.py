"""Anthropic's protocol for models whose endpoint knows only OpenAI's chat, called with Anthropic's SDK."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import anthropic
import httpx
import pytest

from tests.gateway.conftest import PROVIDER_KEY, World
from tests.gateway.fake_anthropic import FakeAnthropic
from tests.gateway.fake_chat_only import CALL_STREAMS, FakeChatOnly
from tests.gateway.serving import eventually, serve_application

pytestmark = pytest.mark.usefixtures("litellm_imported")

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS: list[Any] = [{"name": "weather", "description": "of a city", "input_schema": SCHEMA}]
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
BEHAVIOURS = ("plain", "thinker", "limited", "key-refused", "redirect", "hang", "endless", "cut", "short")


@dataclass
class Chat:
    """A gateway before an endpoint that speaks chat only; its models are called `chat-<behaviour>`."""

    world: World
    seen: Any

    def sdk(self) -> anthropic.Anthropic:
        return anthropic.Anthropic(base_url=self.world.url, auth_token=self.world.token(), max_retries=0, timeout=20)

    def ask(self, behaviour: str = "plain", **more: Any) -> Any:
        fields = {"max_tokens": 50, "messages": ASK, **more}
        return self.sdk().messages.create(model=f"chat-{behaviour}", **fields)

    def post(self, behaviour: str, **more: Any) -> httpx.Response:
        body = {"model": f"chat-{behaviour}", "max_tokens": 50, "messages": ASK, **more}
        with self.world.http() as http:
            return http.post("/v1/messages", json=body)


@pytest.fixture(scope="module")
def chat(world: World) -> Iterator[Chat]:
    fake, claude = FakeChatOnly(), FakeAnthropic()
    with serve_application(fake.application) as url, serve_application(claude.application) as claude_url:
        for name in (*BEHAVIOURS, *CALL_STREAMS):
            world.account.register(f"chat-{name}", f"openai/{name}", f"{url}/v1", api_key=PROVIDER_KEY)
        for name in ("good", "cut"):
            at_azure = f"{claude_url}/v1/messages"
            world.account.register(f"azure-{name}", f"azure_ai/claude-{name}", at_azure, api_key=PROVIDER_KEY)
        world.account.register("chat-keyless", "hosted_vllm/plain", f"{url}/v1")
        world.account.register("chat-brief", "openai/plain", f"{url}/v1", max_output_tokens=100)
        world.account.register("chat-small", "openai/plain", f"{url}/v1", context_window=4096)
        with world.http() as http:
            eventually(lambda: "chat-small" in http.get("/v1/models").text)
        yield Chat(world, fake.seen)


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """Each event names its type twice."""
    events = []
    for event in answer.text.strip().split("\n\n"):
        kind, data = event.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert kind == f"event: {events[-1]['type']}"
    return events


@pytest.mark.parametrize(
    ("behaviour", "asked", "least", "most"),
    [
        ("brief", 32_000, 100, 100),
        ("brief", 99, 99, 99),
        ("small", 32_000, 4000, 4095),
        ("plain", 32_000, 32_000, 32_000),
    ],
)
def test_longer_answers_than_the_model_gives_are_not_asked_for(
    chat: Chat, behaviour: str, asked: int, least: int, most: int
) -> None:
    """Claude Code asks for 32,000 tokens, whatever the model."""
    chat.ask(behaviour, max_tokens=asked, timeout=20)
    assert least <= chat.seen.body["max_tokens"] <= most


def test_sdk_asks_a_chat_model(chat: Chat) -> None:
    answer = chat.ask(system="Be brief.", stop_sequences=["x"], extra_body={"temperature": 0.2, "top_p": 0.9})
    assert (answer.model, answer.role, answer.stop_reason) == ("chat-plain", "assistant", "end_turn")
    assert answer.id.startswith("msg_")
    assert [block.text for block in answer.content] == ["Bonjour"]
    assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens, answer.usage.output_tokens) == (10, 20, 7)
    body = chat.seen.body
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    assert (body["model"], body["max_tokens"], body["stop"], body["temperature"]) == ("plain", 50, ["x"], 0.2)
    assert chat.seen.headers[-1]["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert chat.world.token() not in str(chat.seen.headers[-1])


def test_endpoint_without_a_key_gets_none_of_ours(chat: Chat) -> None:
    assert chat.ask("keyless").content[0].text == "Bonjour"
    assert PROVIDER_KEY not in str(chat.seen.headers[-1])


def test_cache_control_does_no_harm(chat: Chat) -> None:
    cached = {"cache_control": {"type": "ephemeral"}}
    system: Any = [{"type": "text", "text": "Long.", **cached}]
    messages: Any = [{"role": "user", "content": [{"type": "text", "text": "Hi", **cached}]}]
    assert chat.ask(system=system, messages=messages, tools=[{**TOOLS[0], **cached}]).content
    assert "cache_control" not in json.dumps(chat.seen.body)


def test_parallel_tools_both_ways(chat: Chat) -> None:
    answer = chat.ask(tools=TOOLS, tool_choice={"type": "any"})
    assert answer.stop_reason == "tool_use"
    assert [(b.name, b.input) for b in answer.content if b.type == "tool_use"] == [
        ("weather", {"city": "Bern"}),
        ("weather", {"city": "Zürich"}),
    ]
    body = chat.seen.body
    assert body["tool_choice"] == "required"
    assert body["tools"][0]["function"] == {"name": "weather", "description": "of a city", "parameters": SCHEMA}


def test_history_with_tools_thoughts_and_pictures(chat: Chat) -> None:
    used = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"url": "https://example.com"}}
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "sunny"}]}
    history: Any = [
        *ASK,
        {"role": "assistant", "content": [thought, {"type": "text", "text": "Let me look."}, used]},
        {"role": "user", "content": [result, PICTURE, {"type": "text", "text": "And this?"}]},
    ]
    chat.ask(messages=history, tools=TOOLS)
    assistant, tool, user = chat.seen.body["messages"][1:]
    assert assistant["tool_calls"][0]["function"]["arguments"] == '{"url": "https://example.com"}'
    assert (tool["role"], tool["tool_call_id"]) == ("tool", "toolu_1")
    assert "sunny" in json.dumps(tool)
    assert user["content"][0]["image_url"]["url"] == "data:image/png;base64,AAAA"


def test_remote_pictures_are_refused(chat: Chat) -> None:
    remote = {"type": "image", "source": {"type": "url", "url": "http://169.254.169.254/latest"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [remote]}
    for content in ([remote], [result]):
        with pytest.raises(anthropic.BadRequestError, match="data:"):
            chat.ask(messages=[{"role": "user", "content": content}])


def test_thoughts_are_told(chat: Chat) -> None:
    thought, text = chat.ask("thinker", thinking={"type": "enabled", "budget_tokens": 1024}).content
    assert (thought.type, thought.thinking, thought.signature, text.text) == ("thinking", "They greet.", "", "Bonjour")
    events = events_of(chat.post("thinker", stream=True))
    starts = [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"]
    assert starts == ["thinking", "text"]


def test_stream_is_what_the_sdk_expects(chat: Chat) -> None:
    with chat.sdk().messages.stream(model="chat-plain", max_tokens=50, messages=ASK) as stream:
        assert "".join(stream.text_stream) == "Bonjour"
        final = stream.get_final_message()
    assert (final.model, final.stop_reason) == ("chat-plain", "end_turn")
    assert (final.usage.input_tokens, final.usage.output_tokens) == (10, 7)
    assert [event["type"] for event in events_of(chat.post("plain", stream=True))] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize(
    ("behaviour", "blocks"),
    [
        ("plain", "text tool_use tool_use"),
        ("together", "thinking text tool_use tool_use"),
        ("by-turns", "text tool_use tool_use"),
        ("same-index", "text tool_use tool_use"),
        ("between", "tool_use text tool_use"),
    ],
)
def test_stream_of_parallel_tools(chat: Chat, behaviour: str, blocks: str) -> None:
    with chat.sdk().messages.stream(model=f"chat-{behaviour}", max_tokens=50, messages=ASK, tools=TOOLS) as stream:
        events = list(stream)
        final = stream.get_final_message()
    assert final.stop_reason == "tool_use"
    assert [block.type for block in final.content] == blocks.split()
    assert [block.text for block in final.content if block.type == "text"] == ["Let me look. "]
    assert [(block.id, block.input) for block in final.content if block.type == "tool_use"] == [
        ("call_1", {"city": "Bern"}),
        ("call_2", {"city": "Zürich"}),
    ]
    ends = [event.type for event in events if event.type in ("content_block_start", "content_block_stop")]
    assert ends == ["content_block_start", "content_block_stop"] * len(final.content)


@pytest.mark.parametrize(("behaviour", "gateway"), [("cut", "world"), ("short", "world"), ("endless", "impatient")])
def test_broken_stream_ends_with_an_error_event(
    request: pytest.FixtureRequest, chat: Chat, behaviour: str, gateway: str
) -> None:
    chat = replace(chat, world=request.getfixturevalue(gateway))
    answer = chat.post(behaviour, stream=True)
    assert answer.status_code == 200
    *others, last = events_of(answer)
    assert (last["type"], last["error"]["type"]) == (
        "error",
        "timeout_error" if behaviour == "endless" else "api_error",
    )
    assert "message_stop" not in [event["type"] for event in others]
    with pytest.raises(anthropic.APIStatusError):
        list(chat.sdk().messages.create(model=f"chat-{behaviour}", max_tokens=5, messages=ASK, stream=True))


def test_claude_at_azure_streams_in_its_own_words(chat: Chat) -> None:
    with chat.sdk().messages.stream(model="azure-good", max_tokens=50, messages=ASK) as stream:
        assert "".join(stream.text_stream) == "Bonjour !"
        final = stream.get_final_message()
    assert (final.id, final.model, final.stop_reason) == ("msg_1", "azure-good", "end_turn")
    events = events_of(chat.post("plain", model="azure-cut", stream=True))
    assert [event["type"] for event in events[-2:]] == ["content_block_delta", "error"]


@pytest.mark.parametrize("stream", [True, False])
def test_providers_errors_keep_their_status(chat: Chat, stream: bool) -> None:
    calls = len(chat.seen.bodies)
    with pytest.raises(anthropic.RateLimitError, match="slow down please") as limited:
        chat.ask("limited", stream=stream)
    assert limited.value.response.headers["retry-after"] == "70"
    assert len(chat.seen.bodies) == calls + 1  # nobody waits that long here
    with pytest.raises(anthropic.AuthenticationError, match="no such key") as refused:
        chat.ask("key-refused", stream=stream)
    assert refused.value.response.headers["x-lisa-error-source"] == "upstream"


def test_silent_and_redirecting_endpoints(chat: Chat, impatient: World) -> None:
    assert replace(chat, world=impatient).post("hang").status_code == 504
    answer = chat.post("redirect")
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "api_error")
    assert "/v1/elsewhere" not in chat.seen.paths


async def test_client_that_leaves_stops_the_provider_at_once(chat: Chat) -> None:
    before = chat.seen.cancelled
    body = {"model": "chat-endless", "max_tokens": 5, "messages": ASK, "stream": True}
    async with (
        httpx.AsyncClient(base_url=chat.world.url, headers={"x-api-key": chat.world.token()}, timeout=20) as http,
        http.stream("POST", "/v1/messages", json=body) as answer,
    ):
        assert await anext(answer.aiter_raw())
    await asyncio.to_thread(eventually, lambda: chat.seen.cancelled > before)


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"tools": [{"type": "advisor_20260301", "name": "advisor", "model": "claude-opus"}]}, "tools"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools"),
        ({"messages": [{"role": "user", "content": [3]}]}, "messages"),
        ({"metadata": "x"}, "metadata"),
    ],
)
def test_what_this_model_cannot_do_is_said(chat: Chat, more: dict[str, Any], names: str) -> None:
    answer = chat.post("plain", **more)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert f"`{names}`" in answer.json()["error"]["message"]


def test_unknown_parameters_stay_here(chat: Chat) -> None:
    more: dict[str, Any] = {"timeout": 0.0001, "context_management": {"edits": []}, "container": "c", "drop": 1}
    assert chat.post("plain", **more).status_code == 200
    assert not {"timeout", "context_management", "container", "drop"} & chat.seen.body.keys()


def test_tokens_are_counted_by_estimate(chat: Chat) -> None:
    sdk = chat.sdk()
    short = sdk.messages.count_tokens(model="chat-plain", messages=ASK)
    long = sdk.messages.count_tokens(model="chat-plain", messages=ASK, system="word " * 100, tools=TOOLS)
    assert 0 < short.input_tokens < 20 < 100 < long.input_tokens < 200
    assert short.to_dict()["estimated"] is True
    before = len(chat.seen.bodies)
    picture: Any = [{"role": "user", "content": [PICTURE]}]
    assert sdk.messages.count_tokens(model="chat-plain", messages=picture).input_tokens > 50
    assert len(chat.seen.bodies) == before
