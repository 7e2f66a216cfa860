"""Collections: a part of a repository with its own embedding model, chunking, groups and metadata."""

from enum import StrEnum
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from lisa.repositories.schemas import ChunkingStrategy, Group, Metadata, with_chunking
from lisa.schemas import Schema

COLLECTION_NAME = r"^[A-Za-z0-9 _-]{1,100}$"


class CollectionStatus(StrEnum):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETE_FAILED = "DELETE_FAILED"


class CollectionFields(Schema):
    name: str = Field(pattern=COLLECTION_NAME)
    description: str | None = Field(None, max_length=2000)
    embedding_model: str | None = Field(None, max_length=128, description="null = the repository's; cannot be changed")
    chunking_strategy: ChunkingStrategy | None = None
    allow_chunking_override: bool = True
    allowed_groups: list[Group] | None = Field(None, max_length=100, description="null or [] = as the repository")
    metadata: Metadata = Metadata()

    @field_validator("metadata", mode="before")
    @classmethod
    def null_is_default(cls, value: Any) -> Any:
        return Metadata() if value is None else value

    @field_validator("allow_chunking_override", mode="before")
    @classmethod
    def null_is_true(cls, value: Any) -> Any:
        return True if value is None else value

    @field_validator("description", "embedding_model")
    @classmethod
    def empty_is_none(cls, value: str | None) -> str | None:
        return value or None


class CollectionRequest(CollectionFields):
    @field_validator("name", mode="before")
    @classmethod
    def trimmed(cls, value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def either_chunking(cls, value: Any) -> Any:
        return with_chunking(value)


class UpdateCollectionRequest(Schema):
    """Absent and null fields stay as they are; "" empties a description, [] makes groups those of the repository."""

    name: str | None = Field(None, pattern=COLLECTION_NAME)
    description: str | None = Field(None, max_length=2000)
    embedding_model: str | None = Field(None, description="only the present one: it cannot be changed")
    chunking_strategy: ChunkingStrategy | None = None
    allow_chunking_override: bool | None = None
    allowed_groups: list[Group] | None = Field(None, max_length=100)
    metadata: Metadata | None = None
    status: CollectionStatus | None = None

    @field_validator("name", mode="before")
    @classmethod
    def trimmed(cls, value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value

    @field_validator("status")
    @classmethod
    def settable(cls, value: CollectionStatus | None) -> CollectionStatus | None:
        if value not in (None, CollectionStatus.ACTIVE, CollectionStatus.ARCHIVED):
            raise ValueError("may be set to ACTIVE or ARCHIVED only")
        return value

    @model_validator(mode="before")
    @classmethod
    def either_chunking(cls, value: Any) -> Any:
        return with_chunking(value)

    @model_validator(mode="after")
    def something(self) -> Self:
        if all(value is None for value in dict(self).values()):
            raise ValueError("send at least one field to change")
        return self


class Collection(CollectionFields):
    """A row of the collections table; the virtual default collection has the embedding model's id as its own."""

    collection_id: str
    repository_id: str
    status: CollectionStatus = CollectionStatus.ACTIVE
    failure_reason: str | None = None
    default: bool = False
    created_by: str = ""
    created_at: str = ""
    updated_at: str = ""


class ListedCollection(Collection):
    """In lists over several repositories it says whose it is."""

    repository_name: str | None = None


class SortBy(StrEnum):
    NAME = "name"
    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"


class SortOrder(StrEnum):
    ASC = "asc"
    DESC = "desc"


class Place(Schema):
    """The last collection of a page; the next page begins after it."""

    collection_id: str
    repository_id: str
    status: str = ""
    created_at: str = ""


class ListRequest(Schema):
    """Which collections, in which order, which page: by number, or after the last collection of the page before."""

    text: str = Field("", max_length=200)
    status: CollectionStatus | None = None
    sort_by: SortBy = SortBy.CREATED_AT
    sort_order: SortOrder = SortOrder.DESC
    page: int = Field(1, ge=1)
    page_size: int = Field(20, ge=1, le=100)
    after: Place | None = None


class Pagination(Schema):
    total_count: int
    current_page: int
    total_pages: int


class CollectionPage(Schema):
    collections: list[ListedCollection]
    pagination: Pagination
    last_evaluated_key: Place | None = None
    has_next_page: bool
    has_previous_page: bool


class UserCollectionPage(Schema):
    """As `CollectionPage`; the key is JSON text, which the client hands back as it is."""

    collections: list[ListedCollection]
    pagination: Pagination
    last_evaluated_key: str | None = None
    has_next_page: bool
    has_previous_page: bool

    @classmethod
    def of(cls, page: CollectionPage) -> Self:
        key = page.last_evaluated_key
        fields = dict(page) | {"last_evaluated_key": key.model_dump_json(by_alias=True) if key else None}
        return cls(**fields)


class DeletionSummary(Schema):
    lisa_managed_documents: int
    user_managed_documents: int = 0
    action: str


class DeletionStarted(Schema):
    """`deletionType` partial: the documents go, the (default) collection stays."""

    job_id: str
    deletion_type: str
    status: str
    summary: DeletionSummary


class CollectionTask(Schema):
    """Input of the tasks of delete_collection. `default`: only the documents go."""

    repository_id: str
    collection_id: str
    job_id: str
    default: bool = False
    round: int = 0
