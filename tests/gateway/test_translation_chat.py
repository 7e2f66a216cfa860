"""The finer points of OpenAI's chat with a model that speaks Anthropic's protocol, called with OpenAI's SDK."""

import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.gateway.conftest import World

pytestmark = pytest.mark.usefixtures("litellm_imported")

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}]
CITIES = [{"city": "Bern"}, {"city": "Zürich"}]


class Place(BaseModel):
    city: str


def test_parallel_tools(world: World) -> None:
    answer = world.sdk().chat.completions.create(model="claude", messages=ASK, tools=TOOLS, tool_choice="required")
    calls: Any = answer.choices[0].message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == CITIES
    assert answer.choices[0].finish_reason == "tool_calls"
    body = world.anthropic.seen.body
    assert (body["tools"][0]["input_schema"]["required"], body["tool_choice"]) == (["city"], {"type": "any"})


def test_parallel_tools_streamed(world: World) -> None:
    with world.sdk().chat.completions.stream(model="claude", messages=ASK, tools=TOOLS) as stream:
        for _ in stream:
            pass
        message: Any = stream.get_final_completion().choices[0].message
    assert [json.loads(call.function.arguments) for call in message.tool_calls] == CITIES
    assert [call.id for call in message.tool_calls] == ["toolu_1", "toolu_2"]


def test_one_tool_at_a_time(world: World) -> None:
    world.sdk().chat.completions.create(model="claude", messages=ASK, tools=TOOLS, parallel_tool_calls=False)
    assert world.anthropic.seen.body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_history_with_tools_and_pictures(world: World) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    history: Any = [
        {"role": "system", "content": "Be brief."},
        *ASK,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "user", "content": [{"type": "text", "text": "And this?"}, picture]},
    ]
    world.sdk().chat.completions.create(model="claude", messages=history, tools=TOOLS, stop=["END"])
    body = world.anthropic.seen.body
    assert body["system"][0]["text"] == "Be brief."
    assert body["stop_sequences"] == ["END"]
    said = json.dumps(body["messages"])
    assert '"type": "tool_result", "tool_use_id": "call_1"' in said
    assert '"source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}' in said


def test_answer_in_a_schema(world: World) -> None:
    with pytest.raises(ValueError, match="Place"):  # the fake says Bonjour
        world.sdk().chat.completions.parse(model="claude", messages=ASK, response_format=Place)
    assert '"city"' in json.dumps(world.anthropic.seen.body)


def test_thoughts_are_told(world: World) -> None:
    ask: Any = {"model": "claude", "messages": ASK, "reasoning_effort": "low"}
    message: Any = world.sdk().chat.completions.create(**ask).choices[0].message
    assert (message.content, message.reasoning_content) == ("Bonjour", "They greet.")
    assert world.anthropic.seen.body["thinking"]["type"] == "enabled"
    chunks = list(world.sdk().chat.completions.create(**ask, stream=True))
    deltas: list[Any] = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "They greet."
    assert "".join(delta.content or "" for delta in deltas) == "Bonjour !"


def test_thoughts_go_back_with_their_signature(world: World) -> None:
    ask: Any = {"model": "claude", "reasoning_effort": "low", "tools": TOOLS}
    message = world.sdk().chat.completions.create(messages=ASK, **ask).choices[0].message
    results: Any = [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in message.tool_calls or ()]
    world.sdk().chat.completions.create(messages=[*ASK, message.to_dict(), *results], **ask)
    thought = world.anthropic.seen.body["messages"][1]["content"][0]
    assert (thought["type"], thought["signature"]) == ("thinking", "signed")


def test_several_answers_are_refused_rather_than_one_given(world: World) -> None:
    assert world.sdk().chat.completions.create(model="claude", messages=ASK, n=1).choices
    with pytest.raises(openai.BadRequestError, match="`n`"):
        world.sdk().chat.completions.create(model="claude", messages=ASK, n=2)


def test_what_only_advises_is_left_out(world: World) -> None:
    more: Any = {"logprobs": True, "seed": 3, "logit_bias": {"1": 2}}
    answer = world.sdk().chat.completions.create(model="claude", messages=ASK, **more)
    assert answer.choices[0].message.content == "Bonjour"
    assert not {"logprobs", "seed", "logit_bias"} & world.anthropic.seen.body.keys()


@pytest.mark.parametrize("asked", [True, False])
def test_usage_ends_a_stream_if_asked_for(world: World, asked: bool) -> None:
    more: Any = {"stream_options": {"include_usage": True}} if asked else {}
    chunks = list(world.sdk().chat.completions.create(model="claude", messages=ASK, stream=True, **more))
    assert [chunk.usage.prompt_tokens for chunk in chunks if chunk.usage] == ([11] if asked else [])
    assert all(chunk.choices for chunk in chunks[:-1])
    assert bool(chunks[-1].choices) is not asked


def test_cached_tokens_are_part_of_the_prompt(world: World) -> None:
    text = {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral"}}
    messages: Any = [{"role": "user", "content": [text]}]
    usage = world.sdk().chat.completions.create(model="claude", messages=messages).usage
    assert usage and usage.prompt_tokens_details
    assert (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens) == (161, 100)
    # Anthropic's fields mean tokens beside the prompt's
    assert not any("cache_" in name for name in usage.to_dict())
