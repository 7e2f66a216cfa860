"""Builds what the functions of this concern need from their settings."""

from pydantic import Field

from lisa import aws
from lisa.collections.store import DynamoCollectionStore
from lisa.documents.purge import DynamoPurge
from lisa.machines import StateMachine
from lisa.models.store import DynamoModelStore
from lisa.repositories.store import DynamoRepositoryStore
from lisa.settings import Settings


class RepositoryTaskSettings(Settings):
    repositories_table: str = Field(min_length=3)
    collections_table: str = Field(min_length=3)


class RepositorySettings(RepositoryTaskSettings):
    """What the API needs besides; the machines are ARNs."""

    models_table: str = Field(min_length=3)
    create_repository_machine: str = Field(min_length=1)
    delete_repository_machine: str = Field(min_length=1)


class PurgeSettings(Settings):
    documents_bucket: str = Field(min_length=3)
    documents_table: str = Field(min_length=3)
    jobs_table: str = Field(min_length=3)


def repositories() -> DynamoRepositoryStore:
    return DynamoRepositoryStore(aws.table(RepositoryTaskSettings.load().repositories_table))


def collections() -> DynamoCollectionStore:
    return DynamoCollectionStore(aws.table(RepositoryTaskSettings.load().collections_table))


def models() -> DynamoModelStore:
    return DynamoModelStore(aws.table(RepositorySettings.load().models_table))


def purge() -> DynamoPurge:
    settings = PurgeSettings.load()
    return DynamoPurge(
        aws.client("s3"),
        settings.documents_bucket,
        aws.table(settings.documents_table),
        aws.table(settings.jobs_table),
    )


def machine(arn: str) -> StateMachine:
    return StateMachine(aws.client("stepfunctions"), arn)
