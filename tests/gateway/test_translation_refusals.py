"""What cannot be translated: who asked is told what to change, and no deployment rests for it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from gateway.routing.deployments import FAILURES_BEFORE_REST
from gateway.translate.responses import _as_chat

from tests.gateway import aws_wire
from tests.gateway.conftest import PROVIDER_KEY, World
from tests.gateway.fake_bedrock import FakeBedrock
from tests.gateway.fake_chat_only import FakeChatOnly
from tests.gateway.seen import Seen
from tests.gateway.serving import eventually, serve_application

pytestmark = pytest.mark.usefixtures("litellm_imported")

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
TOOLS: list[Any] = [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}]
NAMELESS: list[Any] = [{"type": "function", "function": {"parameters": {}}}]


def says(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "What is it?"}]}]


@dataclass
class Upstreams:
    """Beside the world's: an endpoint that speaks chat only, its models `chat-<behaviour>`, and Bedrock."""

    chat: Seen
    bedrock: aws_wire.Seen

    def sent(self) -> str:
        """All that either got so far."""
        return json.dumps([self.chat.bodies, self.bedrock.bodies], ensure_ascii=False)


@pytest.fixture(scope="module")
def upstreams(world: World) -> Iterator[Upstreams]:
    chat, bedrock = FakeChatOnly(), FakeBedrock()
    register = world.account.register
    with serve_application(chat.application) as url, serve_application(bedrock.application) as bedrock_url:
        for name in ("plain", "unfinished", "garbled"):
            register(f"chat-{name}", f"openai/{name}", f"{url}/v1", api_key=PROVIDER_KEY)
        for name in ("claude", "chat-garbled"):
            only = [{"model_id": name, "weight": 1}]
            register(f"{name}-first", "lisa/deployments", deployments=only, fallbacks=["chat-plain"])
        register("nova", "bedrock/amazon.nova-pro-v1:0", bedrock_url)
        register("llama", "bedrock/meta.llama3-70b-instruct-v1:0", bedrock_url)
        register("titan", "bedrock/amazon.titan-embed-text-v1", bedrock_url, model_type="embedding")
        with world.http() as http:
            eventually(lambda: "titan" in http.get("/v1/models").text)
        yield Upstreams(chat.seen, bedrock.seen)


def post(world: World, route: str, **body: Any) -> httpx.Response:
    with world.http() as http:
        return http.post(f"/v1/{route}", json=body)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"tools": NAMELESS}, "'name' is missing"),
        ({"messages": says({"type": "weird"})}, "message"),
    ],
)
def test_question_that_cannot_be_put_is_the_callers_mistake(world: World, more: dict[str, Any], names: str) -> None:
    answer = post(world, "chat/completions", **{"model": "claude", "messages": ASK, **more})
    assert answer.status_code == 400, answer.text
    assert names in answer.json()["message"]


@pytest.mark.parametrize(
    ("model", "route", "more", "status"),
    [
        ("claude-first", "chat/completions", {"tools": NAMELESS}, 400),
        ("chat-garbled-first", "messages", {"max_tokens": 5, "tools": TOOLS}, 502),
    ],
)
def test_no_deployment_rests_for_what_cannot_be_translated(
    world: World, upstreams: Upstreams, model: str, route: str, more: dict[str, Any], status: int
) -> None:
    """Neither for a question nor for an answer: the next caller would be answered by a fallback."""
    for _ in range(FAILURES_BEFORE_REST):
        assert post(world, route, model=model, messages=ASK, **more).status_code == status
    before = len(upstreams.chat.bodies)
    post(world, route, model=model, messages=ASK, max_tokens=5)
    assert "plain" not in [body["model"] for body in upstreams.chat.bodies[before:]]


def test_call_of_a_tool_that_the_model_could_not_finish_is_told_as_one(world: World, upstreams: Upstreams) -> None:
    before = len(upstreams.chat.bodies)
    answer = post(world, "messages", model="chat-unfinished", max_tokens=5, messages=ASK, tools=TOOLS).json()
    assert [block["input"] for block in answer["content"] if block["type"] == "tool_use"] == [{"city": "Bern"}, {}]
    assert answer["stop_reason"] == "max_tokens"
    assert len(upstreams.chat.bodies) == before + 1


def test_answer_that_cannot_be_read_is_not_asked_for_again(world: World, upstreams: Upstreams) -> None:
    before = len(upstreams.chat.bodies)
    answer = post(world, "messages", model="chat-garbled", max_tokens=5, messages=ASK, tools=TOOLS)
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_failed")
    assert "cannot be read" in answer.json()["message"]
    assert len(upstreams.chat.bodies) == before + 1


