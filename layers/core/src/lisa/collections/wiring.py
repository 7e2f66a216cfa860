"""Builds what the functions of this concern need from their settings."""

from pydantic import Field

from lisa import aws
from lisa.collections.deletions import DynamoDeletions
from lisa.collections.store import DynamoCollectionStore
from lisa.machines import StateMachine
from lisa.models.store import DynamoModelStore
from lisa.repositories.store import DynamoRepositoryStore
from lisa.settings import Settings


class CollectionTaskSettings(Settings):
    repositories_table: str = Field(min_length=3)
    collections_table: str = Field(min_length=3)


class CollectionSettings(CollectionTaskSettings):
    """What the API needs besides; the machine is an ARN."""

    models_table: str = Field(min_length=3)
    documents_table: str = Field(min_length=3)
    jobs_table: str = Field(min_length=3)
    delete_collection_machine: str = Field(min_length=1)


def repositories() -> DynamoRepositoryStore:
    return DynamoRepositoryStore(aws.table(CollectionTaskSettings.load().repositories_table))


def collections() -> DynamoCollectionStore:
    return DynamoCollectionStore(aws.table(CollectionTaskSettings.load().collections_table))


def models() -> DynamoModelStore:
    return DynamoModelStore(aws.table(CollectionSettings.load().models_table))


def deletions() -> DynamoDeletions:
    settings = CollectionSettings.load()
    return DynamoDeletions(aws.table(settings.documents_table), aws.table(settings.jobs_table))


def delete_machine() -> StateMachine:
    return StateMachine(aws.client("stepfunctions"), CollectionSettings.load().delete_collection_machine)
