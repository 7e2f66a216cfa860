"""Collections: a part of a repository with its own embedding model, chunking, groups and metadata."""

from enum import StrEnum

from pydantic import Field

from lisa.repositories.schemas import ChunkingStrategy, Metadata
from lisa.schemas import Schema

COLLECTION_NAME = r"^[A-Za-z0-9 _-]{1,100}$"


class CollectionStatus(StrEnum):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETE_FAILED = "DELETE_FAILED"


class CollectionRequest(Schema):
    name: str = Field(pattern=COLLECTION_NAME)
    description: str | None = None
    embedding_model: str | None = None
    chunking_strategy: ChunkingStrategy | None = None
    allow_chunking_override: bool = True
    allowed_groups: list[str] | None = Field(None, description="null or [] = as the repository")
    metadata: Metadata = Metadata()


class UpdateCollectionRequest(Schema):
    name: str | None = Field(None, pattern=COLLECTION_NAME)
    description: str | None = None
    chunking_strategy: ChunkingStrategy | None = None
    allow_chunking_override: bool | None = None
    allowed_groups: list[str] | None = None
    metadata: Metadata | None = None
    status: CollectionStatus | None = None


class Collection(CollectionRequest):
    """A row of the collections table; the virtual default collection has the embedding model's id as its own."""

    collection_id: str
    repository_id: str
    status: CollectionStatus = CollectionStatus.ACTIVE
    default: bool = False
    created_by: str = ""
    created_at: str = ""
    updated_at: str = ""
