"""The two legs of a search, on one snapshot of a collection's tables, and their fusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pg8000.native import Connection

from lisa.errors import ConflictError
from lisa.retrieval import sql
from lisa.retrieval.copying import json_text, storable, vector_text
from lisa.retrieval.fusion import best_first, fuse
from lisa.retrieval.schemas import Passage, SearchMode
from lisa.retrieval.sql import Names, vector_type

DEPTH = 200  # candidates of a leg, and HNSW's ef_search
BEGIN = sql.BEGIN_SEARCH.format(depth=DEPTH)
EXACT_LIMIT = 5_000  # chunks that a filter may leave for an exact scan
# Filters on what is a column, by the name that it has in a passage's metadata on the wire.
COLUMNS = {"document_id": "document_id", "documentId": "document_id", "name": "document_name", "source": "source"}


@dataclass(frozen=True)
class Query:
    text: str
    vector: Sequence[float] | None
    top_k: int
    mode: SearchMode
    filters: Mapping[str, Any]


@dataclass(frozen=True)
class _Scope:
    """A collection, and the keys of the documents that the filters leave (None: all)."""

    names: Names
    dimension: int
    chunk_count: int
    total_length: int
    keys: list[int] | None
    few: bool


def search(connection: Connection, names: Names, collection_id: str, query: Query) -> list[Passage]:
    """The best passages first.

    Raises: ConflictError when the query's vector does not fit the collection's.
    """
    scope = _scope(connection, names, collection_id, query.filters)
    if scope is None:
        return []
    vector = _nearest(connection, scope, query.vector) if query.vector and query.mode is not SearchMode.TEXT else {}
    text = _best_text(connection, scope, query.text) if query.mode is not SearchMode.VECTOR else {}
    scores = fuse(vector, text) if query.mode is SearchMode.HYBRID else best_first(vector or text)
    best = dict(list(scores.items())[: query.top_k])
    passages = _passages(connection, scope, list(best))
    return [
        Passage(score=score, vector_score=vector.get(chunk), text_score=text.get(chunk), **passages[chunk])
        for chunk, score in best.items()
    ]


def _scope(connection: Connection, names: Names, collection_id: str, filters: Mapping[str, Any]) -> _Scope | None:
    """None where a search can find nothing."""
    found = connection.run(names.fill(sql.COLLECTION), collection_id=collection_id)
    if not found or not found[0][1]:
        return None
    dimension, chunk_count, total_length = map(int, found[0])
    if not filters:
        return _Scope(names, dimension, chunk_count, total_length, None, few=False)
    condition, values = _condition(filters)
    [[keys, left]] = connection.run(names.fill(sql.MATCHING_DOCUMENTS, condition=condition), **values)
    return _Scope(names, dimension, chunk_count, total_length, keys, few=left <= EXACT_LIMIT) if keys else None


def _condition(filters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """SQL for the filters and its parameters; a value that is a list means any of its items."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    for n, (name, wanted) in enumerate(filters.items()):
        options = list(wanted) if isinstance(wanted, list | tuple | set) else [wanted]
        if name in COLUMNS:
            parts.append(sql.HAS_COLUMN.format(column=COLUMNS[name], n=n))
            values[f"value{n}"] = [storable(str(option)) for option in options]
        else:
            parts.append(sql.HAS_METADATA.format(n=n))
            values[f"key{n}"] = storable(name)
            values[f"value{n}"] = [json_text(option) for option in options]
    return " and ".join(parts), values


def _nearest(connection: Connection, scope: _Scope, vector: Sequence[float]) -> dict[int, float]:
    """Chunk id → cosine similarity."""
    if len(vector) != scope.dimension:
        raise ConflictError(
            f"This collection holds vectors of {scope.dimension} numbers, and the question's has {len(vector)}:"
            " the embedding model changed. Search with the model that it was made with, or ingest anew."
        )
    statement = sql.NEAREST_OF_FEW if scope.few else sql.NEAREST
    condition, values = ("true", {}) if scope.keys is None else (sql.OF_THEM, {"keys": scope.keys})
    filled = scope.names.fill(statement, condition=condition, vector_type=vector_type(scope.dimension))
    return dict(connection.run(filled, vector=vector_text(vector), depth=DEPTH, **values))


def _best_text(connection: Connection, scope: _Scope, text: str) -> dict[int, float]:
    """Chunk id → BM25 of the question's words, any of them."""
    terms = connection.run(scope.names.fill(sql.QUERY_TERMS), query=storable(text), chunk_count=scope.chunk_count)
    if not terms:
        return {}
    condition, values = ("true", {}) if scope.keys is None else (sql.IN_THEM, {"keys": scope.keys})
    filled = scope.names.fill(sql.BEST_TEXT, condition=scope.names.fill(condition), k1=str(sql.K1), b=str(sql.B))
    found = connection.run(
        filled,
        terms=[term for term, _ in terms],
        weights=[float(weight) for _, weight in terms],
        mean_length=scope.total_length / scope.chunk_count,
        depth=DEPTH,
        **values,
    )
    return dict(found)


def _passages(connection: Connection, scope: _Scope, ids: list[int]) -> dict[int, dict[str, Any]]:
    rows = connection.run(scope.names.fill(sql.PASSAGES), ids=ids) if ids else []
    fields = (
        "ordinal",
        "text",
        "page",
        "headings",
        "start",
        "end",
        "document_id",
        "document_name",
        "source",
        "metadata",
    )
    return {chunk: dict(zip(fields, row, strict=True)) for chunk, *row in rows}
