"""A gateway with models at Bedrock, SageMaker and Azure, which behave as the second part of their ids says."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai

from tests.gateway.account import Account, account
from tests.gateway.conftest import settings
from tests.gateway.fake_azure import KEY, FakeAzure
from tests.gateway.fake_bedrock import FakeBedrock
from tests.gateway.fake_control_plane import FakeControlPlane
from tests.gateway.fake_sagemaker import FakeSageMaker
from tests.gateway.serving import eventually, serve_application, serve_gateway

FAMILIES = {
    "converse": "bedrock/converse/anthropic.{}",
    "invoke": "bedrock/invoke/anthropic.claude.{}",
    "sagemaker": "sagemaker_chat/{}",
    "azure": "azure/{}",
}
GREETINGS = {"converse": "Bonjour !", "invoke": "Bonjour !", "sagemaker": "Grüezi", "azure": "Guten Tag"}
BEHAVIOURS = ("good", "throttled", "invalid", "denied", "absent", "crashed", "cut", "short", "failing", "overloaded")
SLOW = ("endless", "dribble", "corrupt", "hang")


@dataclass
class Providers:
    url: str
    token: str
    bedrock: FakeBedrock
    sagemaker: FakeSageMaker
    azure: FakeAzure
    cloud: Account

    def sdk(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=self.token, max_retries=0, timeout=20)

    def anthropic(self) -> anthropic.Anthropic:
        return anthropic.Anthropic(base_url=f"{self.url}/anthropic", api_key=self.token, max_retries=0, timeout=20)

    def fake(self, family: str) -> FakeBedrock | FakeSageMaker | FakeAzure:
        if family == "azure":
            return self.azure
        return self.sagemaker if family == "sagemaker" else self.bedrock

    def post(self, route: str, **body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/{route}", json=body, headers={"Api-Key": self.token}, timeout=20)


@contextlib.contextmanager
def provider_world() -> Iterator[Providers]:
    bedrock, sagemaker, azure, control = FakeBedrock(), FakeSageMaker(), FakeAzure(), FakeControlPlane()
    with (
        serve_application(bedrock.application) as bedrock_url,
        serve_application(sagemaker.application) as sagemaker_url,
        serve_application(azure.application) as azure_url,
        serve_application(control.application) as control_url,
        account(control_url) as cloud,
    ):
        urls = {"sagemaker": sagemaker_url, "azure": f"{azure_url}?api-version=2024-10-21"}
        token = cloud.issue("ada", "user")
        for family, name in FAMILIES.items():
            for behaviour in (*BEHAVIOURS, *SLOW):
                key = KEY if family == "azure" else None
                url = urls.get(family, bedrock_url)
                cloud.register(f"{family}-{behaviour}", name.format(behaviour), url, api_key=key, streaming=True)
        haiku = "anthropic.claude-3-haiku-20240307-v1:0"
        cloud.register("plain", f"bedrock/{haiku}", bedrock_url)
        cloud.register("titan", "bedrock/amazon.titan-embed-text-v2:0", bedrock_url, model_type="embedding")
        cloud.register("azure-vectors", "azure/vectors", urls["azure"], model_type="embedding", api_key=KEY)
        cloud.register("azure-refusing", "azure/refusing", urls["azure"], api_key=KEY)
        cloud.register("azure-wrong-key", "azure/good", urls["azure"], api_key="another")
        with serve_gateway(settings(max_attempts=1)) as url:
            eventually(lambda: httpx.get(f"{url}/health/readiness").status_code == 200)
            yield Providers(url, token, bedrock, sagemaker, azure, cloud)
