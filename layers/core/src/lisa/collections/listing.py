"""Pages of collections: filtered, in a total order, by number or after the last one of the page before."""

from collections.abc import Sequence

from lisa.collections.schemas import (
    CollectionPage,
    ListedCollection,
    ListRequest,
    Pagination,
    Place,
    SortBy,
    SortOrder,
)
from lisa.errors import BadRequestError


def page_of(found: Sequence[ListedCollection], request: ListRequest) -> CollectionPage:
    """One page. The order is total (ties are broken by ids), so that pages neither repeat nor lose a collection.

    Raises: BadRequestError when the collection to begin after is gone and the order does not tell its place.
    """
    text = request.text.casefold()
    kept = [
        collection
        for collection in found
        if (not text or text in f"{collection.name}\n{collection.description or ''}".casefold())
        and (request.status is None or collection.status is request.status)
    ]
    kept.sort(key=lambda c: _sort_key(c, request.sort_by), reverse=request.sort_order is SortOrder.DESC)
    start = (request.page - 1) * request.page_size if request.after is None else _start(kept, request, request.after)
    shown = kept[start : start + request.page_size]
    has_next = start + len(shown) < len(kept)
    return CollectionPage(
        collections=shown,
        pagination=Pagination(
            total_count=len(kept),
            current_page=start // request.page_size + 1,
            total_pages=-(-len(kept) // request.page_size),
        ),
        last_evaluated_key=place_of(shown[-1]) if shown and has_next else None,
        has_next_page=has_next,
        has_previous_page=start > 0,
    )


def place_of(collection: ListedCollection) -> Place:
    return Place(
        collection_id=collection.collection_id,
        repository_id=collection.repository_id,
        status=collection.status,
        created_at=collection.created_at,
    )


def _sort_key(collection: ListedCollection, sort_by: SortBy) -> tuple[str, str, str]:
    value = {
        SortBy.NAME: collection.name.casefold(),
        SortBy.CREATED_AT: collection.created_at,
        SortBy.UPDATED_AT: collection.updated_at,
    }[sort_by]
    return value, collection.repository_id, collection.collection_id


def _start(ordered: Sequence[ListedCollection], request: ListRequest, after: Place) -> int:
    for index, collection in enumerate(ordered):
        if (collection.repository_id, collection.collection_id) == (after.repository_id, after.collection_id):
            return index + 1
    if request.sort_by is not SortBy.CREATED_AT or not after.created_at:
        raise BadRequestError("The collection to continue after is gone. Begin with the first page again.")
    gone = (after.created_at, after.repository_id, after.collection_id)
    descending = request.sort_order is SortOrder.DESC
    before = [c for c in ordered if (_sort_key(c, SortBy.CREATED_AT) > gone) == descending]
    return len(before)
