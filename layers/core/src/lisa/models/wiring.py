"""Builds what the functions of this concern need from their settings."""

from pydantic import Field

from lisa import aws
from lisa.collections.store import DynamoCollectionStore
from lisa.machines import StateMachine
from lisa.models.secrets import SecretsManagerKeys
from lisa.models.store import DynamoModelStore
from lisa.repositories.store import DynamoRepositoryStore
from lisa.settings import Settings


class ModelTaskSettings(Settings):
    """What the tasks need: the table, and how the names of providers' keys begin."""

    models_table: str = Field(min_length=3)
    model_secret_prefix: str = Field(min_length=1)


class ModelSettings(ModelTaskSettings):
    """What the API needs besides: who may use a model for embedding, and the machines (ARNs)."""

    repositories_table: str = Field(min_length=3)
    collections_table: str = Field(min_length=3)
    create_model_machine: str = Field(min_length=1)
    update_model_machine: str = Field(min_length=1)
    delete_model_machine: str = Field(min_length=1)


def models() -> DynamoModelStore:
    return DynamoModelStore(aws.table(ModelTaskSettings.load().models_table))


def keys() -> SecretsManagerKeys:
    return SecretsManagerKeys(aws.client("secretsmanager"), ModelTaskSettings.load().model_secret_prefix)


def repositories() -> DynamoRepositoryStore:
    return DynamoRepositoryStore(aws.table(ModelSettings.load().repositories_table))


def collections() -> DynamoCollectionStore:
    return DynamoCollectionStore(aws.table(ModelSettings.load().collections_table))


def machine(arn: str) -> StateMachine:
    return StateMachine(aws.client("stepfunctions"), arn)
