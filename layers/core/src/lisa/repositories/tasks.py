"""What the state machines do to a repository; each may run twice and does its work once."""

from collections.abc import Callable
from datetime import datetime

from lisa.collections.store import CollectionStore
from lisa.documents.purge import HasTime, Purge
from lisa.errors import ConflictError, UnavailableError
from lisa.repositories.schemas import Repository, RepositoryStatus, RepositoryTask, Turn
from lisa.repositories.store import RepositoryStore
from lisa.retrieval.store import VectorStore

OpenIndex = Callable[[Repository], VectorStore]


def create_schema(store: RepositoryStore, open_index: OpenIndex, task: RepositoryTask) -> None:
    """Makes room in the vector store. Raises: ConflictError when the row is no longer being created."""
    repository = _in(store, task.repository_id, RepositoryStatus.CREATE_IN_PROGRESS)
    open_index(repository).create_repository(repository.repository_id)


def delete_documents(
    store: RepositoryStore,
    collections: CollectionStore,
    purge: Purge,
    task: RepositoryTask,
    has_time: HasTime,
    moment: datetime,
) -> Turn:
    """Deletes objects, then rows of documents and jobs, for as long as there is time.

    Raises: ConflictError when the row is no longer being deleted, UnavailableError.
    """
    repository = _in(store, task.repository_id, RepositoryStatus.DELETE_IN_PROGRESS)
    # Renewed at each turn: a deletion that still works is not taken for an interrupted one.
    store.update(task.repository_id, {"updatedAt": moment.isoformat()}, only_from=[repository.status])
    names = {collection.collection_id for collection in collections.list_of(task.repository_id)}
    if repository.embedding_model_id:
        names.add(repository.embedding_model_id)
    done = (
        purge.objects(f"{task.repository_id}/", has_time)
        and all(purge.documents(task.repository_id, name, has_time) for name in sorted(names))
        and purge.jobs(task.repository_id, has_time)
    )
    return Turn(more=not done, round=task.round + 1)


def drop_schema(
    store: RepositoryStore, collections: CollectionStore, open_index: OpenIndex, task: RepositoryTask
) -> None:
    """Removes the index and the collections' rows.

    Raises: ConflictError when it is no longer being deleted, UnavailableError when the database is out of reach and
    the index may not be abandoned.
    """
    repository = _in(store, task.repository_id, RepositoryStatus.DELETE_IN_PROGRESS)
    try:
        open_index(repository).drop_repository(repository.repository_id)
    except UnavailableError:
        if not task.abandon_index:
            raise
    for collection in collections.list_of(repository.repository_id):
        collections.delete(repository.repository_id, collection.collection_id)


def _in(store: RepositoryStore, repository_id: str, status: RepositoryStatus) -> Repository:
    repository = store.get(repository_id)
    if repository is None or repository.status is not status:
        raise ConflictError(f"Repository {repository_id!r} was deleted or changed by somebody else meanwhile.")
    return repository
