"""What cannot be translated: who asked is told what to change, and no deployment rests for it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from gateway.routing.deployments import FAILURES_BEFORE_REST

from tests.gateway.conftest import PROVIDER_KEY, World
from tests.gateway.fake_chat_only import FakeChatOnly
from tests.gateway.seen import Seen
from tests.gateway.serving import eventually, serve_application

pytestmark = pytest.mark.usefixtures("litellm_imported")

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
TOOLS: list[Any] = [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}]


def says(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "What is it?"}]}]


@pytest.fixture(scope="module")
def chat_only(world: World) -> Iterator[Seen]:
    """What a chat-only endpoint saw; its models are called `chat-<behaviour>`."""
    fake = FakeChatOnly()
    with serve_application(fake.application) as url:
        for name in ("plain", "unfinished", "garbled"):
            world.account.register(f"chat-{name}", f"openai/{name}", f"{url}/v1", api_key=PROVIDER_KEY)
        for name in ("claude", "chat-garbled"):
            only = [{"model_id": name, "weight": 1}]
            world.account.register(f"{name}-first", "lisa/deployments", deployments=only, fallbacks=["chat-plain"])
        with world.http() as http:
            eventually(lambda: "chat-garbled-first" in http.get("/v1/models").text)
        yield fake.seen


def post(world: World, route: str, **body: Any) -> httpx.Response:
    with world.http() as http:
        return http.post(f"/v1/{route}", json=body)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"max_tokens": "5"}, "str"),
        ({"tools": [{"type": "function", "name": "now", "parameters": {}}]}, "'function' is missing"),
        ({"messages": says({"type": "weird"})}, "message"),
        ({"response_format": {"type": "json_schema"}}, "'json_schema' is missing"),
    ],
)
def test_question_that_cannot_be_put_is_the_callers_mistake(world: World, more: dict[str, Any], names: str) -> None:
    answer = post(world, "chat/completions", **{"model": "claude", "messages": ASK, **more})
    assert answer.status_code == 400, answer.text
    assert names in answer.json()["message"]


@pytest.mark.parametrize(
    ("model", "route", "more", "status"),
    [
        ("claude-first", "chat/completions", {"max_tokens": "5"}, 400),
        ("chat-garbled-first", "messages", {"max_tokens": 5, "tools": TOOLS}, 502),
    ],
)
def test_no_deployment_rests_for_what_cannot_be_translated(
    world: World, chat_only: Seen, model: str, route: str, more: dict[str, Any], status: int
) -> None:
    """Neither for a question nor for an answer: the next caller would be answered by a fallback."""
    for _ in range(FAILURES_BEFORE_REST):
        assert post(world, route, model=model, messages=ASK, **more).status_code == status
    before = len(chat_only.bodies)
    post(world, route, model=model, messages=ASK, max_tokens=5)
    assert "plain" not in [body["model"] for body in chat_only.bodies[before:]]


def test_call_of_a_tool_that_the_model_could_not_finish_is_told_as_one(world: World, chat_only: Seen) -> None:
    before = len(chat_only.bodies)
    answer = post(world, "messages", model="chat-unfinished", max_tokens=5, messages=ASK, tools=TOOLS).json()
    assert [block["input"] for block in answer["content"] if block["type"] == "tool_use"] == [{"city": "Bern"}, {}]
    assert answer["stop_reason"] == "max_tokens"
    assert len(chat_only.bodies) == before + 1


def test_answer_that_cannot_be_read_is_not_asked_for_again(world: World, chat_only: Seen) -> None:
    before = len(chat_only.bodies)
    answer = post(world, "messages", model="chat-garbled", max_tokens=5, messages=ASK, tools=TOOLS)
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_failed")
    assert "cannot be read" in answer.json()["message"]
    assert len(chat_only.bodies) == before + 1
