"""What may be done with a repository in which state; no state of work lasts for ever."""

from datetime import datetime, timedelta

from lisa.errors import ConflictError
from lisa.repositories.access import READY
from lisa.repositories.schemas import Repository, RepositoryStatus

# Longer than any task of the machines may be silent: deleting renews `updated_at` at every turn.
LIMIT = timedelta(minutes=30)
_WHEN_INTERRUPTED = {
    RepositoryStatus.CREATE_IN_PROGRESS: RepositoryStatus.CREATE_FAILED,
    RepositoryStatus.DELETE_IN_PROGRESS: RepositoryStatus.DELETE_FAILED,
}


def status_at(repository: Repository, moment: datetime) -> RepositoryStatus:
    """The status, but a failure for work that has been silent for too long."""
    failed = _WHEN_INTERRUPTED.get(repository.status)
    if failed is None or moment - datetime.fromisoformat(repository.updated_at) < LIMIT:
        return repository.status
    return failed


def shown_at(repository: Repository, moment: datetime) -> Repository:
    """The repository as people should see it at `moment`."""
    status = status_at(repository, moment)
    if status is repository.status:
        return repository
    reason = "The work was interrupted. Delete the repository."
    return repository.model_copy(update={"status": status, "failure_reason": reason})


def require_changeable(repository: Repository, moment: datetime) -> None:
    """Raises: ConflictError unless the repository is ready."""
    status = status_at(repository, moment)
    if status not in READY:
        raise ConflictError(f"Repository {repository.repository_id!r} is in state {status} and cannot be changed.")


def require_deletable(repository: Repository, moment: datetime) -> None:
    """Raises: ConflictError while a state machine works at it."""
    status = status_at(repository, moment)
    if status in _WHEN_INTERRUPTED:
        raise ConflictError(
            f"Repository {repository.repository_id!r} is in state {status}. Wait until that is done, then delete it."
        )
