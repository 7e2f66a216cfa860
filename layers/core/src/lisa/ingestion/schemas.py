"""What the state machines hand from task to task: ids, never text."""

from typing import Self

from pydantic import Field

from lisa.documents.schemas import Document, DocumentStatus
from lisa.schemas import Schema


class DocumentTask(Schema):
    """The input of an execution: one attempt (`job_id`) at one version (`sequencer`) of a document."""

    repository_id: str = Field(min_length=1)
    collection_id: str = Field(min_length=1)
    document_id: str = Field(min_length=1)
    job_id: str = Field(min_length=1)
    sequencer: str

    @classmethod
    def of(cls, document: Document) -> Self:
        return cls(
            repository_id=document.repository_id,
            collection_id=document.collection_id,
            document_id=document.document_id,
            job_id=document.job_id,
            sequencer=document.sequencer,
        )

    @property
    def change(self) -> str:
        """What names the execution: the same attempt at the same version is the same execution."""
        return f"{self.sequencer}:{self.job_id}"


class ParsedTask(Schema):
    """`batches` are the numbers of the batches of chunks that lie in the work bucket."""

    batches: list[int]
    chunk_count: int
    embedding_model: str


class EmbedTask(Schema):
    document_id: str = Field(min_length=1)
    job_id: str = Field(min_length=1)
    sequencer: str
    embedding_model: str = Field(min_length=1)
    batch: int = Field(ge=0)


class IndexTask(DocumentTask):
    batches: list[int]


class IndexedTask(Schema):
    chunk_count: int


class StepError(Schema):
    """What Step Functions tells of a failed state."""

    error: str = Field("", alias="Error")
    cause: str = Field("", alias="Cause")


class FailTask(DocumentTask):
    error: StepError = StepError()


class FailedTask(Schema):
    """`failed` is False when the attempt had been overtaken: then nothing failed. `fault`: ours, not the document's."""

    failed: bool
    fault: bool = False
    status: DocumentStatus | None = None
    reason: str = ""
