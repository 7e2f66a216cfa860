"""Chat grounded on a repository: what the model gets, what the caller gets, what goes wrong."""

import json
from typing import Any

import httpx
import openai
import pytest
from gateway.grounding import Citation, grounded, question_of
from lisa.errors import BadRequestError
from lisa.retrieval.prompt import passages_in

from tests.gateway.conftest import World
from tests.gateway.serving import eventually

ASK: list[Any] = [{"role": "user", "content": "Who grows the Zwickau pippin?"}]
pytestmark = pytest.mark.usefixtures("litellm_imported")
DEMO = {"lisa": {"repositoryId": "demo", "collectionId": "minilm", "topK": 5}}


def post(
    world: World, lisa: Any, model: str = "echo", path: str = "/v1/chat/completions", **more: Any
) -> httpx.Response:
    with world.http() as http:
        return http.post(path, json={"model": model, "messages": ASK, "lisa": lisa, **more})


@pytest.mark.parametrize("model", ["echo", "claude"])
def test_answer_carries_the_citations(world: World, model: str) -> None:
    answer = world.sdk().chat.completions.create(model=model, messages=ASK, extra_body=DEMO)
    assert answer.choices[0].message.content
    first, second = answer.model_extra["lisa"]["citations"]  # type: ignore[index]
    assert first == {
        "number": 1,
        "documentId": "d1",
        "documentName": "orchards.pdf",
        "source": "s3://docs/demo/minilm/orchards.pdf",
        "repositoryId": "demo",
        "collectionId": "minilm",
        "page": 2,
        "headings": ["Apples"],
        "start": 10,
        "end": 50,
        "text": "The Zwickau pippin grows at Adderbury.",
        "score": 0.9,
    }
    assert (second["number"], second["page"], second["collectionId"]) == (2, None, "minilm")


@pytest.mark.parametrize("model", ["echo", "claude"])
def test_stream_begins_with_the_citations_in_an_empty_delta(world: World, model: str) -> None:
    stream: Any = world.sdk().chat.completions.create(model=model, messages=ASK, stream=True, extra_body=DEMO)
    chunks = list(stream)
    assert chunks[0].choices[0].delta.content == ""
    assert chunks[0].choices[0].finish_reason is None
    assert [c["number"] for c in chunks[0].lisa["citations"]] == [1, 2]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices).strip()


def test_model_gets_the_passages_and_not_the_field(world: World) -> None:
    world.sdk().chat.completions.create(model="echo", messages=ASK, extra_body=DEMO)
    body = world.upstream.seen.body
    assert "lisa" not in body
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    titles = [passage.title for passage in passages_in(body["messages"][0]["content"])]
    assert titles == ["orchards.pdf, page 2", "pears.txt"]


def test_translated_model_gets_the_passages_too(world: World) -> None:
    world.sdk().chat.completions.create(model="claude", messages=ASK, extra_body=DEMO)
    assert "Adderbury" in json.dumps(world.anthropic.seen.body["system"])
    assert "lisa" not in world.anthropic.seen.body


def test_search_is_done_as_the_caller(world: World) -> None:
    lisa = {"repositoryId": "demo", "topK": 7, "mode": "vector", "filters": {"year": 2024}}
    with world.http(None) as http:
        body = {"model": "echo", "messages": ASK, "lisa": lisa}
        assert http.post("/v1/chat/completions", json=body, headers={"Api-Key": world.token()}).status_code == 200
    seen = world.control_plane.seen
    assert seen.headers[-1]["authorization"] == f"Bearer {world.token()}"
    assert seen.body == {
        "query": ASK[0]["content"],
        "topK": 7,
        "score": True,
        "mode": "vector",
        "filters": {"year": 2024},
    }


