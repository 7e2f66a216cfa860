"""Providers with a protocol and a signature of their own, through the gateway and LiteLLM, asked with OpenAI's SDK."""

import asyncio
import json
import struct
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest

from tests.gateway.conftest import impatient_gateway
from tests.gateway.fake_azure import KEY, FakeAzure
from tests.gateway.provider_world import FAMILIES, GREETINGS, Providers, provider_world
from tests.gateway.serving import eventually, serve_application

pytestmark = pytest.mark.usefixtures("litellm_imported")

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture(scope="module")
def providers() -> Iterator[Providers]:
    with provider_world() as found:
        yield found


@pytest.fixture(scope="module")
def impatient(providers: Providers) -> Iterator[Providers]:
    with impatient_gateway() as url:
        yield replace(providers, url=url)


@pytest.mark.parametrize("family", FAMILIES)
def test_sdk_chats(providers: Providers, family: str) -> None:
    answer = providers.sdk().chat.completions.create(
        model=f"{family}-good", messages=ASK, max_tokens=20, temperature=0.5
    )
    assert answer.model == f"{family}-good"
    assert answer.choices[0].message.content == GREETINGS[family]
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage and (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 5)
    seen = providers.fake(family).seen
    assert providers.token not in str(seen.headers[-1])
    sent = seen.body.get("inferenceConfig", seen.body)
    assert 20 in (sent.get("max_tokens"), sent.get("maxTokens"))
    assert sent["temperature"] == 0.5


