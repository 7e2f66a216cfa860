"""Builds what the functions of this concern need from their settings."""

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from pydantic import Field

from lisa import aws
from lisa.collections.store import DynamoCollectionStore
from lisa.documents.changes import Desk
from lisa.documents.jobs import DynamoJobStore
from lisa.documents.objects import S3Objects
from lisa.documents.store import DynamoDocumentStore
from lisa.machines import StateMachine
from lisa.repositories.store import DynamoRepositoryStore
from lisa.settings import Settings


class DocumentSettings(Settings):
    """Names of tables and of the bucket; the machine is an ARN."""

    repositories_table: str = Field(min_length=3)
    collections_table: str = Field(min_length=3)
    documents_table: str = Field(min_length=3)
    jobs_table: str = Field(min_length=3)
    documents_bucket: str = Field(min_length=3)
    delete_document_machine: str = Field(min_length=1)


@cache
def _signer() -> Any:
    """Signs for the bucket's own regional host: the global one redirects at first, which signed forms do not survive.

    Another S3 than Amazon's has its buckets in the path.
    """
    host = urlsplit(aws.client("s3").meta.endpoint_url).hostname or ""
    style = "virtual" if host.startswith("s3.") else "auto"
    return boto3.client("s3", config=aws.CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": style})))


def repositories() -> DynamoRepositoryStore:
    return DynamoRepositoryStore(aws.table(DocumentSettings.load().repositories_table))


def collections() -> DynamoCollectionStore:
    return DynamoCollectionStore(aws.table(DocumentSettings.load().collections_table))


def documents() -> DynamoDocumentStore:
    return DynamoDocumentStore(aws.table(DocumentSettings.load().documents_table))


def jobs() -> DynamoJobStore:
    return DynamoJobStore(aws.table(DocumentSettings.load().jobs_table))


def objects() -> S3Objects:
    return S3Objects(aws.client("s3"), _signer(), DocumentSettings.load().documents_bucket)


def desk() -> Desk:
    machine = StateMachine(aws.client("stepfunctions"), DocumentSettings.load().delete_document_machine)
    return Desk(repositories(), collections(), documents(), jobs(), objects(), machine)