def test_passages_count_for_limits_before_they_are_found_and_with_their_length_afterwards(world: World) -> None:
    world.account.issue("reader", "user")
    world.account.limit("user#reader", tokens_per_minute=8000)

    def ask(repository: str, top_k: int) -> httpx.Response:
        body = {"model": "echo", "messages": ASK, "max_tokens": 5}
        with world.http("reader") as http:
            lisa = {"repositoryId": repository, "topK": top_k}
            return http.post("/v1/chat/completions", json={**body, "lisa": lisa})

    eventually(lambda: ask("demo", 100).status_code == 429)
    searches = len(world.control_plane.seen.bodies)
    assert "too low" in ask("demo", 100).text
    assert len(world.control_plane.seen.bodies) == searches
    assert ask("demo", 1).status_code == 200
    refused = ask("long", 1)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limit_exceeded")
    assert len(world.control_plane.seen.bodies) == searches + 2


def test_nothing_found_is_an_answer_without_citations(world: World) -> None:
    answer = post(world, {"repositoryId": "empty"})
    assert answer.status_code == 200
    assert answer.json()["lisa"] == {"citations": []}
    assert passages_in(world.upstream.seen.body["messages"][0]["content"]) == []


@pytest.mark.parametrize(
    ("repository", "status", "code", "says"),
    [
        ("nowhere", 404, "not_found", "Repository nowhere does not exist."),
        ("private", 403, "forbidden", "Not for you."),
        ("broken", 502, "upstream_failed", "search failed"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_refusal_of_the_search_reaches_the_caller(
    world: World, repository: str, status: int, code: str, says: str, stream: bool
) -> None:
    calls = len(world.upstream.seen.bodies)
    answer = post(world, {"repositoryId": repository}, stream=stream)
    assert answer.status_code == status
    assert answer.json()["code"] == answer.json()["error"]["code"] == code
    assert says in answer.json()["message"]
    assert len(world.upstream.seen.bodies) == calls


@pytest.mark.parametrize(
    "lisa",
    [
        {},
        [],
        "demo",
        {"repositoryId": "demo", "topk": 5},
        {"repositoryId": "demo", "apiUrl": "http://evil"},
        {"repositoryId": "../models"},
        {"repositoryId": "demo/../../models"},
        {"repositoryId": "demo", "topK": 0},
        {"repositoryId": "demo", "mode": "magic"},
        {"repositoryId": 7},
    ],
)
def test_field_that_is_not_understood_is_422(world: World, lisa: Any) -> None:
    answer = post(world, lisa)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("lisa")


def test_filters_that_are_nested_too_deeply_are_refused(world: World) -> None:
    filters: Any = "x"
    for _ in range(300):
        filters = {"a": filters}
    answer = post(world, {"repositoryId": "demo", "filters": filters})
    assert (answer.status_code, answer.json()["message"]) == (400, "lisa.filters: is nested too deeply.")


def test_only_chat_can_be_grounded(world: World) -> None:
    assert post(world, {"repositoryId": "demo"}, path="/v1/completions", prompt="x").status_code == 422
    assert post(world, {"repositoryId": "demo"}, "minilm", path="/v1/embeddings", input="x").status_code == 422


def test_null_means_not_grounded(world: World) -> None:
    answer = post(world, None)
    assert answer.status_code == 200
    assert "lisa" not in answer.json()
    assert "lisa" not in world.upstream.seen.body


def test_upstreams_error_wins_over_citations(world: World) -> None:
    with pytest.raises(openai.RateLimitError):
        list(world.sdk().chat.completions.create(model="rate-limited", messages=ASK, stream=True, extra_body=DEMO))


def test_question_is_the_last_text_of_the_user() -> None:
    messages: list[Any] = [
        {"role": "user", "content": "old"},
        {"role": "user", "content": [{"type": "text", "text": "new"}, {"type": "image_url", "image_url": {}}]},
        {"role": "assistant", "content": "thinking"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]},
    ]
    assert question_of(messages) == "new"
    assert len(question_of([{"role": "user", "content": "x" * 20_000}])) == 10_000
    with pytest.raises(BadRequestError):
        question_of([{"role": "system", "content": "x"}])


def test_leading_system_message_takes_the_passages_in() -> None:
    citation = Citation(number=1, repository_id="demo", text="Apples.", document_name="a.txt")
    messages = grounded([{"role": "system", "content": "Be kind."}, *ASK], [citation])
    assert [message["role"] for message in messages] == ["system", "user"]
    assert messages[0]["content"].startswith("Be kind.\n\n")
    assert passages_in(messages[0]["content"])[0].text == "Apples."