@pytest.mark.parametrize("behaviour", ["good", "dribble"])
@pytest.mark.parametrize("family", FAMILIES)
def test_sdk_streams(providers: Providers, family: str, behaviour: str) -> None:
    stream = providers.sdk().chat.completions.create(
        model=f"{family}-{behaviour}", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == GREETINGS[family]
    assert len([c for c in chunks if c.choices and c.choices[0].delta.content]) == 3
    assert {chunk.model for chunk in chunks} == {f"{family}-{behaviour}"}
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert [c.usage.completion_tokens for c in chunks if c.usage] == [5]


@pytest.mark.parametrize("family", FAMILIES)
def test_tools_are_called_streamed_and_not(providers: Providers, family: str) -> None:
    sdk, model = providers.sdk(), f"{family}-good"
    answer = sdk.chat.completions.create(model=model, messages=ASK, tools=TOOLS)
    call: Any = (answer.choices[0].message.tool_calls or [])[0]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert (call.function.name, set(json.loads(call.function.arguments))) == ("weather", {"city"})
    assert "weather" in json.dumps(providers.fake(family).seen.body)
    stream = sdk.chat.completions.create(model=model, messages=ASK, tools=TOOLS, stream=True)
    calls = [call for chunk in stream if chunk.choices for call in chunk.choices[0].delta.tool_calls or []]
    assert [call.function.name for call in calls if call.function and call.function.name] == ["weather"]
    pieces = "".join(call.function.arguments or "" for call in calls if call.function)
    assert set(json.loads(pieces)) == {"city"}


@pytest.mark.parametrize("family", FAMILIES)
def test_result_of_a_tool_goes_back(providers: Providers, family: str) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
    messages: Any = [
        *ASK,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    answer = providers.sdk().chat.completions.create(model=f"{family}-good", messages=messages)
    assert answer.choices[0].message.content == GREETINGS[family]
    assert "sunny" in json.dumps(providers.fake(family).seen.body)


def test_refusal_is_told(providers: Providers) -> None:
    sdk = providers.sdk()
    message = sdk.chat.completions.create(model="azure-refusing", messages=ASK).choices[0].message
    assert (message.content, message.refusal) == (None, "I cannot.")
    chunks = list(sdk.chat.completions.create(model="azure-refusing", messages=ASK, stream=True))
    assert "".join(c.choices[0].delta.refusal or "" for c in chunks if c.choices) == "I cannot."


def test_several_answers_are_not_streamed(providers: Providers) -> None:
    """LiteLLM tells an answer that was cut short as whole then."""
    assert providers.post("chat/completions", model="azure-good", messages=ASK, n=2).status_code == 200
    answer = providers.post("chat/completions", model="azure-good", messages=ASK, n=2, stream=True)
    assert (answer.status_code, "`n`" in answer.json()["message"]) == (400, True)


def test_bedrock_models_without_a_route_work_too(providers: Providers) -> None:
    assert providers.sdk().chat.completions.create(model="plain", messages=ASK).choices[0].message.content
    assert "/model/anthropic.claude-3-haiku-20240307-v1%3A0/" in providers.bedrock.seen.paths[-1]


@pytest.mark.parametrize("model", ["titan", "azure-vectors"])
def test_sdk_embeds(providers: Providers, model: str) -> None:
    expected = {"titan": [4.0, 0.5, 0.5], "azure-vectors": [0.25, -1.5]}[model]
    answer = providers.sdk().embeddings.create(model=model, input=["four", "five"])  # the SDK asks for base64
    assert [item.index for item in answer.data] == [0, 1]
    assert answer.data[0].embedding == expected
    assert answer.usage.prompt_tokens > 0
    raw = providers.post("embeddings", model=model, input="four", encoding_format="float").json()
    assert raw["data"][0]["embedding"] == expected
    raw = providers.post("embeddings", model=model, input="four", encoding_format="base64").json()
    packed = b64decode(raw["data"][0]["embedding"])
    assert list(struct.unpack(f"<{len(packed) // 4}f", packed)) == expected


def test_titan_takes_dimensions(providers: Providers) -> None:
    assert len(providers.sdk().embeddings.create(model="titan", input="x", dimensions=5).data[0].embedding) == 5


@pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("converse-throttled", 429, "wait before trying"),
        ("converse-invalid", 400, "identifier is invalid"),
        ("converse-denied", 403, "access to the model"),
        ("invoke-throttled", 429, "wait before trying"),
        ("invoke-invalid", 400, "identifier is invalid"),
        ("sagemaker-throttled", 429, "Rate exceeded"),
        ("sagemaker-absent", 400, "not found"),
        ("azure-throttled", 429, "exceeded the call rate"),
        ("azure-invalid", 400, "content management policy"),
        ("azure-absent", 404, "does not exist"),
        ("azure-wrong-key", 401, "invalid subscription key"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_providers_errors_keep_status_and_words(
    providers: Providers, model: str, status: int, words: str, stream: bool
) -> None:
    answer = providers.post("chat/completions", model=model, messages=ASK, stream=stream)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]["message"]
    assert answer.headers["x-lisa-error-source"] == "upstream"
    for secret in (KEY, "another", "FOOBARKEY", "AWS4-HMAC"):
        assert secret not in answer.text


def test_endpoint_that_crashed_is_an_error_of_the_upstream(providers: Providers) -> None:
    answer = providers.post("chat/completions", model="sagemaker-crashed", messages=ASK)
    assert answer.status_code >= 424
    assert "server error" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "model",
    [
        *("converse-cut", "converse-failing", "converse-overloaded", "converse-corrupt", "converse-short"),
        *("invoke-cut", "invoke-failing", "invoke-overloaded", "invoke-corrupt", "invoke-short"),
        *("sagemaker-cut", "sagemaker-failing", "sagemaker-corrupt"),
        *("azure-cut", "azure-failing", "azure-short"),
    ],
)
def test_broken_stream_ends_with_an_error_event(providers: Providers, model: str) -> None:
    answer = providers.post("chat/completions", model=model, messages=ASK, stream=True)
    assert answer.status_code == 200
    assert answer.text.endswith("\n\n")
    events = [
        json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if "[DONE]" not in line and line
    ]
    assert "[DONE]" not in answer.text
    assert events[0]["choices"] is not None
    assert events[-1]["error"]["message"]


@pytest.mark.parametrize("family", FAMILIES)
async def test_pieces_come_at_once_and_leaving_stops_the_provider(providers: Providers, family: str) -> None:
    before = providers.fake(family).seen.cancelled
    body = {"model": f"{family}-endless", "messages": ASK, "stream": True}
    async with (
        httpx.AsyncClient(base_url=providers.url, headers={"Api-Key": providers.token}, timeout=20) as http,
        http.stream("POST", "/v1/chat/completions", json=body) as answer,
    ):
        text = ""
        async for piece in answer.aiter_text():  # the provider is silent after it, longer than this client waits
            text += piece
            if GREETINGS[family][:2] in text:
                break
    await asyncio.to_thread(eventually, lambda: providers.fake(family).seen.cancelled > before)


@pytest.mark.parametrize("family", ["converse", "invoke"])
def test_silent_provider_is_504(impatient: Providers, family: str) -> None:
    answer = impatient.post("chat/completions", model=f"{family}-hang", messages=ASK)
    assert (answer.status_code, answer.json()["code"]) == (504, "upstream_timeout")


def test_every_call_to_aws_was_signed_over_what_was_sent(providers: Providers) -> None:
    """The fakes refuse a signature that botocore does not find over the same path, headers and body."""
    for family in ("converse", "sagemaker"):
        assert providers.post("chat/completions", model=f"{family}-good", messages=ASK).status_code == 200
    for fake in (providers.bedrock, providers.sagemaker):
        assert fake.seen.refused == 0
        assert fake.seen.headers
        assert all(
            headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=FOOBARKEY/")
            for headers in fake.seen.headers
        )


@pytest.mark.parametrize("family", ["converse", "invoke", "sagemaker"])
def test_callers_choose_no_credentials_for_aws(providers: Providers, family: str) -> None:
    for field in (
        "aws_access_key_id",
        "aws_role_name",
        "aws_region_name",
        "aws_bedrock_runtime_endpoint",
        "sagemaker_base_url",
    ):
        answer = providers.post("chat/completions", model=f"{family}-good", messages=ASK, **{field: "x"})
        assert answer.status_code == 400


def test_azure_fake_is_one_for_its_own_sdk(providers: Providers) -> None:
    """Judged by openai.AzureOpenAI, without the gateway."""
    with serve_application(FakeAzure().application) as url:
        sdk = openai.AzureOpenAI(azure_endpoint=url, api_key=KEY, api_version="2024-10-21", max_retries=0)
        assert sdk.chat.completions.create(model="good", messages=ASK).choices[0].message.content == "Guten Tag"
        stream = sdk.chat.completions.create(model="good", messages=ASK, stream=True)
        assert "".join(c.choices[0].delta.content or "" for c in stream if c.choices) == "Guten Tag"
        assert sdk.embeddings.create(model="vectors", input="x", encoding_format="float").data[0].embedding == [
            0.25,
            -1.5,
        ]
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            sdk.chat.completions.create(model="absent", messages=ASK)
        with pytest.raises(openai.AuthenticationError):
            openai.AzureOpenAI(azure_endpoint=url, api_key="x", api_version="1", max_retries=0).chat.completions.create(
                model="good", messages=ASK
            )
