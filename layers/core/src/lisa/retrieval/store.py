"""What every vector store can do, and the document that is handed to it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from lisa.retrieval.schemas import EmbeddedChunk, Passage, SearchMode
from lisa.schemas import Schema


class IndexedDocument(Schema):
    """A document as the index keeps it. `version` is the S3 sequencer of the object: it orders replaces and deletes."""

    document_id: str
    document_name: str
    source: str
    version: str = ""
    metadata: dict[str, Any] = {}


class VectorStore(Protocol):
    """One index per collection. Every write is one transaction, and an older version never undoes a newer one."""

    def create_repository(self, repository_id: str) -> None:
        """Makes room for the repository; again is no error."""

    def drop_repository(self, repository_id: str) -> None:
        """Removes all of its collections; an absent one is no error."""

    def drop_collection(self, repository_id: str, collection_id: str) -> None:
        """Removes the collection's index; an absent one is no error."""

    def replace_document(
        self, repository_id: str, collection_id: str, document: IndexedDocument, chunks: Iterable[EmbeddedChunk]
    ) -> int:
        """Swaps the document's old chunks for these, and returns how many are now indexed.

        A version older than the indexed (or deleted) one changes nothing and returns what is there.
        Raises: ConflictError when the vectors have another dimension than the collection's.
        """

    def delete_document(self, repository_id: str, collection_id: str, document_id: str, version: str = "") -> bool:
        """Removes the document's chunks unless a newer version is indexed; True when it removed some.

        With a `version`, an older one that comes late is refused from then on. An empty version removes in any case.
        """

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
        """The best passages, best first; [] where nothing has been indexed yet.

        `filters`: metadata key → required value, a list meaning any of them. Without a vector only the
        text is searched.
        Raises: ConflictError when the query's vector has another dimension than the collection's.
        """
