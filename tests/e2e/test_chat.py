"""The OpenAI SDK against Serve: streaming, grounded answers with citations, embeddings; sessions that continue."""

import uuid
from typing import Any

import anthropic
import openai as sdk
import pytest
from openai import OpenAI

from tests.e2e.clients import Api, Library

DEMO_MODEL = "smollm2-135m"
QUESTION = [{"role": "user", "content": "Which orchard grows the Zwickau pippin?"}]


@pytest.fixture(scope="module")
def orchard(library: Library) -> Library:
    source = library.put("orchards.txt", b"The Zwickau pippin is grown by the Adderbury orchard only.")
    assert library.finished(source)["status"] == "INGESTION_COMPLETED"
    return library


def test_demo_model_streams_real_tokens(openai: OpenAI) -> None:
    stream = openai.chat.completions.create(
        model=DEMO_MODEL,
        messages=[{"role": "user", "content": "Say hello."}],
        stream=True,
        max_tokens=16,
        temperature=0,
    )
    parts = [chunk.choices[0].delta.content for chunk in stream if chunk.choices and chunk.choices[0].delta.content]
    assert len(parts) >= 2


def test_demo_model_answers_without_streaming_and_counts_tokens(openai: OpenAI) -> None:
    answer = openai.chat.completions.create(
        model=DEMO_MODEL, messages=[{"role": "user", "content": "Say hello."}], max_tokens=16, temperature=0
    )
    assert answer.choices[0].message.content
    assert answer.usage and answer.usage.completion_tokens > 0


@pytest.mark.parametrize("prefix", ["/anthropic", ""])
def test_anthropics_sdk_takes_the_same_address(stack: dict[str, Any], prefix: str) -> None:
    with anthropic.Anthropic(
        base_url=stack["serve_url"].rstrip("/") + prefix, auth_token=stack["api_token"], api_key=None, timeout=120
    ) as claude:
        assert DEMO_MODEL in {model.id for model in claude.models.list()}
        ask: Any = [{"role": "user", "content": "Say hello."}]
        # llama.cpp speaks this protocol itself, and leaves out `message_start` when its first token is no whole
        # character; the most likely one is.
        likeliest = {"temperature": 0}
        with claude.messages.stream(model=DEMO_MODEL, max_tokens=16, messages=ask, extra_body=likeliest) as stream:
            assert "".join(stream.text_stream)
            assert stream.get_final_message().usage.output_tokens > 0


def test_grounded_answer_quotes_the_document_and_cites_it(openai: OpenAI, orchard: Library) -> None:
    answer = openai.chat.completions.create(
        model="extractive",
        messages=QUESTION,  # type: ignore[arg-type]
        extra_body={"lisa": {"repositoryId": orchard.id, "collectionId": orchard.collection, "topK": 5}},
    )
    text = answer.choices[0].message.content or ""
    assert "Adderbury" in text and "[1]" in text
    citations: list[dict[str, Any]] = answer.model_extra["lisa"]["citations"]  # type: ignore[index]
    assert citations[0]["number"] == 1
    assert "Adderbury" in citations[0]["text"]
    assert citations[0]["documentName"] == "orchards.txt"


def test_grounded_stream_starts_with_the_citations_and_an_empty_delta(openai: OpenAI, orchard: Library) -> None:
    stream: Any = openai.chat.completions.create(
        model="extractive",
        messages=QUESTION,  # type: ignore[arg-type]
        stream=True,
        extra_body={"lisa": {"repositoryId": orchard.id, "collectionId": orchard.collection, "topK": 5}},
    )
    chunks = list(stream)
    assert chunks[0].model_extra["lisa"]["citations"][0]["documentId"]
    assert not chunks[0].choices[0].delta.content
    assert "Adderbury" in "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def test_grounding_on_an_unknown_repository_is_a_clear_error(openai: OpenAI) -> None:
    with pytest.raises(sdk.NotFoundError) as refused:
        openai.chat.completions.create(
            model="extractive",
            messages=QUESTION,  # type: ignore[arg-type]
            extra_body={"lisa": {"repositoryId": "nowhere"}},
        )
    assert "nowhere" in refused.value.message


def test_embeddings_have_unit_length(openai: OpenAI) -> None:
    vector = openai.embeddings.create(model="minilm-l6-v2", input="hello").data[0].embedding
    assert len(vector) == 384
    assert sum(x * x for x in vector) == pytest.approx(1, abs=1e-3)


def test_unknown_model_is_a_clear_error(openai: OpenAI) -> None:
    with pytest.raises(sdk.NotFoundError, match="no-such-model"):
        openai.chat.completions.create(model="no-such-model", messages=QUESTION)  # type: ignore[arg-type]


def test_original_paths_serve_the_same_models(stack: dict[str, Any]) -> None:
    old = OpenAI(base_url=f"{stack['serve_url']}/v2/serve", api_key=stack["api_token"])
    assert {"extractive", DEMO_MODEL, "minilm-l6-v2"} <= {model.id for model in old.models.list()}


def test_session_is_kept_renamed_and_deleted(user: Api) -> None:
    session_id = str(uuid.uuid4())
    turns: list[Any] = [
        {"type": "human", "content": "Hello"},
        {"type": "ai", "content": "Good day", "metadata": {"n": 1.5}},
    ]
    assert user.put(f"/session/{session_id}", json={"messages": turns}).status_code == 200
    turns += [{"type": "human", "content": "x" * 500_000}]
    assert user.put(f"/session/{session_id}", json={"messages": turns}).status_code == 200
    assert user.put(f"/session/{session_id}/name", json={"name": "Greetings"}).status_code == 200
    session = user.get(f"/session/{session_id}").json()
    assert [turn["content"] for turn in session["history"]] == [turn["content"] for turn in turns]
    assert session["name"] == "Greetings"
    summaries = {row["sessionId"]: row for row in user.get("/session").json()}
    assert summaries[session_id]["firstHumanMessage"] == "Hello"
    assert user.delete(f"/session/{session_id}").json()["deleted"] is True
    assert user.get(f"/session/{session_id}").status_code == 404


def test_session_of_another_person_is_not_found(user: Api, admin: Api) -> None:
    session_id = str(uuid.uuid4())
    user.put(f"/session/{session_id}", json={"messages": [{"type": "human", "content": "private"}]})
    assert admin.get(f"/session/{session_id}").status_code == 404
    user.delete(f"/session/{session_id}")
