"""Builds what each function of the ingestion needs; every function has only the settings that it uses."""

from typing import Any

from pydantic import Field

from lisa import aws
from lisa.collections.store import DynamoCollectionStore
from lisa.documents.jobs import DynamoJobStore
from lisa.documents.objects import S3Objects
from lisa.ingestion.intake import Intake
from lisa.ingestion.progress import DynamoProgress
from lisa.ingestion.tasks import Shelves
from lisa.ingestion.work import S3Work
from lisa.machines import StateMachine
from lisa.repositories.store import DynamoRepositoryStore
from lisa.settings import Settings


class ProgressSettings(Settings):
    documents_table: str = Field(min_length=3)
    jobs_table: str = Field(min_length=3)


class RepositorySettings(Settings):
    repositories_table: str = Field(min_length=3)


class CollectionSettings(Settings):
    collections_table: str = Field(min_length=3)


class MachineSettings(Settings):
    """ARNs."""

    ingest_document_machine: str = Field(min_length=1)
    delete_document_machine: str = Field(min_length=1)


class DocumentsBucketSettings(Settings):
    documents_bucket: str = Field(min_length=3)


class WorkSettings(Settings):
    work_bucket: str = Field(min_length=3)


class BusSettings(Settings):
    event_bus: str = Field(min_length=1)


def progress() -> DynamoProgress:
    settings = ProgressSettings.load()
    return DynamoProgress(aws.table(settings.documents_table), aws.table(settings.jobs_table))


def jobs() -> DynamoJobStore:
    return DynamoJobStore(aws.table(ProgressSettings.load().jobs_table))


def repositories() -> DynamoRepositoryStore:
    return DynamoRepositoryStore(aws.table(RepositorySettings.load().repositories_table))


def shelves() -> Shelves:
    return Shelves(
        repositories(), DynamoCollectionStore(aws.table(CollectionSettings.load().collections_table)), progress()
    )


def objects() -> S3Objects:
    s3 = aws.client("s3")
    return S3Objects(s3, s3, DocumentsBucketSettings.load().documents_bucket)


def work() -> S3Work:
    return S3Work(aws.client("s3"), WorkSettings.load().work_bucket)


def ingest_machine() -> StateMachine:
    return StateMachine(aws.client("stepfunctions"), MachineSettings.load().ingest_document_machine)


def delete_machine() -> StateMachine:
    return StateMachine(aws.client("stepfunctions"), MachineSettings.load().delete_document_machine)


def intake() -> Intake:
    places = shelves()
    return Intake(
        places.repositories,
        places.collections,
        jobs(),
        places.progress,
        objects(),
        ingest_machine(),
        delete_machine(),
    )


def bus() -> tuple[Any, str]:
    """The client and the name that `lisa.events.publish` takes."""
    return aws.client("events"), BusSettings.load().event_bus
