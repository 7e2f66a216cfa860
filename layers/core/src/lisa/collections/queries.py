"""What clients write into the query of a list, in both of their vocabularies."""

import json
from typing import Any

from pydantic import Field, ValidationError, field_validator

from lisa.collections.schemas import CollectionStatus, ListRequest, Place, SortBy, SortOrder
from lisa.errors import BadRequestError
from lisa.schemas import Schema

MAX_PAGE = 100


class ListQuery(Schema):
    """`filter` and `filterText`, `status` and `statusFilter` mean the same. Empty values are as absent ones."""

    page_size: int = Field(20, description="1 to 100; more is 100")
    page: int = Field(1, ge=1, le=1_000_000)
    filter: str | None = Field(None, max_length=200)
    filter_text: str | None = Field(None, max_length=200)
    status: CollectionStatus | None = None
    status_filter: CollectionStatus | None = None
    sort_by: SortBy = SortBy.CREATED_AT
    sort_order: SortOrder = SortOrder.DESC

    @field_validator("status", "status_filter", mode="before")
    @classmethod
    def in_any_case(cls, value: Any) -> Any:
        return (value.upper() or None) if isinstance(value, str) else value

    @field_validator("sort_order", mode="before")
    @classmethod
    def in_any_order(cls, value: Any) -> Any:
        return (value.lower() or SortOrder.DESC) if isinstance(value, str) else value

    @field_validator("page_size")
    @classmethod
    def bounded(cls, value: int) -> int:
        return min(max(value, 1), MAX_PAGE)

    def request(self, after: Place | None) -> ListRequest:
        return ListRequest(
            text=self.filter_text or self.filter or "",
            status=self.status_filter or self.status,
            sort_by=self.sort_by,
            sort_order=self.sort_order,
            page=self.page,
            page_size=self.page_size,
            after=after,
        )


class RepositoryListQuery(ListQuery):
    """The collection to continue after comes in parts."""

    last_evaluated_key_collection_id: str | None = None
    last_evaluated_key_status: str | None = None
    last_evaluated_key_created_at: str | None = None

    def within(self, repository_id: str) -> ListRequest:
        if not self.last_evaluated_key_collection_id:
            return self.request(None)
        return self.request(
            Place(
                collection_id=self.last_evaluated_key_collection_id,
                repository_id=repository_id,
                status=self.last_evaluated_key_status or "",
                created_at=self.last_evaluated_key_created_at or "",
            )
        )


class UserListQuery(ListQuery):
    """The collection to continue after comes as the JSON text that the page before told."""

    last_evaluated_key: str | None = Field(None, max_length=4000)

    def everywhere(self) -> ListRequest:
        """Raises: BadRequestError for a key that no page told."""
        if not self.last_evaluated_key:
            return self.request(None)
        try:
            after = Place.model_validate(json.loads(self.last_evaluated_key))
        except (json.JSONDecodeError, ValidationError, RecursionError):
            raise BadRequestError("lastEvaluatedKey is none that a page told. Begin with the first page.") from None
        return self.request(after)