def document(**source: Any) -> dict[str, Any]:
    return {"type": "document", "title": "Alps", "source": source}


TEXT = {"type": "text", "text": "Mönch"}
READ = [
    document(type="text", media_type="text/plain", data="Mönch"),
    document(type="content", content=[TEXT]),
    document(type="content", content="Mönch"),
    {"type": "search_result", "title": "Alps", "source": "s", "content": [TEXT]},
]


@pytest.mark.parametrize("model", ["chat-plain", "nova"])
@pytest.mark.parametrize("is_result", [False, True])
@pytest.mark.parametrize("part", READ)
def test_documents_and_findings_are_read_as_text(
    world: World, upstreams: Upstreams, model: str, is_result: bool, part: dict[str, Any]
) -> None:
    before = upstreams.sent().count("Mönch"), upstreams.sent().count("Alps")
    used = {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [part]}
    history = [*ASK, {"role": "assistant", "content": [used]}, *says(result)] if is_result else says(part)
    answer = post(world, "messages", model=model, messages=history, max_tokens=9, tools=TOOLS)
    assert answer.status_code == 200, answer.text
    assert (upstreams.sent().count("Mönch"), upstreams.sent().count("Alps")) == (before[0] + 1, before[1] + 1)


@pytest.mark.usefixtures("upstreams")
def test_documents_count(world: World) -> None:
    long = says(document(type="text", media_type="text/plain", data="word " * 500))
    assert post(world, "messages/count_tokens", model="chat-plain", messages=long).json()["input_tokens"] > 400


SOUND = {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("route", "model", "more", "names"),
    [
        ("chat/completions", "claude", {"messages": says(SOUND)}, "input_audio"),
        ("chat/completions", "nova", {"messages": says(SOUND)}, "input_audio"),
        ("chat/completions", "claude", {"messages": [{"role": "system", "content": [SOUND]}, *ASK]}, "input_audio"),
        ("chat/completions", "claude", {"messages": says({"type": ["text"]})}, "messages"),
        ("responses", "chat-plain", {"input": says({**SOUND})}, "input_audio"),
        ("responses", "chat-plain", {"input": [{"type": "item_reference", "id": "msg_7"}, *ASK]}, "item itself"),
        ("responses", "chat-plain", {"input": [{"type": "local_shell_call", "id": "l", "action": {}}, *ASK]}, "local_"),
        ("responses", "chat-plain", {"input": [{"type": "input_image", "image_url": "data:,"}, *ASK]}, "input_image"),
        ("completions", "claude", {"prompt": ["one", "two"]}, "prompt"),
        ("completions", "claude", {"prompt": [9906, 1917]}, "prompt"),
        ("messages", "chat-plain", {"messages": says({"type": "container_upload"})}, "container_upload"),
        ("messages", "nova", {"messages": says(document(type="file"))}, "file"),
        ("messages", "nova", {"messages": says(document(type="content", content=[SOUND]))}, "input_audio"),
        ("messages", "nova", {"messages": says({**PICTURE, "source": {"type": "sketch"}})}, "sketch"),
        ("messages", "nova", {"messages": says({"type": "tool_result", "content": [SOUND]})}, "input_audio"),
    ],
)
def test_parts_that_would_vanish_are_refused(
    world: World, upstreams: Upstreams, route: str, model: str, more: dict[str, Any], names: str
) -> None:
    before = upstreams.sent()
    answer = post(world, route, model=model, **({"max_tokens": 9} if route == "messages" else {}), **more)
    assert answer.status_code == 400, answer.text
    assert names in answer.json()["message"]
    assert upstreams.sent() == before


def test_parts_that_are_known_pass(world: World, upstreams: Upstreams) -> None:
    url = "data:application/pdf;base64,JVBERi0xLjQK"
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": url}}
    assert post(world, "chat/completions", model="claude", messages=says(part)).status_code == 200
    item = {"type": "input_file", "filename": "a.pdf", "file_data": url}
    asked = [{"type": "message", "role": "user", "content": [item, {"type": "input_text", "text": "What is it?"}]}]
    assert post(world, "responses", model="chat-plain", input=asked).status_code == 200
    assert "JVBERi0xLjQK" in upstreams.sent()
    assert post(world, "completions", model="claude", prompt=["one"]).status_code == 200


