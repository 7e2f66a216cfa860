"""Documents and the jobs that ingest or delete them (snake_case rows on the wire, as the original has them)."""

from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, computed_field

from lisa.repositories.schemas import ChunkingStrategy

SYSTEM = "system"  # the owner of what no person uploaded through the API


class DocumentStatus(StrEnum):
    INGESTION_PENDING = "INGESTION_PENDING"
    INGESTION_IN_PROGRESS = "INGESTION_IN_PROGRESS"
    INGESTION_COMPLETED = "INGESTION_COMPLETED"
    INGESTION_FAILED = "INGESTION_FAILED"
    DELETE_PENDING = "DELETE_PENDING"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETE_COMPLETED = "DELETE_COMPLETED"
    DELETE_FAILED = "DELETE_FAILED"

    @property
    def is_final(self) -> bool:
        return self.value.endswith(("_COMPLETED", "_FAILED"))

    @property
    def is_deletion(self) -> bool:
        return self.value.startswith("DELETE_")


class IngestionStage(StrEnum):
    """Where an ingestion in progress is; shown to people."""

    QUEUED = "queued"
    PARSING = "parsing"
    EMBEDDING = "embedding"
    INDEXING = "indexing"
    DONE = "done"


class IngestionType(StrEnum):
    MANUAL = "manual"
    AUTO = "auto"


class JobType(StrEnum):
    INGESTION = "document_ingestion"
    DELETION = "document_deletion"
    COLLECTION_DELETION = "collection_deletion"


def document_id_of(source: str) -> str:
    """The id of the document at `source` (s3://bucket/key): the same object is the same document for ever."""
    return str(uuid5(NAMESPACE_URL, source))


class Document(BaseModel):
    """A row of the documents table. One S3 object is one document.

    `sequencer` orders the object's events; `job_id` is the attempt that may write now: holders of another one are late.
    A row in DELETE_COMPLETED is a tombstone, which nobody sees: it keeps late events from bringing the document back.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    document_id: str
    repository_id: str
    collection_id: str
    document_name: str
    source: str
    username: str
    chunk_strategy: ChunkingStrategy = ChunkingStrategy()
    ingestion_type: IngestionType = IngestionType.AUTO
    upload_date: int = 0
    chunks: int = 0
    status: DocumentStatus = DocumentStatus.INGESTION_PENDING
    stage: IngestionStage = IngestionStage.QUEUED
    error_message: str | None = None
    metadata: dict[str, Any] = {}
    sequencer: str = ""
    version_id: str | None = None
    job_id: str = ""
    updated_at: str = ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def pk(self) -> str:
        return f"{self.repository_id}#{self.collection_id}"

    @property
    def key(self) -> str:
        """The key of the object in the documents bucket."""
        return self.source.removeprefix("s3://").partition("/")[2]

    @property
    def is_gone(self) -> bool:
        return self.status is DocumentStatus.DELETE_COMPLETED


class Job(BaseModel):
    """A row of the jobs table: one attempt to ingest or delete one document; what people see of its progress."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    s3_path: str
    repository_id: str
    collection_id: str
    document_id: str
    document_name: str
    chunk_strategy: ChunkingStrategy | None = None
    embedding_model: str | None = None
    username: str
    ingestion_type: IngestionType = IngestionType.AUTO
    job_type: JobType = JobType.INGESTION
    status: DocumentStatus = DocumentStatus.INGESTION_PENDING
    stage: IngestionStage = IngestionStage.QUEUED
    created_date: str = ""
    updated_date: str = ""
    error_message: str | None = None
    metadata: dict[str, Any] = {}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def auto(self) -> bool:
        return self.username == SYSTEM

    @property
    def owner_key(self) -> str:
        return f"{self.repository_id}#{self.username}"
