"""A gateway between its clients and upstreams, all of them real servers on this machine."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import openai
import pytest
from gateway.settings import GatewaySettings
from gateway.translate.litellm_library import load

from tests.gateway.account import LEDGER, LIMITS, MODELS, Account, account
from tests.gateway.fake_anthropic import FakeAnthropic
from tests.gateway.fake_control_plane import FakeControlPlane
from tests.gateway.fake_openai import FakeOpenAi
from tests.gateway.serving import eventually, serve_application, serve_gateway

PROVIDER_KEY = "sk-the-providers-own-key"
BEHAVIOURS = """
    echo tools slow dribble cut unframed-cut gap hang endless half html plain redirect rate-limited key-refused
""".split()  # noqa: SIM905


@dataclass
class World:
    """Everything that a test may look at."""

    url: str
    account: Account
    upstream: FakeOpenAi
    anthropic: FakeAnthropic
    control_plane: FakeControlPlane
    upstream_url: str

    def token(self, username: str = "ada") -> str:
        return self.account.tokens[username]

    def http(self, username: str | None = "ada", **options: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token(username)}"} if username else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, **options)

    def sdk(self, username: str = "ada", path: str = "/v1") -> openai.OpenAI:
        return openai.OpenAI(base_url=self.url + path, api_key=self.token(username), max_retries=0, timeout=20)

    def async_sdk(self, username: str = "ada") -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=self.token(username), max_retries=0, timeout=20)


def settings(**more: Any) -> GatewaySettings:
    """Times that no test waits for, however busy the machine is; `impatient` is for tests of timeouts."""
    values: dict[str, Any] = {
        "models_table": MODELS,
        "limits_table": LIMITS,
        "ledger_table": LEDGER,
        "usage_queue_url": os.environ["USAGE_QUEUE_URL"],
        "allowed_networks": "127.0.0.0/8",
        "registry_seconds": 0.2,
        "connect_seconds": 10,
        "first_byte_seconds": 60,
        "first_token_seconds": 60,
        "gap_seconds": 60,
        "body_seconds": 60,
        "guardrail_seconds": 60,
        **more,
    }
    return GatewaySettings.model_validate(values)


@contextlib.contextmanager
def impatient_gateway() -> Iterator[str]:
    """Another gateway of the same account, which gives up in a second or so. Yields its base address."""
    short = {"first_byte_seconds": 1.5, "first_token_seconds": 4, "gap_seconds": 1, "body_seconds": 1}
    with serve_gateway(settings(**short)) as url:
        eventually(lambda: httpx.get(f"{url}/health/readiness").status_code == 200)
        yield url


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module", autouse=True)
def no_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing here is encrypted, but each client would read the certificates of all authorities first: 20 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSL_CERT_FILE", raising=False)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("authorities")))
        yield


@pytest.fixture(scope="session")
def litellm_imported() -> None:
    """So that no test's time limit has LiteLLM's import in it."""
    asyncio.run(load())


@pytest.fixture
def untouched(world: World) -> Iterator[None]:
    """Fails the test when anything reached an upstream."""
    before = len(world.upstream.seen.bodies) + len(world.anthropic.seen.bodies)
    yield
    assert len(world.upstream.seen.bodies) + len(world.anthropic.seen.bodies) == before


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    upstream, anthropic, control_plane = FakeOpenAi(), FakeAnthropic(), FakeControlPlane()
    with (
        serve_application(upstream.application) as upstream_url,
        serve_application(anthropic.application) as anthropic_url,
        serve_application(control_plane.application) as control_url,
        account(control_url) as cloud,
    ):
        cloud.issue("ada", "user")
        cloud.issue("bob", "user", "physics")
        cloud.issue("root", "admin")
        for name in BEHAVIOURS:
            cloud.register(name, f"openai/{name}", f"{upstream_url}/v1", api_key=PROVIDER_KEY, streaming=True)
        cloud.register("keyless", "hosted_vllm/echo", f"{upstream_url}/v1/")
        cloud.register("brief", "hosted_vllm/echo", f"{upstream_url}/v1", max_output_tokens=100)
        cloud.register("minilm", "openai/minilm", f"{upstream_url}/v1", model_type="embedding")
        cloud.register("physics", "openai/echo", f"{upstream_url}/v1", allowed_groups=["physics"])
        cloud.register("stopped", "openai/echo", f"{upstream_url}/v1", status="Stopped")
        cloud.register("gone", "openai/echo", f"http://127.0.0.1:{unused_port()}/v1")
        cloud.register("bad-address", "openai/echo", "file:///etc/passwd")
        for name in ("claude", "overloaded", "endless", "cut", "hang", "redirect"):
            model_id = name if name == "claude" else f"claude-{name}"
            upstream_name = "claude-sonnet-4-5" if name == "claude" else name
            cloud.register(
                model_id, f"anthropic/{upstream_name}", anthropic_url, api_key=PROVIDER_KEY, max_output_tokens=100
            )
        with serve_gateway(settings(api_url=f"{control_url}/prod")) as url:
            eventually(lambda: httpx.get(f"{url}/health/readiness").status_code == 200)
            yield World(url, cloud, upstream, anthropic, control_plane, f"{upstream_url}/v1")


@pytest.fixture(scope="module")
def impatient(world: World) -> Iterator[World]:
    """The same before an impatient gateway."""
    with impatient_gateway() as url:
        yield replace(world, url=url)
