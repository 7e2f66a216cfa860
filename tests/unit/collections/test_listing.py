"""Pages of collections, whatever there is and whatever the order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lisa.collections.listing import page_of
from lisa.collections.schemas import ListedCollection, ListRequest, SortBy, SortOrder
from lisa.errors import BadRequestError

STAMPS = st.sampled_from([f"2026-11-2{day}T00:00:00+00:00" for day in range(3)])
COLLECTION = st.builds(
    ListedCollection,
    collection_id=st.text("ab", min_size=1, max_size=4),
    repository_id=st.sampled_from(["one", "two"]),
    name=st.sampled_from(["Alpha", "alpha", "beta"]),
    created_at=STAMPS,
    updated_at=STAMPS,
    status=st.just("ACTIVE"),
    description=st.none(),
    embedding_model=st.none(),
    chunking_strategy=st.none(),
    allowed_groups=st.none(),
    failure_reason=st.none(),
)
COLLECTIONS = st.lists(COLLECTION, max_size=12, unique_by=lambda c: (c.repository_id, c.collection_id))


def walk(found: list[ListedCollection], request: ListRequest) -> list[ListedCollection]:
    """All collections, page after page by key."""
    seen: list[ListedCollection] = []
    while True:
        page = page_of(found, request)
        seen += page.collections
        assert page.has_next_page is (page.last_evaluated_key is not None)
        if page.last_evaluated_key is None:
            return seen
        request = request.model_copy(update={"after": page.last_evaluated_key})


@given(COLLECTIONS, st.sampled_from(SortBy), st.sampled_from(SortOrder), st.integers(1, 5))
def test_pages_hold_every_collection_once(
    found: list[ListedCollection], sort_by: SortBy, order: SortOrder, page_size: int
) -> None:
    request = ListRequest(sort_by=sort_by, sort_order=order, page_size=page_size)
    by_key = walk(found, request)
    total = page_of(found, request).pagination.total_pages
    by_number = [
        collection
        for number in range(1, total + 1)
        for collection in page_of(found, request.model_copy(update={"page": number})).collections
    ]
    assert by_key == by_number
    assert sorted(map(repr, by_key)) == sorted(map(repr, found))
    values = [
        getattr(c, {"name": "name", "createdAt": "created_at", "updatedAt": "updated_at"}[sort_by]) for c in by_key
    ]
    assert [v.casefold() for v in values] == sorted((v.casefold() for v in values), reverse=order is SortOrder.DESC)


@given(COLLECTIONS, st.sampled_from(SortOrder), st.data())
def test_page_after_a_deleted_collection_continues_where_it_was(
    found: list[ListedCollection], order: SortOrder, data: st.DataObject
) -> None:
    request = ListRequest(sort_order=order, page_size=2)
    key = page_of(found, request).last_evaluated_key
    if key is None:
        return
    left = [c for c in found if (c.repository_id, c.collection_id) != (key.repository_id, key.collection_id)]
    following = request.model_copy(update={"after": key})
    assert page_of(left, following).collections == page_of(found, following).collections


def test_place_that_the_order_cannot_tell_is_refused() -> None:
    request = ListRequest(sort_by=SortBy.NAME, after={"collectionId": "x", "repositoryId": "one"})
    with pytest.raises(BadRequestError, match="first page"):
        page_of([], request)


def test_nothing_is_an_empty_page() -> None:
    page = page_of([], ListRequest())
    assert (page.collections, page.pagination.total_pages, page.has_next_page) == ([], 0, False)
