"""The fakes of AWS are faithful where boto3 takes them for AWS."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError

from tests.gateway.fake_bedrock import TOOL_INPUT, FakeBedrock
from tests.gateway.fake_sagemaker import FakeSageMaker
from tests.gateway.serving import serve_application

MESSAGES: list[Any] = [{"role": "user", "content": [{"text": "Hi"}]}]
TOOLS: Any = {
    "tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object", "properties": {}}}}}]
}
ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=5)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


@pytest.fixture
def bedrock() -> Iterator[Any]:
    with serve_application(FakeBedrock().application) as url:
        yield boto3.client("bedrock-runtime", endpoint_url=url, config=ONCE)


@pytest.fixture
def sagemaker() -> Iterator[Any]:
    with serve_application(FakeSageMaker().application) as url:
        yield boto3.client("sagemaker-runtime", endpoint_url=url, config=ONCE)


def test_converse(bedrock: Any) -> None:
    answer = bedrock.converse(modelId="anthropic.claude-3-haiku-20240307-v1:0", messages=MESSAGES)
    assert answer["output"]["message"]["content"] == [{"text": "Bonjour !"}]
    assert (answer["stopReason"], answer["usage"]["totalTokens"]) == ("end_turn", 16)


@pytest.mark.parametrize("model", ["anthropic.claude", "anthropic.dribble"])
def test_converse_stream(bedrock: Any, model: str) -> None:
    events = list(bedrock.converse_stream(modelId=model, messages=MESSAGES)["stream"])
    kinds = [kind for event in events for kind in event]
    assert kinds == ["messageStart", *["contentBlockDelta"] * 3, "contentBlockStop", "messageStop", "metadata"]
    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert "".join(deltas) == "Bonjour !"


def test_converse_with_tools(bedrock: Any) -> None:
    answer = bedrock.converse(modelId="anthropic.claude", messages=MESSAGES, toolConfig=TOOLS)
    assert answer["output"]["message"]["content"][0]["toolUse"]["input"] == TOOL_INPUT
    stream = bedrock.converse_stream(modelId="anthropic.claude", messages=MESSAGES, toolConfig=TOOLS)["stream"]
    pieces = [
        event["contentBlockDelta"]["delta"]["toolUse"]["input"] for event in stream if "contentBlockDelta" in event
    ]
    assert json.loads("".join(pieces)) == TOOL_INPUT


def test_invoke_model(bedrock: Any) -> None:
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "messages": []})
    answer = bedrock.invoke_model(modelId="anthropic.claude", body=body)
    assert json.load(answer["body"])["content"][0]["text"] == "Bonjour !"
    stream = bedrock.invoke_model_with_response_stream(modelId="anthropic.claude", body=body)["body"]
    events = [json.loads(event["chunk"]["bytes"]) for event in stream]
    assert [event["type"] for event in events][:2] == ["message_start", "content_block_start"]
    assert "".join(event["delta"].get("text", "") for event in events if "delta" in event) == "Bonjour !"


def test_titan(bedrock: Any) -> None:
    body = json.dumps({"inputText": "four", "dimensions": 4})
    answer = bedrock.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=body)
    assert json.load(answer["body"])["embedding"] == [4.0, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("model", "code", "status"),
    [
        ("throttled", "ThrottlingException", 429),
        ("invalid", "ValidationException", 400),
        ("denied", "AccessDeniedException", 403),
    ],
)
def test_errors(bedrock: Any, model: str, code: str, status: int) -> None:
    with pytest.raises(ClientError) as refused:
        bedrock.converse(modelId=f"anthropic.{model}", messages=MESSAGES)
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


@pytest.mark.parametrize(
    ("model", "code"), [("overloaded", "throttlingException"), ("failing", "modelStreamErrorException")]
)
def test_error_in_the_middle_of_a_stream(bedrock: Any, model: str, code: str) -> None:
    stream = bedrock.converse_stream(modelId=f"anthropic.{model}", messages=MESSAGES)["stream"]
    seen = []
    with pytest.raises(EventStreamError) as refused:
        for event in stream:
            seen.append(event)
    assert len(seen) == 3
    assert refused.value.response["Error"]["Code"] == code


def test_damaged_message_is_noticed(bedrock: Any) -> None:
    stream = bedrock.converse_stream(modelId="anthropic.corrupt", messages=MESSAGES)["stream"]
    with pytest.raises(ChecksumMismatch):
        list(stream)


def test_wrong_secret_is_refused(bedrock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")  # the client has read the right one
    with pytest.raises(ClientError, match="signature"):
        bedrock.converse(modelId="anthropic.claude", messages=MESSAGES)


def test_sagemaker_endpoint(sagemaker: Any) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})
    answer = sagemaker.invoke_endpoint(EndpointName="llama", ContentType="application/json", Body=body)
    assert json.load(answer["Body"])["choices"][0]["message"]["content"] == "Grüezi"


def test_sagemaker_stream(sagemaker: Any) -> None:
    answer = sagemaker.invoke_endpoint_with_response_stream(EndpointName="llama", Body=json.dumps({"stream": True}))
    text = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"]).decode()
    chunks = [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n") if line]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "Grüezi"


def test_sagemaker_errors(sagemaker: Any) -> None:
    for endpoint, code, status in (("absent", "ValidationError", 400), ("crashed", "ModelError", 424)):
        with pytest.raises(ClientError) as refused:
            sagemaker.invoke_endpoint(EndpointName=endpoint, Body=b"{}")
        answer = refused.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    stream = sagemaker.invoke_endpoint_with_response_stream(EndpointName="failing", Body=b"{}")["Body"]
    with pytest.raises(EventStreamError, match="stopped"):
        list(stream)
