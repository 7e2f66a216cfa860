"""Which documents a caller may see and change: repository and collection groups, then ownership."""

from typing import Protocol

from lisa.auth.schemas import Caller
from lisa.collections.access import default_collection, find_collection, find_repository, may_manage, may_use_collection
from lisa.collections.schemas import Collection
from lisa.collections.store import CollectionReader
from lisa.documents.schemas import Document, IngestionType
from lisa.documents.store import DocumentStore
from lisa.errors import ForbiddenError, NotFoundError
from lisa.repositories.schemas import Repository
from lisa.repositories.store import RepositoryReader


class CollectionLister(CollectionReader, Protocol):
    def list_of(self, repository_id: str) -> list[Collection]: ...


def visible_collections(
    repositories: RepositoryReader, collections: CollectionLister, caller: Caller, repository_id: str
) -> list[str]:
    """The ids of the repository's collections that the caller may use, sorted; the default one included.

    Raises: NotFoundError, ForbiddenError, as `find_repository`.
    """
    repository = find_repository(repositories, caller, repository_id)
    default = default_collection(repository)
    found = [*([default] if default else []), *collections.list_of(repository_id)]
    return sorted({c.collection_id for c in found if may_use_collection(caller, repository, c)})


def require_collection(
    repositories: RepositoryReader,
    collections: CollectionReader,
    caller: Caller,
    repository_id: str,
    collection_id: str,
) -> Repository:
    """The repository, when the caller may see documents of the collection.

    Who manages the repository also sees what lies in a folder that is no collection: files that failed for that.
    Raises: NotFoundError, ForbiddenError.
    """
    repository = find_repository(repositories, caller, repository_id)
    try:
        find_collection(repositories, collections, caller, repository_id, collection_id)
    except NotFoundError:
        if not may_manage(caller, repository):
            raise
    return repository


def find_document(
    repositories: RepositoryReader,
    collections: CollectionReader,
    documents: DocumentStore,
    caller: Caller,
    repository_id: str,
    document_id: str,
) -> tuple[Repository, Document]:
    """A document of the repository, when the caller may see it.

    Raises: NotFoundError also for a document of another repository, ForbiddenError.
    """
    repository = find_repository(repositories, caller, repository_id)
    document = documents.find(document_id)
    if document is None or document.repository_id != repository_id:
        raise NotFoundError(f"There is no document {document_id!r} in repository {repository_id!r}.")
    require_collection(repositories, collections, caller, repository_id, document.collection_id)
    return repository, document


def may_change(caller: Caller, repository: Repository, document: Document) -> bool:
    """True for who uploaded it through the API, and for who manages the repository."""
    owned = document.ingestion_type is IngestionType.MANUAL and document.username == caller.username
    return owned or may_manage(caller, repository)


def require_change(caller: Caller, repository: Repository, document: Document) -> None:
    """Raises: ForbiddenError."""
    if not may_change(caller, repository, document):
        raise ForbiddenError(
            f"Document {document.document_name!r} is somebody else's. Its owner or a RAG administrator may do this."
        )
