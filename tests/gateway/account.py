"""An AWS account that moto plays in this process, with the tables, secrets and parameters that the gateway reads."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from gateway.settings import GatewaySettings
from lisa import aws
from lisa.api_tokens.schemas import hash_of
from lisa.auth.schemas import GroupSettings
from lisa.auth.wiring import AuthSettings, authenticator
from lisa.models.schemas import ModelRow
from lisa.rows import row_of
from lisa.usage.schemas import Limit

from tests.fixtures.played_aws import dynamodb, played_aws
from tests.gateway.fake_control_plane import CLIENT_ID, ISSUER

MODELS, TOKENS = "gateway-models", "gateway-api-tokens"
LIMITS, LEDGER = "gateway-limits", "gateway-ledger"
MANAGEMENT_KEY = "management-key-of-the-tests"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "MODELS_TABLE": MODELS,
    "API_TOKENS_TABLE": TOKENS,
    "LIMITS_TABLE": LIMITS,
    "LEDGER_TABLE": LEDGER,
    "AUTH_PARAMETER": "/lisa/auth",
    "USER_GROUP": "user",
    "ALLOWED_NETWORKS": "127.0.0.0/8",
}


@dataclass
class Account:
    """`tokens`: raw API tokens by the name of their owner."""

    tokens: dict[str, str]
    usage_queue: str

    @property
    def models(self) -> Any:
        return dynamodb().Table(MODELS)

    def register(self, model_id: str, model_name: str, url: str | None = None, **more: Any) -> None:
        key = more.pop("api_key", None)
        if key is not None:
            more["api_key_secret_arn"] = boto3.client("secretsmanager").create_secret(
                Name=f"lisa/{model_id}", SecretString=key
            )["ARN"]
        row = ModelRow.model_validate(
            {
                "model_id": model_id,
                "model_name": model_name,
                "model_url": url,
                "model_type": "textgen",
                "status": "InService",
                "last_modified": "2026-01-02T03:04:05+00:00",
                **more,
            }
        )
        self.models.put_item(Item={name: value for name, value in row_of(row).items() if value is not None})

    def limit(self, subject: str, **limit: Any) -> None:
        row = row_of(Limit.model_validate({"subject": subject, **limit}))
        item = {name: value for name, value in row.items() if value is not None}
        dynamodb().Table(LIMITS).put_item(Item=item)

    def committed(self) -> dict[str, int]:
        """What the ledger has committed, by quota."""
        rows = dynamodb().Table(LEDGER).scan()["Items"]
        return {str(row["quota"]): int(row["committed"]) for row in rows}

    def usage(self) -> list[dict[str, Any]]:
        """The usage records that arrived since the last look."""
        sqs, records = boto3.client("sqs"), []
        while found := sqs.receive_message(QueueUrl=self.usage_queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                records += json.loads(message["Body"])["records"]
                sqs.delete_message(QueueUrl=self.usage_queue, ReceiptHandle=message["ReceiptHandle"])
        return records

    def issue(self, username: str, *groups: str) -> str:
        raw = f"{username}-" + "0" * 100
        item = {
            "token": hash_of(raw),
            "tokenUUID": f"uuid-{username}",
            "tokenExpiration": 4_102_444_800,
            "username": username,
            "groups": list(groups),
        }
        dynamodb().Table(TOKENS).put_item(Item=item)
        self.tokens[username] = raw
        return raw


def forget() -> None:
    """Clears what the process remembers of a former account."""
    aws.client.cache_clear()
    aws.table.cache_clear()
    aws.secret.cache_clear()
    authenticator.cache_clear()
    for settings in (GatewaySettings, AuthSettings, GroupSettings):
        settings.load.cache_clear()


@contextlib.contextmanager
def account(control_plane: str) -> Iterator[Account]:
    """A fresh account; `control_plane` serves the identity provider's keys."""
    with played_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for name, key in ((MODELS, "modelId"), (TOKENS, "token"), (LIMITS, "subject"), (LEDGER, "quota")):
            dynamodb().create_table(
                TableName=name,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        secret = boto3.client("secretsmanager").create_secret(Name="management", SecretString=MANAGEMENT_KEY)
        patch.setenv("MANAGEMENT_KEY_SECRET", secret["ARN"])
        queue = boto3.client("sqs").create_queue(QueueName="gateway-usage")["QueueUrl"]
        patch.setenv("USAGE_QUEUE_URL", queue)
        provider = {"issuer": ISSUER, "clientId": CLIENT_ID, "jwksUrl": f"{control_plane}/jwks"}
        boto3.client("ssm").put_parameter(Name="/lisa/auth", Type="String", Value=json.dumps(provider))
        forget()
        try:
            yield Account({}, queue)
        finally:
            forget()
