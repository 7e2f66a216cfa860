"""Rules for collections: who may see and change them, and how deleting one begins (`tasks` end it)."""

from datetime import datetime, timedelta
from typing import Any

from lisa.auth.schemas import Caller
from lisa.collections import listing
from lisa.collections.access import default_collection, find_collection, may_use_collection
from lisa.collections.deletions import Deletions, job_of
from lisa.collections.schemas import (
    Collection,
    CollectionPage,
    CollectionRequest,
    CollectionStatus,
    CollectionTask,
    DeletionStarted,
    DeletionSummary,
    ListedCollection,
    ListRequest,
    UpdateCollectionRequest,
)
from lisa.collections.store import CollectionStore
from lisa.errors import BadRequestError, ConflictError, UnavailableError
from lisa.machines import Machine
from lisa.models.store import ModelReader
from lisa.repositories.access import find_repository, require_manager, require_ready
from lisa.repositories.schemas import Repository
from lisa.repositories.service import require_embedding_model
from lisa.repositories.store import RepositoryReader, RepositoryStore

# A deletion renews `updated_at` at every turn; one that was silent for longer may be started again.
LIMIT = timedelta(minutes=30)


def create_collection(
    repositories: RepositoryReader,
    collections: CollectionStore,
    models: ModelReader,
    caller: Caller,
    repository_id: str,
    request: CollectionRequest,
    collection_id: str,
    moment: datetime,
) -> Collection:
    """Raises: NotFoundError, ForbiddenError, BadRequestError for the embedding model, ConflictError for the name."""
    repository = find_repository(repositories, caller, repository_id)
    require_manager(caller, repository)
    require_ready(repository)
    embedding_model = request.embedding_model or repository.embedding_model_id
    if not embedding_model:
        raise BadRequestError("embeddingModel: name one; this repository has none of its own.")
    require_embedding_model(models, caller, embedding_model, "embeddingModel")
    stamp = moment.isoformat()
    collection = Collection(
        **dict(request) | {"embedding_model": embedding_model},
        collection_id=collection_id,
        repository_id=repository_id,
        created_by=caller.username,
        created_at=stamp,
        updated_at=stamp,
    )
    if _is_taken(repository, collection.name) or not collections.create(collection):
        raise _name_taken(collection.name)
    return collection


def list_collections(
    repositories: RepositoryReader,
    collections: CollectionStore,
    caller: Caller,
    repository_id: str,
    request: ListRequest,
) -> CollectionPage:
    """A page of a repository's collections that the caller may use. Raises: NotFoundError, ForbiddenError."""
    repository = find_repository(repositories, caller, repository_id)
    return listing.page_of(_usable(collections, caller, repository), request)


def list_all_collections(
    repositories: RepositoryStore, collections: CollectionStore, caller: Caller, request: ListRequest
) -> CollectionPage:
    """A page of the collections of all repositories that the caller may use."""
    found = [
        collection
        for repository in repositories.list_all()
        if caller.may_use(repository.allowed_groups)
        for collection in _usable(collections, caller, repository)
    ]
    return listing.page_of(found, request)


def get_collection(
    repositories: RepositoryReader, collections: CollectionStore, caller: Caller, repository_id: str, collection_id: str
) -> Collection:
    """Raises: NotFoundError, ForbiddenError."""
    return find_collection(repositories, collections, caller, repository_id, collection_id)[1]


def update_collection(
    repositories: RepositoryReader,
    collections: CollectionStore,
    caller: Caller,
    repository_id: str,
    collection_id: str,
    request: UpdateCollectionRequest,
    moment: datetime,
) -> Collection:
    """Raises: NotFoundError, ForbiddenError, BadRequestError for what cannot be changed, ConflictError."""
    repository, before = find_collection(repositories, collections, caller, repository_id, collection_id)
    require_manager(caller, repository)
    if before.default:
        raise BadRequestError("The default collection is as its repository is. Change the repository.")
    if request.embedding_model not in (None, before.embedding_model):
        raise BadRequestError("embeddingModel cannot be changed. Make a new collection and put the documents there.")
    asked = request.model_dump(exclude_none=True, exclude={"embedding_model"})
    after = Collection.model_validate(before.model_dump() | asked)
    if after.name != before.name and _is_taken(repository, after.name):
        raise _name_taken(after.name)
    changes: dict[str, Any] = after.model_dump(by_alias=True, mode="json", include=set(asked))
    row = collections.update(before, changes | {"updatedAt": moment.isoformat()})
    if row is None:
        now = collections.get(repository_id, collection_id)
        if now == before and before.status is not CollectionStatus.DELETE_IN_PROGRESS:
            raise _name_taken(after.name)
        raise ConflictError(f"Collection {before.name!r} is being deleted, or was changed by somebody else.")
    return row


