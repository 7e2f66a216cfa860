"""The same providers, asked with Anthropic's SDK: Claude at Bedrock speaks its protocol, the others are translated."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import pytest

from tests.gateway.fake_bedrock import THOUGHT, TOOL
from tests.gateway.provider_world import FAMILIES, GREETINGS, Providers, provider_world
from tests.gateway.serving import eventually

pytestmark = pytest.mark.usefixtures("litellm_imported")

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
THINKING: Any = {"type": "enabled", "budget_tokens": 1024}
TOOLS: Any = [{"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]


@pytest.fixture(scope="module")
def providers() -> Iterator[Providers]:
    with provider_world() as found:
        yield found


@pytest.mark.parametrize("family", FAMILIES)
def test_sdk_gets_a_message(providers: Providers, family: str) -> None:
    answer = providers.anthropic().messages.create(
        model=f"{family}-good", max_tokens=20, messages=ASK, system="Be kind."
    )
    assert answer.model == f"{family}-good"
    assert [block.text for block in answer.content if block.type == "text"] == [GREETINGS[family]]
    assert (answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens) == ("end_turn", 11, 5)
    assert "Be kind." in json.dumps(providers.fake(family).seen.body)


@pytest.mark.parametrize("behaviour", ["good", "dribble"])
@pytest.mark.parametrize("family", FAMILIES)
def test_sdk_streams_a_message(providers: Providers, family: str, behaviour: str) -> None:
    with providers.anthropic().messages.stream(model=f"{family}-{behaviour}", max_tokens=20, messages=ASK) as stream:
        assert "".join(stream.text_stream) == GREETINGS[family]
        final = stream.get_final_message()
    assert final.model == f"{family}-{behaviour}"
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 5)


@pytest.mark.parametrize("family", FAMILIES)
def test_tools_are_called_streamed_and_not(providers: Providers, family: str) -> None:
    sdk, model = providers.anthropic(), f"{family}-good"
    answer = sdk.messages.create(model=model, max_tokens=20, messages=ASK, tools=TOOLS)
    with sdk.messages.stream(model=model, max_tokens=20, messages=ASK, tools=TOOLS) as stream:
        final = stream.get_final_message()
    for message in (answer, final):
        (use,) = [block for block in message.content if block.type == "tool_use"]
        assert (use.name, set(use.input)) == ("weather", {"city"})
        assert message.stop_reason == "tool_use"


def test_refusal_is_told(providers: Providers) -> None:
    ask: Any = {"model": "azure-refusing", "max_tokens": 20, "messages": ASK}
    answer = providers.anthropic().messages.create(**ask)
    with providers.anthropic().messages.stream(**ask) as stream:
        final = stream.get_final_message()
    for message in (answer, final):
        assert [block.to_dict()["text"] for block in message.content] == ["I cannot."]
        assert message.stop_reason == "refusal"


@pytest.mark.parametrize(
    ("model", "status"),
    [
        *(("converse-throttled", 429), ("converse-invalid", 400), ("invoke-throttled", 429), ("invoke-denied", 403)),
        *(("sagemaker-throttled", 429), ("azure-throttled", 429), ("azure-absent", 404)),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_keep_their_status(providers: Providers, model: str, status: int, stream: bool) -> None:
    with pytest.raises(anthropic.APIStatusError) as refused:
        providers.anthropic().messages.create(model=model, max_tokens=5, messages=ASK, stream=stream)
    assert refused.value.status_code == status
    assert refused.value.body["type"] == "error"  # type: ignore[index]


@pytest.mark.parametrize("behaviour", ["cut", "failing", "overloaded", "corrupt", "short"])
@pytest.mark.parametrize("family", ["converse", "invoke"])
def test_broken_stream_ends_with_an_error_event(providers: Providers, family: str, behaviour: str) -> None:
    answer = providers.post("messages", model=f"{family}-{behaviour}", max_tokens=5, messages=ASK, stream=True)
    assert answer.status_code == 200
    assert "message_stop" not in answer.text
    kind, _, data = answer.text.rstrip().rpartition("\n\n")[2].partition("\ndata: ")
    assert kind == "event: error"
    message = json.loads(data)["error"]["message"]
    assert message and "cannot be reached" not in message


@pytest.mark.parametrize("family", FAMILIES)
async def test_client_that_leaves_stops_the_provider(providers: Providers, family: str) -> None:
    before = providers.fake(family).seen.cancelled
    body = {"model": f"{family}-endless", "max_tokens": 5, "messages": ASK, "stream": True}
    async with (
        httpx.AsyncClient(base_url=providers.url, headers={"Api-Key": providers.token}, timeout=20) as http,
        http.stream("POST", "/v1/messages", json=body) as answer,
    ):
        assert await anext(answer.aiter_raw())
    await asyncio.to_thread(eventually, lambda: providers.fake(family).seen.cancelled > before)


def test_claude_at_bedrock_answers_in_its_own_words(providers: Providers) -> None:
    sdk, seen = providers.anthropic(), providers.bedrock.seen
    fields: dict[str, Any] = {"model": "invoke-good", "max_tokens": 2000, "messages": ASK, "thinking": THINKING}
    answer = sdk.messages.create(**fields, tools=TOOLS)
    with sdk.messages.stream(**fields, tools=TOOLS) as stream:
        final = stream.get_final_message()
    for message in (answer, final):
        assert (message.id, message.model, message.stop_reason) == ("msg_bdrk_1", "invoke-good", "tool_use")
        assert [block.to_dict(exclude_none=True) for block in message.content] == [THOUGHT, TOOL]
    assert seen.body["thinking"] == THINKING
    assert seen.paths[-1].endswith("/invoke-with-response-stream")


def test_stream_of_claude_at_bedrock_is_counted_once_with_what_its_cache_gave(providers: Providers) -> None:
    cached = [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}]
    sdk = providers.anthropic().with_options(default_headers={"x-lisa-session-id": "cached"})
    with sdk.messages.stream(model="invoke-good", max_tokens=20, messages=cached) as stream:  # type: ignore[arg-type]
        usage = stream.get_final_message().usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (11, 100, 5)
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found.extend(record for record in providers.cloud.usage() if record["sessionId"] == "cached")
        return bool(found)

    eventually(look, 8)
    (record,) = found
    assert (record["promptTokens"], record["cachedTokens"], record["completionTokens"]) == (111, 100, 5)
    assert (record["status"], record["estimated"]) == ("completed", False)
