"""The models concern in one fresh account: tables, and machines that only remember their executions."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from tests.fixtures.control_plane import Cloud
from tests.fixtures.control_plane import cloud as cloud

NOTHING = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
ROLE = "arn:aws:iam::123456789012:role/machines"
MODELS = {
    "MODELS_TABLE": "models",
    "REPOSITORIES_TABLE": "repositories",
    "COLLECTIONS_TABLE": "collections",
    "MODEL_SECRET_PREFIX": "lisa/models/",
}


@dataclass
class Registry:
    cloud: Cloud
    models: Any
    repositories: Any
    collections: Any
    machines: dict[str, str]

    def row(self, model_id: str) -> dict[str, Any]:
        return dict(self.models.get_item(Key={"modelId": model_id})["Item"])

    def tasks(self, machine: str) -> list[dict[str, Any]]:
        """The inputs of the machine's executions, oldest first."""
        client = boto3.client("stepfunctions")
        found = client.list_executions(stateMachineArn=self.machines[machine])["executions"]
        found.sort(key=lambda execution: execution["startDate"])
        return [
            json.loads(client.describe_execution(executionArn=execution["executionArn"])["input"])
            for execution in found
        ]

    def secrets(self) -> list[str]:
        return [secret["Name"] for secret in boto3.client("secretsmanager").list_secrets()["SecretList"]]


@pytest.fixture
def registry(cloud: Cloud) -> Registry:
    client = boto3.client("stepfunctions")
    machines = {}
    for name in ("create_model", "update_model", "delete_model"):
        machines[name] = client.create_state_machine(name=name, definition=NOTHING, roleArn=ROLE)["stateMachineArn"]
    cloud.configure(**MODELS, **{f"{name.upper()}_MACHINE": arn for name, arn in machines.items()})
    return Registry(
        cloud,
        cloud.table("models", "modelId"),
        cloud.table("repositories", "repositoryId"),
        cloud.table("collections", "repositoryId", "collectionId"),
        machines,
    )
