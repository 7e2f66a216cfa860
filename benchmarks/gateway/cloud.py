"""The gateway's AWS account: the emulator on the other core, with token, groups, limits and models in their tables."""

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.gateway.processes import ROOT, Process, answers, unused_port

REGION = "us-east-1"
CREDENTIAL = "bench-" + "0" * 100
OWNER, GROUP = "ada", "physics"
KEYS = {
    "models": "modelId",
    "tokens": "token",
    "limits": "subject",
    "ledger": "quota",
}
PLENTY = 10**12


class Cloud:
    """An account of its own, in `folder`."""

    def __init__(self, folder: Path, core: int) -> None:
        self.port = port = unused_port()
        self._url = f"http://127.0.0.1:{port}"
        venvs = ROOT / ".local" / "venvs"
        python = venvs / "emulator" / "bin" / "python"
        if not python.exists():
            raise RuntimeError("The emulator is not installed. Run `make install` first.")
        state, runtime = folder / "emulator", venvs / "runtime" / "bin" / "python"
        self.process = Process(
            f"{python} -m local.emulator --port {port} --state {state} --runtime {runtime} --region {REGION}",
            core,
            answers(port, "/_ministack/ready"),
            folder / "emulator.log",
            {"PYTHONPATH": str(ROOT / "layers" / "core" / "src")},
        )
        self.environment = {
            "AWS_ENDPOINT_URL": self._url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        try:
            self._fill()
        except BaseException:
            self.process.stop()
            raise

    def _made(self, make: Any, service: str) -> Any:
        """Nothing of the person's own AWS configuration is read."""
        return make(
            service,
            endpoint_url=self._url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(connect_timeout=5, read_timeout=60),
        )

    def _fill(self) -> None:
        self._tables = self._made(boto3.resource, "dynamodb")
        for name, key in KEYS.items():
            self._tables.create_table(
                TableName=f"bench-{name}",
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        secrets = self._made(boto3.client, "secretsmanager")
        self._provider_key = secrets.create_secret(Name="provider", SecretString="sk-provider")["ARN"]
        management = secrets.create_secret(Name="management", SecretString="sk-management")["ARN"]
        self._made(boto3.client, "ssm").put_parameter(
            Name="/bench/auth", Type="String", Value='{"issuer": "http://127.0.0.1:9", "clientId": "bench"}'
        )
        self._queues = self._made(boto3.client, "sqs")
        self._queue = self._queues.create_queue(QueueName="bench-usage")["QueueUrl"]
        self._issue()
        self._limit()
        self.environment |= {
            "MODELS_TABLE": "bench-models",
            "API_TOKENS_TABLE": "bench-tokens",
            "LIMITS_TABLE": "bench-limits",
            "LEDGER_TABLE": "bench-ledger",
            "USAGE_QUEUE_URL": self._queue,
            "AUTH_PARAMETER": "/bench/auth",
            "MANAGEMENT_KEY_SECRET": management,
            "USER_GROUP": "user",
            "ALLOWED_NETWORKS": "127.0.0.0/8",
        }

    def _issue(self) -> None:
        self._tables.Table("bench-tokens").put_item(
            Item={
                "token": hashlib.sha256(CREDENTIAL.encode()).hexdigest(),
                "tokenUUID": "0f0e0d0c-0000-4000-8000-000000000001",
                "tokenExpiration": 4_102_444_800,
                "username": OWNER,
                "groups": ["user", GROUP],
            }
        )

    def _limit(self) -> None:
        """Limits of each kind that hold for the caller, and are never reached."""
        for subject in ("user#*", "key#*", f"group#{GROUP}"):
            self._tables.Table("bench-limits").put_item(
                Item={
                    "subject": subject,
                    "requestsPerMinute": PLENTY,
                    "tokensPerMinute": PLENTY,
                    "budgetMicroUsd": PLENTY,
                    "budgetPeriod": "month",
                }
            )

    def register(self, model_id: str, url: str) -> None:
        """A model that only members of a group may use, with a provider's key and a price."""
        self._tables.Table("bench-models").put_item(
            Item={
                "modelId": model_id,
                "modelName": f"openai/{model_id}",
                "modelUrl": url,
                "modelType": "textgen",
                "streaming": True,
                "status": "InService",
                "allowedGroups": [GROUP],
                "pricing": {"inputCostPerToken": Decimal("0.000001"), "outputCostPerToken": Decimal("0.000002")},
                "apiKeySecretArn": self._provider_key,
                "lastModified": "2026-01-02T03:04:05+00:00",
            }
        )

    def forget_usage(self) -> None:
        """Empties the queue, so that the emulator does not grow during a soak."""
        self._queues.purge_queue(QueueUrl=self._queue)
