"""Guarded models between callers, an upstream that says what it is told, and Bedrock's guardrails."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest
from anthropic.types import TextBlock

from tests.gateway.account import Account, account
from tests.gateway.conftest import settings
from tests.gateway.fake_anthropic import FakeAnthropic
from tests.gateway.fake_control_plane import FakeControlPlane
from tests.gateway.fake_guardrails import FakeGuardrails
from tests.gateway.fake_speaker import FakeSpeaker
from tests.gateway.serving import eventually, serve_application, serve_gateway

TEXT_PROTOCOLS = ("chat", "completions", "responses", "messages")
PATHS = {"chat": "chat/completions"}


def guard(name: str, mode: str, *groups: str, version: str = "DRAFT") -> dict[str, Any]:
    return {
        "guardrail_name": name,
        "guardrail_identifier": name,
        "guardrail_version": version,
        "mode": mode,
        "allowed_groups": list(groups),
    }


@dataclass
class Guarded:
    url: str
    cloud: Account
    speaker: FakeSpeaker
    anthropic: FakeAnthropic
    guardrails: FakeGuardrails

    def http(self, username: str = "ada") -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.cloud.tokens.get(username, username)}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    def post(
        self, protocol: str, model: str, text: str = "hello", username: str = "ada", **more: Any
    ) -> tuple[int, bytes]:
        """Status and raw body."""
        with self.http(username) as http:
            answer = http.post(f"/v1/{PATHS.get(protocol, protocol)}", json=body_of(protocol, model, text) | more)
        return answer.status_code, answer.content

    def ask(self, protocol: str, model: str, text: str = "hello", stream: bool = False) -> str:
        """The text that the official SDK reads from the answer."""
        body = body_of(protocol, model, text)
        key = self.cloud.tokens["ada"]
        if protocol == "messages":
            return _anthropic_text(anthropic.Anthropic(base_url=self.url, api_key=key, max_retries=0), body, stream)
        sdk = openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0, timeout=20)
        return _openai_text(sdk, protocol, body, stream)


def body_of(protocol: str, model: str, text: str) -> dict[str, Any]:
    if protocol in ("chat", "messages"):
        limit = {"max_tokens": 50} if protocol == "messages" else {}
        return {"model": model, "messages": [{"role": "user", "content": text}], **limit}
    return {"model": model, "prompt" if protocol == "completions" else "input": text}


def _anthropic_text(sdk: anthropic.Anthropic, body: dict[str, Any], stream: bool) -> str:
    if not stream:
        message = sdk.messages.create(**body)
    else:
        with sdk.messages.stream(**body) as events:
            message = events.get_final_message()
    assert message.stop_reason == "end_turn"
    return "".join(block.text for block in message.content if isinstance(block, TextBlock))


def _openai_text(sdk: openai.OpenAI, protocol: str, body: dict[str, Any], stream: bool) -> str:
    if protocol == "responses":
        if not stream:
            return str(sdk.responses.create(**body).output_text)
        with sdk.responses.stream(**body) as events:
            said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
            assert events.get_final_response().status == "completed"
            return said
    create: Any = sdk.chat.completions.create if protocol == "chat" else sdk.completions.create
    if not stream:
        choice = create(**body).choices[0]
        return str(choice.message.content if protocol == "chat" else choice.text)
    choices = [chunk.choices[0] for chunk in create(**body, stream=True) if chunk.choices]
    assert choices[-1].finish_reason
    return "".join((each.delta.content if protocol == "chat" else each.text) or "" for each in choices)


def chunks_of(raw: bytes) -> list[dict[str, Any]]:
    """The JSON of each event of a stream."""
    lines = [line[6:] for line in raw.decode().splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def _register(cloud: Account, upstream: str, anthropic_url: str) -> None:
    url = f"{upstream}/v1"

    def model(model_id: str, *guards: dict[str, Any], **more: Any) -> None:
        config = {str(number): each for number, each in enumerate(guards)}
        cloud.register(model_id, "hosted_vllm/up", url, guardrails_config=config, **more)

    model("free")
    for mode in ("pre", "during", "post"):
        for name in ("words", "wordsslow", "pii", "piiinone", "broken", "denied", "odd", "hanging"):
            model(f"{name}-{mode}", guard(name, f"{mode}_call"))
    model("physics", guard("words", "pre_call", "physics"), guard("words", "post_call", "physics"))
    model("several", guard("pii", "pre_call", version="3"), guard("words", "pre_call"), guard("pii", "post_call"))
    model("embedder", guard("words", "pre_call"), model_type="embedding")
    cloud.register("pool", "lisa/deployments", deployments=[{"model_id": "words-pre"}])
    cloud.register("backed", "hosted_vllm/up", url, fallbacks=["words-post"])
    claude = {"0": guard("words", "post_call"), "1": guard("words", "pre_call")}
    cloud.register("claude", "anthropic/claude-sonnet-4-5", anthropic_url, api_key="sk-1", guardrails_config=claude)


@contextlib.contextmanager
def guarded_world(**more: Any) -> Iterator[Guarded]:
    speaker, upstream, guardrails, control = FakeSpeaker(), FakeAnthropic(), FakeGuardrails(), FakeControlPlane()
    with (
        serve_application(speaker.application) as speaker_url,
        serve_application(upstream.application) as anthropic_url,
        serve_application(guardrails.application) as guardrails_url,
        serve_application(control.application) as control_url,
        account(control_url) as cloud,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", more.pop("endpoint", guardrails_url))
        cloud.issue("ada", "user")
        cloud.issue("bob", "user", "physics")
        cloud.issue("root", "admin")
        _register(cloud, speaker_url, anthropic_url)
        with serve_gateway(settings(**more)) as url:
            eventually(lambda: httpx.get(f"{url}/health/readiness").status_code == 200)
            yield Guarded(url, cloud, speaker, upstream, guardrails)
