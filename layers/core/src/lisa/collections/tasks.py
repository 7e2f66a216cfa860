"""What the state machine does to a collection that goes; each may run twice and does its work once."""

from collections.abc import Callable
from datetime import datetime

from lisa.collections.schemas import CollectionStatus, CollectionTask
from lisa.collections.store import CollectionStore
from lisa.documents.purge import HasTime, Purge
from lisa.errors import ConflictError
from lisa.repositories.schemas import Repository, Turn
from lisa.repositories.store import RepositoryReader
from lisa.retrieval.store import VectorStore

OpenIndex = Callable[[Repository], VectorStore]


def delete_documents(
    collections: CollectionStore, purge: Purge, task: CollectionTask, has_time: HasTime, moment: datetime
) -> Turn:
    """Deletes objects, then the documents' rows, for as long as there is time.

    Raises: ConflictError when the collection is no longer being deleted, UnavailableError.
    """
    if not task.default:
        _require_deleting(collections, task)
        # Renewed at each turn: a deletion that still works is not taken for an interrupted one.
        collections.set_status(
            task.repository_id, task.collection_id, CollectionStatus.DELETE_IN_PROGRESS, moment.isoformat()
        )
    prefix = f"{task.repository_id}/{task.collection_id}/"
    done = purge.objects(prefix, has_time) and purge.documents(task.repository_id, task.collection_id, has_time)
    return Turn(more=not done, round=task.round + 1)


def drop_collection(
    repositories: RepositoryReader, collections: CollectionStore, open_index: OpenIndex, task: CollectionTask
) -> None:
    """Removes the collection's index, and its row unless it is the default one.

    Raises: ConflictError when the repository is gone meanwhile, or the collection is no longer being deleted.
    """
    repository = repositories.get(task.repository_id)
    if repository is None:
        raise ConflictError(f"Repository {task.repository_id!r} was deleted meanwhile.")
    if not task.default:
        if collections.get(task.repository_id, task.collection_id) is None:
            return
        _require_deleting(collections, task)
    open_index(repository).drop_collection(task.repository_id, task.collection_id)
    if not task.default:
        collections.delete(task.repository_id, task.collection_id)


def _require_deleting(collections: CollectionStore, task: CollectionTask) -> None:
    row = collections.get(task.repository_id, task.collection_id)
    if row is None or row.status is not CollectionStatus.DELETE_IN_PROGRESS:
        raise ConflictError(f"Collection {task.collection_id!r} was deleted or changed by somebody else meanwhile.")
