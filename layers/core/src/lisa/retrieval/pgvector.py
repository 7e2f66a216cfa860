"""The vector store in PostgreSQL: pgvector's HNSW for vectors, exact BM25 in plain SQL for words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from lisa.errors import NotFoundError
from lisa.retrieval import searching, sql, writing
from lisa.retrieval.copying import Staged, storable
from lisa.retrieval.postgres import UNDEFINED, Database, code_of
from lisa.retrieval.schemas import EmbeddedChunk, Passage, SearchMode
from lisa.retrieval.sql import Names
from lisa.retrieval.store import IndexedDocument

T = TypeVar("T")
WRITE_SECONDS = 120


class PgVectorStore:
    """As the `VectorStore` protocol tells. Everything raises UnavailableError when the database is out of reach."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_repository(self, repository_id: str) -> None:
        names = Names.of(repository_id)

        def work(connection: Connection) -> None:
            connection.run(sql.HOLD, name="lisa")  # two `create extension` at once would collide
            connection.run(sql.HOLD, name=names.schema)
            connection.run(names.fill(sql.CREATE_REPOSITORY))

        self._write(work)

    def drop_repository(self, repository_id: str) -> None:
        names = Names.of(repository_id)

        def work(connection: Connection) -> None:
            connection.run(sql.HOLD, name=names.schema)
            connection.run(names.fill(sql.DROP_REPOSITORY))

        self._write(work)

    def drop_collection(self, repository_id: str, collection_id: str) -> None:
        names = Names.of(repository_id, collection_id)
        _unless_absent(
            lambda: self._write(lambda c: writing.drop_collection(c, names, storable(collection_id))), absent=None
        )

    def replace_document(
        self, repository_id: str, collection_id: str, document: IndexedDocument, chunks: Iterable[EmbeddedChunk]
    ) -> int:
        """As the protocol; NotFoundError when the repository has no index (was dropped, or never made)."""
        names, collection = Names.of(repository_id, collection_id), storable(collection_id)
        staged = Staged(chunks)

        def replace() -> int | None:
            return self._write(lambda c: writing.replace_document(c, names, collection, document, staged))

        try:
            count = replace()
            if count is None and staged.dimension:
                self._write(lambda c: writing.create_collection(c, names, collection, staged.dimension))
                count = replace()
            return count or 0
        except DatabaseError as error:
            if code_of(error) in UNDEFINED:
                raise NotFoundError(
                    f"Repository {repository_id!r} has no index. Create the repository again."
                ) from error
            raise
        finally:
            staged.close()

    def delete_document(self, repository_id: str, collection_id: str, document_id: str, version: str = "") -> bool:
        names, collection = Names.of(repository_id, collection_id), storable(collection_id)
        return _unless_absent(
            lambda: self._write(lambda c: writing.delete_document(c, names, collection, document_id, version)),
            absent=False,
        )

    def search(
        self,
        repository_id: str,
        collection_id: str,
        query_text: str,
        query_vector: Sequence[float] | None,
        top_k: int,
        mode: SearchMode = SearchMode.HYBRID,
        filters: Mapping[str, Any] | None = None,
    ) -> list[Passage]:
        names, collection = Names.of(repository_id, collection_id), storable(collection_id)
        query = searching.Query(query_text, query_vector, top_k, mode, filters or {})
        return _unless_absent(
            lambda: self._database.transaction(
                lambda c: searching.search(c, names, collection, query), begin=searching.BEGIN
            ),
            absent=[],
        )

    def _write(self, work: Callable[[Connection], T]) -> T:
        return self._database.transaction(work, seconds=WRITE_SECONDS)


def _unless_absent(run: Callable[[], T], absent: T) -> T:
    """`absent` when the repository's schema or the collection's tables are not there."""
    try:
        return run()
    except DatabaseError as error:
        if code_of(error) in UNDEFINED:
            return absent
        raise
