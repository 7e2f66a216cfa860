"""Repositories: a vector store and who may use it."""

from enum import StrEnum
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from lisa.schemas import Schema

# A repository id is a folder in the documents bucket and a PostgreSQL schema.
REPOSITORY_ID = r"^[a-z0-9][a-z0-9_-]{2,19}$"


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
    """How a document is cut; `size` and `overlap` in characters."""

    type: ChunkingType = ChunkingType.FIXED
    size: int = Field(512, ge=100, le=10_000)
    overlap: int = Field(51, ge=0)

    @model_validator(mode="after")
    def at_most_half(self) -> Self:
        if self.type is ChunkingType.FIXED and self.overlap > self.size // 2:
            raise ValueError("overlap may be at most half of size")
        return self


class Metadata(Schema):
    tags: list[str] = Field([], max_length=50)
    custom_fields: dict[str, Any] = {}


class RdsConfig(Schema):
    """An existing PostgreSQL with pgvector; absent fields name the deployment's own database."""

    username: str = "postgres"
    password_secret_id: str
    db_host: str
    db_name: str = "postgres"
    db_port: int = 5432


class CreateRepositoryRequest(Schema):
    repository_id: str = Field(pattern=REPOSITORY_ID)
    repository_name: str | None = Field(None, max_length=100)
    description: str | None = None
    embedding_model_id: str | None = None
    type: RepositoryType
    allowed_groups: list[str] = []
    metadata: Metadata = Metadata()
    pipelines: list[dict[str, Any]] = []
    rds_config: RdsConfig | None = None

    @field_validator("allowed_groups", "pipelines", mode="before")
    @classmethod
    def null_is_empty(cls, value: Any) -> Any:
        return [] if value is None else value


class UpdateRepositoryRequest(Schema):
    repository_name: str | None = None
    description: str | None = None
    embedding_model_id: str | None = None
    allowed_groups: list[str] | None = None
    metadata: Metadata | None = None
    pipelines: list[dict[str, Any]] | None = None


class Repository(CreateRepositoryRequest):
    """A row of the repositories table and what clients see."""

    status: RepositoryStatus = RepositoryStatus.CREATE_IN_PROGRESS
    failure_reason: str | None = None
    created_by: str = ""
    created_at: str = ""
    updated_at: str = ""