def delete_collection(
    repositories: RepositoryReader,
    collections: CollectionStore,
    deletions: Deletions,
    machine: Machine,
    caller: Caller,
    repository_id: str,
    collection_id: str,
    default_id: str | None,
    job_id: str,
    moment: datetime,
) -> DeletionStarted:
    """Starts the removal of documents, index and row; of the default collection only of its documents.

    Clients of the original name the default collection by `default_id` and put anything into the path.
    Raises: NotFoundError, ForbiddenError, ConflictError while it is being deleted, UnavailableError.
    """
    wanted = collection_id if not default_id or collections.get(repository_id, collection_id) else default_id
    repository, before = find_collection(repositories, collections, caller, repository_id, wanted)
    require_manager(caller, repository)
    require_ready(repository)
    if not before.default:
        _mark_deleting(collections, before, moment)
    job = job_of(before, job_id, caller.username, moment)
    document_count = deletions.count_documents(before)
    deletions.begin(job, moment)
    task = CollectionTask(
        repository_id=repository_id, collection_id=before.collection_id, job_id=job_id, default=before.default
    )
    try:
        machine.start(f"{repository_id}-{before.collection_id}", job_id, task.model_dump(by_alias=True, mode="json"))
    except UnavailableError as error:
        deletions.fail(job, error.message)
        if not before.default:
            collections.set_status(
                repository_id,
                before.collection_id,
                CollectionStatus.DELETE_FAILED,
                moment.isoformat(),
                error.message,
            )
        raise
    return DeletionStarted(
        job_id=job_id,
        deletion_type="partial" if before.default else "full",
        status=job.status,
        summary=DeletionSummary(
            lisa_managed_documents=document_count,
            action="Deletes the documents; the collection stays."
            if before.default
            else "Deletes the documents and the collection.",
        ),
    )


def _usable(collections: CollectionStore, caller: Caller, repository: Repository) -> list[ListedCollection]:
    default = default_collection(repository)
    found = [] if default is None else [default]
    # A row with the default collection's id was kept from an earlier time as default: it is the default again.
    found += [row for row in collections.list_of(repository.repository_id) if row.collection_id != _id_of(default)]
    name = repository.repository_name or repository.repository_id
    return [
        ListedCollection(**dict(collection), repository_name=name)
        for collection in found
        if may_use_collection(caller, repository, collection)
    ]


def _id_of(collection: Collection | None) -> str | None:
    return collection.collection_id if collection else None


def _mark_deleting(collections: CollectionStore, before: Collection, moment: datetime) -> None:
    stamp = moment.isoformat()
    if before.status is CollectionStatus.DELETE_IN_PROGRESS:
        if moment - datetime.fromisoformat(before.updated_at) < LIMIT:
            raise ConflictError(f"Collection {before.name!r} is being deleted already.")
        collections.set_status(before.repository_id, before.collection_id, before.status, stamp)
        return
    changes = {"status": CollectionStatus.DELETE_IN_PROGRESS, "updatedAt": stamp, "failureReason": None}
    if collections.update(before, changes) is None:
        raise ConflictError(f"Collection {before.name!r} is being deleted, or was changed by somebody else.")


def _is_taken(repository: Repository, name: str) -> bool:
    default = default_collection(repository)
    return default is not None and default.name == name


def _name_taken(name: str) -> ConflictError:
    return ConflictError(f"There is a collection named {name!r} in this repository already. Choose another name.")
