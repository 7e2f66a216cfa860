"""Where calls for a model go, by its name and address."""

from typing import Any

import pytest
from gateway.operations import CHAT, MESSAGES, RESPONSES
from gateway.requests import parse
from gateway.routing.dialects import Dialects
from gateway.routing.targets import Target, target_of
from hypothesis import given
from hypothesis import strategies as st
from lisa.errors import BadRequestError
from lisa.models.schemas import ModelRow


def target(name: str, url: str | None = None, **more: Any) -> Target:
    row = {"modelId": "m", "modelName": name, "modelUrl": url, "modelType": "textgen", **more}
    return target_of(ModelRow.model_validate(row))


@pytest.mark.parametrize(
    ("name", "url", "address", "upstream"),
    [
        ("openai/gpt", "http://up:1/v1", "http://up:1/v1/chat/completions", "gpt"),
        ("openai/gpt", None, "https://api.openai.com/v1/chat/completions", "gpt"),
        ("hosted_vllm/org/model", "http://up/v1/", "http://up/v1/chat/completions", "org/model"),
        ("text-completion-openai/x", "https://up/v1", "https://up/v1/chat/completions", "x"),
        ("ollama/llama3:8b", "http://up:11434", "http://up:11434/v1/chat/completions", "llama3:8b"),
        ("ollama/llama3", "http://up:11434/v1", "http://up:11434/v1/chat/completions", "llama3"),
        ("meta-llama/Llama-3", "http://up/v1", "http://up/v1/chat/completions", "meta-llama/Llama-3"),
        ("plain", "http://up/v1", "http://up/v1/chat/completions", "plain"),
        ("anthropic", "http://up/v1", "http://up/v1/chat/completions", "anthropic"),
        ("openai/x", "http://up/v1?api-version=2", "http://up/v1/chat/completions?api-version=2", "x"),
    ],
)
def test_openai_speakers_are_passed_through(name: str, url: str | None, address: str, upstream: str) -> None:
    found = target(name, url)
    assert str(found.url("/chat/completions")) == address
    assert found.upstream_model == upstream


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("bedrock/anthropic.claude", None),
        ("azure/gpt", "https://x.openai.azure.com"),
        ("sagemaker/endpoint", None),
        ("gpt-4o", None),
        ("hosted_vllm/model", None),
    ],
)
def test_everything_else_is_translated(name: str, url: str | None) -> None:
    found = target(name, url)
    assert found.provider is None
    assert found.upstream_model == name
    with pytest.raises(ValueError, match="LiteLLM"):
        found.url("/chat/completions")


def test_model_of_ones_own_keeps_its_whole_name() -> None:
    found = target("databricks/dbrx", "http://alb/v1", hostingType="lisa_hosted")
    assert (found.base, found.upstream_model) == ("http://alb/v1", "databricks/dbrx")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "//up/v1", "http://user:secret@up/v1", "gopher://up"])
def test_address_that_cannot_be_called_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="model m: modelUrl") as refusal:
        target("openai/x", url)
    assert "secret" not in str(refusal.value)


def test_endpoint_that_does_not_know_a_path_is_not_asked_for_it_for_ten_minutes() -> None:
    now = [5000.0]
    dialects = Dialects(lambda: now[0])
    endpoint, other = target("hosted_vllm/x", "http://up/v1"), target("hosted_vllm/x", "http://other/v1")
    assert dialects.may_speak(endpoint, MESSAGES)
    dialects.learn(endpoint, MESSAGES)
    assert not dialects.may_speak(endpoint, MESSAGES)
    assert dialects.may_speak(endpoint, RESPONSES) and dialects.may_speak(other, MESSAGES)
    now[0] += 599
    assert not dialects.may_speak(endpoint, MESSAGES)
    now[0] += 1
    assert dialects.may_speak(endpoint, MESSAGES)


def test_endpoint_that_answered_is_known_to_speak_for_ten_minutes() -> None:
    now = [5000.0]
    dialects = Dialects(lambda: now[0])
    endpoint, other = target("hosted_vllm/x", "http://up/v1"), target("hosted_vllm/x", "http://other/v1")
    assert not dialects.speaks(endpoint, MESSAGES)
    dialects.confirm(endpoint, MESSAGES)
    assert dialects.speaks(endpoint, MESSAGES)
    assert not dialects.speaks(endpoint, RESPONSES) and not dialects.speaks(other, MESSAGES)
    now[0] += 599
    assert dialects.speaks(endpoint, MESSAGES)
    now[0] += 1
    assert not dialects.speaks(endpoint, MESSAGES)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_a_clear_refusal(raw: bytes) -> None:
    try:
        assert isinstance(parse(raw, CHAT), dict)
    except BadRequestError as error:
        assert error.message.endswith(".")
