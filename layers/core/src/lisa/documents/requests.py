"""What clients send and get about documents and jobs."""

import json
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator

from lisa.documents.schemas import Document, DocumentStatus, Job
from lisa.errors import BadRequestError
from lisa.repositories.schemas import ChunkingStrategy, Metadata
from lisa.schemas import Schema

MAX_AT_ONCE = 100  # documents that one call takes up: each costs some calls to S3, and the answer has 29 s
MAX_HOURS = 24 * 365
DocumentId = Annotated[str, Field(min_length=1, max_length=100)]


class ModelName(Schema):
    model_name: str | None = None


class BulkRequest(Schema):
    """`keys` are what the presigned forms named."""

    keys: list[Annotated[str, Field(min_length=1, max_length=1024)]] = Field(min_length=1, max_length=MAX_AT_ONCE)
    collection_id: str | None = None
    embedding_model: ModelName | None = None
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata = Metadata()

    @model_validator(mode="before")
    @classmethod
    def absent_metadata_is_empty(cls, value: Any) -> Any:
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class BulkQuery(Schema):
    """The original's deprecated way to say the chunking: it counts only together with a collection in the query."""

    collection_id: str | None = None
    chunk_size: int | None = None
    chunk_overlap: int | None = None

    def chunking(self) -> ChunkingStrategy | None:
        """Raises: BadRequestError for sizes that no strategy may have."""
        if not self.collection_id or self.chunk_size is None:
            return None
        try:
            return ChunkingStrategy.model_validate({"size": self.chunk_size, "overlap": self.chunk_overlap})
        except ValidationError as error:
            raise BadRequestError(f"chunkSize or chunkOverlap: {error.errors()[0]['msg']}.") from error


class DeleteRequest(Schema):
    document_ids: list[DocumentId] = Field([], max_length=MAX_AT_ONCE)


class JobStarted(Schema):
    job_id: str
    document_id: str
    status: DocumentStatus
    s3_path: str

    @classmethod
    def of(cls, job: Job) -> "JobStarted":
        return cls(job_id=job.id, document_id=job.document_id, status=job.status, s3_path=job.s3_path)


class JobsStarted(Schema):
    jobs: list[JobStarted]


class BulkStarted(JobsStarted):
    collection_id: str
    collection_name: str


class ListQuery(Schema):
    """`lastEvaluatedKey…`: the parts of what the page before told as `lastEvaluated`."""

    collection_id: str | None = None
    page_size: int = 10
    last_evaluated_key_pk: str | None = None
    last_evaluated_key_document_id: str | None = None
    last_evaluated_key_repository_id: str | None = None

    @field_validator("page_size")
    @classmethod
    def bounded(cls, value: int) -> int:
        return min(max(value, 1), 100)

    def after(self, repository_id: str) -> tuple[str, str] | None:
        """The collection and the document to continue after, or None for the first page."""
        if not self.last_evaluated_key_document_id:
            return None
        collection = (self.last_evaluated_key_pk or "").removeprefix(f"{repository_id}#")
        return collection or self.collection_id or "", self.last_evaluated_key_document_id


class LastDocument(Schema):
    """Not camelCase: it is the key of a row, as the original tells it."""

    pk: str
    document_id: str = Field(serialization_alias="document_id")
    repository_id: str = Field(serialization_alias="repository_id")


class DocumentPage(Schema):
    documents: list[Document]
    last_evaluated: LastDocument | None
    total_documents: int
    has_next_page: bool
    has_previous_page: bool


class JobsQuery(Schema):
    """`time_limit` in hours."""

    time_limit: int = Field(720, ge=1, le=MAX_HOURS)
    page_size: int = 10
    last_evaluated_key: str | None = Field(None, max_length=2000)

    @field_validator("page_size")
    @classmethod
    def bounded(cls, value: int) -> int:
        return min(max(value, 1), 100)

    def after(self) -> dict[str, str] | None:
        """Raises: BadRequestError for a key that no page told."""
        if not self.last_evaluated_key:
            return None
        try:
            key = json.loads(self.last_evaluated_key)
            return {"id": str(key["id"]), "created_date": str(key["created_date"])}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadRequestError("lastEvaluatedKey is none that a page told. Begin with the first page.") from None


class JobPage(Schema):
    jobs: list[Job]
    last_evaluated_key: dict[str, Any] | None
    has_next_page: bool
    has_previous_page: bool
