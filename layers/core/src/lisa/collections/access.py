"""Finds a collection for a caller: the one place where repository and collection groups are enforced together."""

from lisa.auth.schemas import Caller
from lisa.collections.schemas import Collection
from lisa.collections.store import CollectionReader
from lisa.errors import BadRequestError, ForbiddenError, NotFoundError
from lisa.repositories.access import find_repository, may_manage, require_manager, require_ready
from lisa.repositories.schemas import ChunkingStrategy, Repository
from lisa.repositories.store import RepositoryReader

__all__ = [
    "allowed_groups",
    "default_collection",
    "find_collection",
    "find_repository",
    "may_manage",
    "may_use_collection",
    "require_manager",
    "require_ready",
]


def default_collection(repository: Repository) -> Collection | None:
    """The virtual collection that a repository with an embedding model has, or None.

    It is no row: its id is the embedding model's, and it tells the same on every call.
    """
    if not repository.embedding_model_id:
        return None
    return Collection(
        collection_id=repository.embedding_model_id,
        repository_id=repository.repository_id,
        # A model id may have characters that a collection's name may not, so the name is not made of it.
        name="Default",
        description="Documents that name no other collection.",
        embedding_model=repository.embedding_model_id,
        chunking_strategy=ChunkingStrategy(),
        allowed_groups=None,
        metadata=repository.metadata,
        default=True,
        created_by=repository.created_by,
        created_at=repository.created_at,
        updated_at=repository.created_at,
    )


def allowed_groups(repository: Repository, collection: Collection) -> list[str]:
    """The groups that decide on a collection: its own, or the repository's when it has none."""
    return collection.allowed_groups or repository.allowed_groups


def may_use_collection(caller: Caller, repository: Repository, collection: Collection) -> bool:
    """True when the caller passes both: the repository's groups and the collection's."""
    return caller.may_use(repository.allowed_groups) and caller.may_use(collection.allowed_groups)


def find_collection(
    repositories: RepositoryReader,
    collections: CollectionReader,
    caller: Caller,
    repository_id: str,
    collection_id: str | None,
) -> tuple[Repository, Collection]:
    """A collection with its repository, when the caller may use both; `None` means the default collection.

    Raises: NotFoundError for an unknown repository or collection, ForbiddenError when the caller's groups do not
    allow it, BadRequestError when no collection is named and the repository has no default one.
    """
    repository = find_repository(repositories, caller, repository_id)
    collection = _resolve(collections, repository, collection_id)
    if not may_use_collection(caller, repository, collection):
        raise ForbiddenError(
            f"Collection {collection.collection_id!r} is for other groups. Ask an administrator to add you."
        )
    return repository, collection


def _resolve(collections: CollectionReader, repository: Repository, collection_id: str | None) -> Collection:
    default = default_collection(repository)
    if not collection_id:
        if default is None:
            raise BadRequestError(
                f"Repository {repository.repository_id!r} has no default collection. Name one as `collectionId`."
            )
        return default
    if default is not None and collection_id == default.collection_id:
        return default
    found = collections.get(repository.repository_id, collection_id)
    if found is None:
        raise NotFoundError(
            f"There is no collection {collection_id!r} in repository {repository.repository_id!r}. "
            f"GET /repository/{repository.repository_id}/collection lists those you may use."
        )
    return found
