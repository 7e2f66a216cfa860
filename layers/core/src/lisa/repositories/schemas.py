"""Repositories: a vector store and who may use it."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from lisa.schemas import FreeForm, Schema

# A repository id is a folder in the documents bucket and a PostgreSQL schema.
REPOSITORY_ID = r"^[a-z0-9][a-z0-9_-]{2,19}$"
RESERVED_IDS = frozenset({"status", "collections", "presigned-url", "uploads"})  # routes, and a folder of the bucket


class RepositoryType(StrEnum):
    PGVECTOR = "pgvector"
    OPENSEARCH = "opensearch"
    BEDROCK_KNOWLEDGE_BASE = "bedrock_knowledge_base"


class RepositoryStatus(StrEnum):
    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    CREATE_COMPLETE = "CREATE_COMPLETE"
    CREATE_FAILED = "CREATE_FAILED"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    UPDATE_COMPLETE = "UPDATE_COMPLETE"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETE_FAILED = "DELETE_FAILED"


class ChunkingType(StrEnum):
    FIXED = "fixed"
    NONE = "none"


class ChunkingStrategy(Schema):
    """How a document is cut; `size` and `overlap` in characters. `chunkSize` and `chunkOverlap` are read too."""

    type: ChunkingType = ChunkingType.FIXED
    size: int = Field(512, ge=100, le=10_000)
    overlap: int = Field(51, ge=0)

    @model_validator(mode="before")
    @classmethod
    def old_names(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        given = {
            "type": value.get("type"),
            "size": value.get("size", value.get("chunkSize")),
            "overlap": value.get("overlap", value.get("chunkOverlap")),
        }
        if isinstance(given["type"], str):
            given["type"] = given["type"].lower()
        if given["overlap"] is None and isinstance(given["size"], int):
            given["overlap"] = given["size"] // 10
        return {name: part for name, part in given.items() if part is not None}

    @model_validator(mode="after")
    def at_most_half(self) -> Self:
        if self.type is ChunkingType.FIXED and self.overlap > self.size // 2:
            raise ValueError("overlap may be at most half of size")
        return self


def with_chunking(value: Any) -> Any:
    """A body whose chunking is written the old way (`chunkSize`, `chunkOverlap` beside the rest), in the new one."""
    if isinstance(value, dict) and value.get("chunkingStrategy") is None and value.get("chunkSize") is not None:
        old = {"size": value["chunkSize"], "overlap": value.get("chunkOverlap")}
        return value | {"chunkingStrategy": old}
    return value


Tag = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[A-Za-z0-9_-]+$")]
Group = Annotated[str, Field(min_length=1, max_length=200)]


class Metadata(Schema):
    tags: list[Tag] = Field([], max_length=50)
    custom_fields: FreeForm = {}

    @model_validator(mode="before")
    @classmethod
    def null_is_empty(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: part for name, part in value.items() if part is not None}
        return value


class RdsConfig(Schema):
    """An existing PostgreSQL with pgvector; absent fields name the deployment's own database."""

    username: str = Field("postgres", min_length=1, max_length=63)
    password_secret_id: str = Field(min_length=1, max_length=2048)
    db_host: str = Field(max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")
    db_name: str = Field("postgres", min_length=1, max_length=63)
    db_port: int = Field(5432, ge=1, le=65_535)


class PipelineTrigger(StrEnum):
    EVENT = "event"
    DAILY = "daily"
    SCHEDULE = "schedule"


class Pipeline(Schema):
    """A source that feeds a collection. Kept as sent; see docs/repositories.md for which of them run."""

    s3_bucket: str = Field(min_length=3, max_length=63)
    s3_prefix: str = Field("", max_length=1024)
    trigger: PipelineTrigger
    auto_remove: bool = True
    collection_id: str | None = Field(None, max_length=128)
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata = Metadata()

    @model_validator(mode="before")
    @classmethod
    def either_vocabulary(cls, value: Any) -> Any:
        value = with_chunking(value)
        if isinstance(value, dict):
            kept = {name: part for name, part in value.items() if part is not None}
            if isinstance(kept.get("trigger"), str):
                kept["trigger"] = kept["trigger"].lower()
            return kept
        return value

    @property
    def identity(self) -> tuple[str, str, PipelineTrigger, bool, str | None]:
        """What must not change in a pipeline that exists."""
        return self.s3_bucket, self.s3_prefix, self.trigger, self.auto_remove, self.collection_id


class RepositoryFields(Schema):
    repository_id: str = Field(pattern=REPOSITORY_ID)
    repository_name: str | None = Field(None, max_length=100)
    description: str | None = Field(None, max_length=2000)
    embedding_model_id: str | None = Field(None, max_length=128)
    type: RepositoryType
    allowed_groups: list[Group] = Field([], max_length=100, description="none = everybody")
    metadata: Metadata = Metadata()
    pipelines: list[Pipeline] = Field([], max_length=50)
    rds_config: RdsConfig | None = None

    @field_validator("allowed_groups", "pipelines", mode="before")
    @classmethod
    def null_is_empty(cls, value: Any) -> Any:
        return [] if value is None else value

    @field_validator("metadata", mode="before")
    @classmethod
    def null_is_default(cls, value: Any) -> Any:
        return Metadata() if value is None else value

    @field_validator("embedding_model_id", "repository_name", "description")
    @classmethod
    def empty_is_none(cls, value: str | None) -> str | None:
        return value or None


class CreateRepositoryRequest(RepositoryFields):
    @field_validator("repository_id")
    @classmethod
    def not_reserved(cls, value: str) -> str:
        if value in RESERVED_IDS:
            raise ValueError(f"is a reserved word; choose another than {', '.join(sorted(RESERVED_IDS))}")
        return value


class UpdateRepositoryRequest(Schema):
    """Absent and null fields stay as they are; "" and [] empty a field."""

    repository_name: str | None = Field(None, max_length=100)
    description: str | None = Field(None, max_length=2000)
    embedding_model_id: str | None = Field(None, max_length=128)
    allowed_groups: list[Group] | None = Field(None, max_length=100)
    metadata: Metadata | None = None
    pipelines: list[Pipeline] | None = Field(None, max_length=50)

    @model_validator(mode="after")
    def something(self) -> Self:
        if all(value is None for value in dict(self).values()):
            raise ValueError("send at least one field to change")
        return self


class Repository(RepositoryFields):
    """A row of the repositories table and what clients see."""

    status: RepositoryStatus = RepositoryStatus.CREATE_IN_PROGRESS
    failure_reason: str | None = None
    created_by: str = ""
    created_at: str = ""
    updated_at: str = ""


class Started(Schema):
    """Work that a state machine does now."""

    status: str = "success"
    execution_arn: str


class RepositoryTask(Schema):
    """Input of the tasks of create_repository and delete_repository.

    `round` counts turns of a loop; `abandon_index`: go on without a database that is out of reach.
    """

    repository_id: str
    changed_at: str
    round: int = 0
    abandon_index: bool = False


class Turn(Schema):
    """Output of a task that does a bounded part of a long work. `more`: it must be called again."""

    more: bool
    round: int