FUNCTION = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
CHAT_TOOLS: list[Any] = [{"type": "function", "function": FUNCTION}]
FLAT_TOOLS: list[Any] = [{"type": "function", **FUNCTION}]
JSON = {"type": "json_object"}
CUSTOM = {"type": "custom", "custom": {"name": "shell"}}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("route", "model", "more", "names"),
    [
        ("chat/completions", "llama", {"tools": CHAT_TOOLS}, "`tools`"),
        ("chat/completions", "claude", {"response_format": JSON}, "json_schema"),
        ("chat/completions", "nova", {"response_format": JSON}, "json_schema"),
        ("chat/completions", "nova", {"response_format": {"type": "json_schema"}}, "json_schema"),
        ("chat/completions", "claude", {"stop": "\n\n"}, "`stop`"),
        ("chat/completions", "claude", {"stop": ["END", " "]}, "`stop`"),
        ("chat/completions", "claude", {"functions": [FUNCTION]}, "`tools`"),
        ("chat/completions", "claude", {"tools": [CUSTOM]}, "`tools`"),
        ("chat/completions", "nova", {"tools": [CUSTOM]}, "`tools`"),
        ("chat/completions", "nova", {"tools": FLAT_TOOLS}, "`tools`"),
        ("messages", "llama", {"max_tokens": 9, "tools": TOOLS}, "`tools`"),
        ("responses", "llama", {"input": "Hi", "tools": FLAT_TOOLS}, "`tools`"),
        ("responses", "claude", {"input": "Hi", "text": {"format": JSON}}, "`text`"),
        ("embeddings", "titan", {"input": "x", "dimensions": 256}, "`dimensions`"),
    ],
)
def test_parameters_that_decide_are_not_dropped(
    world: World, upstreams: Upstreams, route: str, model: str, more: dict[str, Any], names: str
) -> None:
    before = upstreams.sent()
    answer = post(world, route, **{"model": model, "messages": ASK, **more})
    assert answer.status_code == 400, answer.text
    assert names in answer.json()["message"]
    assert upstreams.sent() == before


@pytest.mark.usefixtures("upstreams")
@pytest.mark.parametrize("model", ["claude", "nova", "llama"])
def test_parameters_that_ask_for_nothing_pass(world: World, model: str) -> None:
    nothing = {"tools": [], "tool_choice": "auto", "response_format": {"type": "text"}, "stop": [], "n": 1}
    answer = post(world, "chat/completions", model=model, messages=ASK, **nothing)
    assert answer.status_code == 200, answer.text
    answer = post(world, "responses", model=model, input="Hi", tools=[], text={"format": {"type": "text"}})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("text", [None, {}, {"format": None}, {"format": {"type": "text"}}, {"verbosity": "low"}])
def test_a_response_in_text_asks_for_no_format(text: Any) -> None:
    """Which some providers lack."""
    assert _as_chat({"text": text})["response_format"] is None


@pytest.mark.parametrize(
    ("route", "more"),
    [
        ("chat/completions", {"messages": ASK, "tools": CHAT_TOOLS, "tool_choice": "none"}),
        ("messages", {"max_tokens": 9, "messages": ASK, "tools": TOOLS, "tool_choice": {"type": "none"}}),
        ("responses", {"input": "Hi", "tools": FLAT_TOOLS, "tool_choice": "none"}),
    ],
)
def test_bedrock_gets_no_tools_that_it_must_not_call(
    world: World, upstreams: Upstreams, route: str, more: dict[str, Any]
) -> None:
    assert post(world, route, model="nova", **more).status_code == 200
    assert "toolConfig" not in upstreams.bedrock.body


def test_bedrock_gets_the_tools_to_which_a_history_refers(world: World, upstreams: Upstreams) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    said = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1", "content": "sunny"}]
    more = {"messages": [*ASK, *said], "tools": CHAT_TOOLS, "tool_choice": "none"}
    assert post(world, "chat/completions", model="nova", **more).status_code == 200
    assert "weather" in json.dumps(upstreams.bedrock.body["toolConfig"])


def test_one_tool_at_a_time_is_asked_for(world: World, upstreams: Upstreams) -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    answer = post(world, "messages", model="chat-plain", messages=ASK, max_tokens=9, tools=TOOLS, tool_choice=choice)
    assert answer.status_code == 200
    assert upstreams.chat.body["parallel_tool_calls"] is False
    assert upstreams.chat.body["tool_choice"] == "auto"
