"""OpenAI's Responses for models whose endpoint knows only chat, or another protocol, called with OpenAI's SDK."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

from tests.gateway.conftest import PROVIDER_KEY, World
from tests.gateway.fake_chat_only import FakeChatOnly
from tests.gateway.seen import Seen
from tests.gateway.serving import eventually, serve_application

pytestmark = pytest.mark.usefixtures("litellm_imported")

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [{"type": "function", "name": "weather", "description": "of a city", "parameters": SCHEMA}]
PICTURE = {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"}
BEHAVIOURS = ("plain", "thinker", "limited", "cut", "short")


@pytest.fixture(scope="module")
def seen(world: World) -> Iterator[Seen]:
    """What a chat-only endpoint saw; its models are called `chat-<behaviour>`."""
    fake = FakeChatOnly()
    with serve_application(fake.application) as url:
        for name in BEHAVIOURS:
            world.account.register(f"chat-{name}", f"openai/{name}", f"{url}/v1", api_key=PROVIDER_KEY)
        with world.http() as http:
            eventually(lambda: "chat-short" in http.get("/v1/models").text)
        yield fake.seen


def post(world: World, **body: Any) -> httpx.Response:
    with world.http() as http:
        return http.post("/v1/responses", json={"model": "chat-plain", "input": "Hi", **body})


def test_sdk_asks_a_chat_model(world: World, seen: Seen) -> None:
    answer = world.sdk().responses.create(
        model="chat-plain", input="Hi", instructions="Be brief.", max_output_tokens=50, temperature=0.2
    )
    assert (answer.model, answer.output_text, answer.status) == ("chat-plain", "Bonjour", "completed")
    assert answer.id.startswith("resp_")
    assert (answer.instructions, answer.max_output_tokens) == ("Be brief.", 50)
    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (30, 7)
    assert answer.usage.input_tokens_details.cached_tokens == 20
    assert seen.body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    assert (seen.body["model"], seen.body["max_tokens"], seen.body["temperature"]) == ("plain", 50, 0.2)
    assert world.token() not in str(seen.headers[-1])


def test_sdk_asks_another_protocol(world: World) -> None:
    assert world.sdk().responses.create(model="claude", input="Hi").output_text == "Bonjour"
    assert world.anthropic.seen.body["messages"][0]["role"] == "user"


def test_tools_and_their_answers(world: World, seen: Seen) -> None:
    answer = world.sdk().responses.create(model="chat-plain", input="Weather?", tools=TOOLS, tool_choice="required")
    calls = [item for item in answer.output if item.type == "function_call"]
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Bern", "Zürich"]
    assert seen.body["tools"][0]["function"]["parameters"] == SCHEMA
    assert seen.body["tool_choice"] == "required"
    history: Any = [
        {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}, PICTURE]},
        *[item.to_dict() for item in answer.output],
        *[{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"} for call in calls],
    ]
    world.sdk().responses.create(model="chat-plain", input=history, tools=TOOLS)
    user, *others = seen.body["messages"]
    assert user["content"][1]["image_url"]["url"] == PICTURE["image_url"]
    assert [m["tool_call_id"] for m in others if m["role"] == "tool"] == ["call_1", "call_2"]
    assert sum(len(m.get("tool_calls") or ()) for m in others) == 2


def test_answer_in_a_schema(world: World, seen: Seen) -> None:
    class Place(BaseModel):
        city: str

    with pytest.raises(ValueError, match="Bonjour"):  # which is no such object
        world.sdk().responses.parse(model="chat-plain", input="Where?", text_format=Place)
    asked = seen.body["response_format"]
    assert (asked["type"], asked["json_schema"]["name"]) == ("json_schema", "Place")


def test_stream_is_what_the_sdk_expects(world: World, seen: Seen) -> None:
    with world.sdk().responses.stream(model="chat-plain", input="Hi") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (final.output_text, final.model) == ("Bonjour", "chat-plain")
    assert final.usage and final.usage.total_tokens == 37
    assert seen.body["stream_options"] == {"include_usage": True}


def test_stream_has_one_id_and_named_events(world: World, seen: Seen) -> None:
    answer = post(world, stream=True)
    assert answer.headers["content-type"] == "text/event-stream"
    ids = set()
    for event in answer.text.strip().split("\n\n"):
        kind, data = event.split("\n")
        body = json.loads(data.removeprefix("data: "))
        assert kind == f"event: {body['type']}"
        if "response" in body:
            ids.add(body["response"]["id"])
    assert len(ids) == 1


def test_stream_of_parallel_tools(world: World, seen: Seen) -> None:
    with world.sdk().responses.stream(model="chat-plain", input="Hi", tools=TOOLS) as stream:
        final = stream.get_final_response()
    calls = [json.loads(item.arguments) for item in final.output if item.type == "function_call"]
    assert calls == [{"city": "Bern"}, {"city": "Zürich"}]


def test_thoughts_are_told_as_a_summary_and_go_back_as_thoughts(world: World, seen: Seen) -> None:
    answer = world.sdk().responses.create(model="chat-thinker", input="Hi", reasoning={"effort": "low"})
    thought, message = answer.output
    assert (thought.type, message.type) == ("reasoning", "message")
    assert thought.type == "reasoning" and [part.text for part in thought.summary] == ["They greet."]
    assert thought.to_dict().keys() == {"type", "id", "status", "summary"}
    history: Any = [{"role": "user", "content": "Hi"}, *(item.to_dict() for item in answer.output)]
    world.sdk().responses.create(model="chat-thinker", input=history)
    assert seen.body["messages"][1]["reasoning_content"] == "They greet."


def test_stream_of_thoughts_is_what_the_sdk_expects(world: World, seen: Seen) -> None:
    with world.sdk().responses.stream(model="chat-thinker", input="Hi") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [event.type.removeprefix("response.") for event in events[2:10]] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    begun, _, *_, done, _ = events[2:10]
    assert begun.type == "response.output_item.added" and done.type == "response.output_item.done"
    thoughts = [begun.item, done.item, final.output[0]]
    summaries = [[part.text for part in item.summary] for item in thoughts if item.type == "reasoning"]
    assert summaries == [[], ["They greet."], ["They greet."]]
    assert len({item.to_dict()["id"] for item in thoughts}) == 1
    assert final.output_text == "Bonjour"


@pytest.mark.parametrize("behaviour", ["cut", "short"])
def test_broken_stream_ends_with_an_error_event(world: World, seen: Seen, behaviour: str) -> None:
    text = post(world, model=f"chat-{behaviour}", stream=True).text
    assert text.strip().split("\n\n")[-1].startswith("event: error\n")
    assert "response.completed" not in text
    with pytest.raises(openai.APIError):
        list(world.sdk().responses.create(model=f"chat-{behaviour}", input="Hi", stream=True))


@pytest.mark.parametrize("stream", [True, False])
def test_providers_error_keeps_its_status(world: World, seen: Seen, stream: bool) -> None:
    with pytest.raises(openai.RateLimitError, match="slow down please"):
        world.sdk().responses.create(model="chat-limited", input="Hi", stream=stream)
    with pytest.raises(openai.RateLimitError, match="too many tokens"):
        world.sdk().responses.create(model="claude-overloaded", input="Hi", stream=stream)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}, "tools"),
        ({"tools": [{"type": "mcp", "server_label": "x", "server_url": "http://10.0.0.1"}]}, "tools"),
        ({"input": [{"role": "user", "content": 3}, 4]}, "input"),
    ],
)
def test_what_this_model_cannot_do_is_said(world: World, seen: Seen, more: dict[str, Any], name: str) -> None:
    calls = len(seen.bodies)
    answer = post(world, **more)
    assert answer.status_code == 400
    assert f"`{name}`" in answer.json()["error"]["message"]
    assert len(seen.bodies) == calls


@pytest.mark.parametrize(
    "item",
    [
        {"role": "user", "content": [{"type": "input_image", "image_url": "http://169.254.169.254/latest"}]},
        {"role": "user", "content": [{"type": "input_file", "file_url": "https://example.com/a.pdf"}]},
        {"type": "input_image", "image_url": "http://10.0.0.1/a.png"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": "http://x"}]},
    ],
)
def test_addresses_in_input_are_not_fetched(world: World, seen: Seen, item: dict[str, Any]) -> None:
    answer = post(world, input=[item])
    assert answer.status_code == 400
    assert "data:" in answer.json()["message"]
