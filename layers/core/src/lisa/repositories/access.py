"""Who may see, use and manage a repository; every concern that works inside of one asks here."""

from lisa.auth.schemas import Caller
from lisa.errors import ConflictError, ForbiddenError, NotFoundError
from lisa.repositories.schemas import Repository, RepositoryStatus
from lisa.repositories.store import RepositoryReader

READY = frozenset(
    {RepositoryStatus.CREATE_COMPLETE, RepositoryStatus.UPDATE_IN_PROGRESS, RepositoryStatus.UPDATE_COMPLETE}
)


def find_repository(store: RepositoryReader, caller: Caller, repository_id: str) -> Repository:
    """The repository, when the caller may use it.

    Raises: NotFoundError for an unknown id, ForbiddenError when the caller has none of its groups.
    """
    repository = store.get(repository_id)
    if repository is None:
        raise NotFoundError(f"There is no repository {repository_id!r}. GET /repository lists those you may use.")
    if not caller.may_use(repository.allowed_groups):
        raise ForbiddenError(
            f"Repository {repository_id!r} is for members of {_names(repository.allowed_groups)}. "
            "Ask an administrator to add you."
        )
    return repository


def may_manage(caller: Caller, repository: Repository) -> bool:
    """True for admins, and for rag-admins in the repositories of their own groups."""
    return caller.is_admin or (caller.is_rag_admin and caller.may_use(repository.allowed_groups))


def require_manager(caller: Caller, repository: Repository) -> None:
    """Raises: ForbiddenError unless the caller may manage the repository."""
    if not may_manage(caller, repository):
        raise ForbiddenError("This needs a RAG administrator of the repository. Ask an administrator.")


def require_ready(repository: Repository) -> None:
    """Raises: ConflictError while the repository is being made or deleted, or when that failed."""
    if repository.status not in READY:
        reason = f" ({repository.failure_reason})" if repository.failure_reason else ""
        raise ConflictError(
            f"Repository {repository.repository_id!r} is in state {repository.status}{reason}. "
            "It takes and answers nothing now; GET /repository/{repositoryId} tells its state."
        )


def _names(groups: list[str]) -> str:
    return " or ".join(repr(group) for group in sorted(groups))
