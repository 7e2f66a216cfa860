"""Rules for repositories: who may see and change them, and how creating and deleting begin (`tasks` end it)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lisa.auth.schemas import Caller
from lisa.collections.schemas import Collection
from lisa.collections.store import CollectionStore
from lisa.errors import BadRequestError, ConflictError, ForbiddenError, InvalidError, UnavailableError
from lisa.machines import Machine
from lisa.models.schemas import ModelRow, ModelType
from lisa.models.store import ModelReader
from lisa.repositories import transitions
from lisa.repositories.access import find_repository, may_manage, require_manager
from lisa.repositories.schemas import (
    CreateRepositoryRequest,
    Pipeline,
    Repository,
    RepositoryStatus,
    RepositoryTask,
    RepositoryType,
    UpdateRepositoryRequest,
)
from lisa.repositories.store import RepositoryStore

TYPES = (RepositoryType.PGVECTOR,)
RAG_ADMIN_FIELDS = frozenset({"pipelines"})


def list_repositories(store: RepositoryStore, caller: Caller, moment: datetime) -> list[Repository]:
    """The repositories of the caller's groups; all for an admin."""
    return [_shown(row, caller, moment) for row in store.list_all() if caller.may_use(row.allowed_groups)]


def statuses(store: RepositoryStore, caller: Caller, moment: datetime) -> dict[str, RepositoryStatus]:
    """The status of every repository, by id. Raises: ForbiddenError."""
    caller.require_admin()
    return {row.repository_id: transitions.status_at(row, moment) for row in store.list_all()}


def get_repository(store: RepositoryStore, caller: Caller, repository_id: str, moment: datetime) -> Repository:
    """Raises: NotFoundError, ForbiddenError."""
    return _shown(find_repository(store, caller, repository_id), caller, moment)


def create_repository(
    store: RepositoryStore,
    models: ModelReader,
    machine: Machine,
    caller: Caller,
    request: CreateRepositoryRequest,
    moment: datetime,
) -> str:
    """Writes the row and starts the making of its index; returns the execution's ARN.

    Raises: ForbiddenError, InvalidError for a type that this version has not, BadRequestError for an embedding model
    that does not exist, ConflictError when the id is taken, UnavailableError (then the row says CREATE_FAILED).
    """
    caller.require_admin()
    if request.type not in TYPES:
        raise InvalidError(
            f"Repositories of type {request.type} are not in this version. Use {' or '.join(TYPES)}.",
            [{"field": "type", "allowed": list(TYPES)}],
        )
    if request.embedding_model_id:
        require_embedding_model(models, caller, request.embedding_model_id, "embeddingModelId")
    stamp = moment.isoformat()
    row = Repository(**dict(request), created_by=caller.username, created_at=stamp, updated_at=stamp)
    if not store.create(row):
        raise ConflictError(f"There is a repository {row.repository_id!r} already. Choose another id.")
    return _start(store, machine, row, "create", RepositoryStatus.CREATE_FAILED)


def update_repository(
    store: RepositoryStore,
    models: ModelReader,
    collections: CollectionStore,
    caller: Caller,
    repository_id: str,
    request: UpdateRepositoryRequest,
    moment: datetime,
) -> Repository:
    """Changes a repository; rag-admins of its groups may change its pipelines, admins everything.

    Raises: NotFoundError, ForbiddenError, BadRequestError, ConflictError when it is not ready.
    """
    before = find_repository(store, caller, repository_id)
    require_manager(caller, before)
    transitions.require_changeable(before, moment)
    asked = request.model_dump(exclude_none=True)
    after = Repository.model_validate(before.model_dump() | asked)
    changed = {name for name in asked if getattr(after, name) != getattr(before, name)}
    if not caller.is_admin and changed - RAG_ADMIN_FIELDS:
        raise ForbiddenError("RAG administrators may change a repository's pipelines only. Ask an administrator.")
    _require_same_pipelines(before.pipelines, after.pipelines)
    if "embedding_model_id" in changed:
        if after.embedding_model_id:
            require_embedding_model(models, caller, after.embedding_model_id, "embeddingModelId")
        _keep_default_collection(collections, before, moment)
    changes: dict[str, Any] = after.model_dump(by_alias=True, mode="json", include=changed)
    row = store.update(repository_id, changes | {"updatedAt": moment.isoformat()}, only_from=[before.status])
    if row is None:
        raise ConflictError(f"Repository {repository_id!r} was changed by somebody else. Look at it and try again.")
    return _shown(row, caller, moment)


def delete_repository(
    store: RepositoryStore, machine: Machine, caller: Caller, repository_id: str, force: bool, moment: datetime
) -> str:
    """Writes DELETE_IN_PROGRESS and starts the removal of documents, index and rows; returns the execution's ARN.

    With `force`, and for a repository that was never made, a database out of reach is no obstacle: its index stays.
    Raises: ForbiddenError, NotFoundError, ConflictError while it is being made or deleted, UnavailableError.
    """
    caller.require_admin()
    before = find_repository(store, caller, repository_id)
    transitions.require_deletable(before, moment)
    changes = {
        "status": RepositoryStatus.DELETE_IN_PROGRESS,
        "failureReason": None,
        "updatedAt": moment.isoformat(),
    }
    row = store.update(repository_id, changes, only_from=[before.status])
    if row is None:
        raise ConflictError(f"Repository {repository_id!r} was changed by somebody else. Look at it and try again.")
    abandon = force or transitions.status_at(before, moment) is RepositoryStatus.CREATE_FAILED
    return _start(store, machine, row, "delete", RepositoryStatus.DELETE_FAILED, abandon)


def require_embedding_model(models: ModelReader, caller: Caller, model_id: str, field: str) -> None:
    """Raises: BadRequestError, with those that would do, unless it is an embedding model that the caller may use."""
    model = models.get(model_id)
    if model is not None and _may_embed(model, caller):
        return
    usable = [found.model_id for found in models.list_all() if _may_embed(found, caller)]
    raise BadRequestError(
        f"{field}: there is no embedding model {model_id!r}. "
        + (f"Use {_either(usable)}." if usable else "Create an embedding model first."),
        [{"field": field, "allowed": usable}],
    )


def _may_embed(model: ModelRow, caller: Caller) -> bool:
    return model.model_type is ModelType.EMBEDDING and caller.may_use(model.allowed_groups)


def _shown(repository: Repository, caller: Caller, moment: datetime) -> Repository:
    """As the caller may see it: where the database is concerns those who manage it."""
    shown = transitions.shown_at(repository, moment)
    return shown if may_manage(caller, repository) else shown.model_copy(update={"rds_config": None})


def _start(
    store: RepositoryStore,
    machine: Machine,
    row: Repository,
    change: str,
    when_refused: RepositoryStatus,
    abandon_index: bool = False,
) -> str:
    """Starts the work; when that fails, the row does not stay behind in a state of work."""
    task = RepositoryTask(repository_id=row.repository_id, changed_at=row.updated_at, abandon_index=abandon_index)
    try:
        return machine.start(row.repository_id, f"{change} {row.updated_at}", task.model_dump(by_alias=True))
    except UnavailableError as error:
        store.set_status(row.repository_id, when_refused, error.message, only_from=[row.status])
        raise


def _require_same_pipelines(before: list[Pipeline], after: list[Pipeline]) -> None:
    known, wanted = {p.identity for p in before}, {p.identity for p in after}
    if known - wanted and wanted - known:
        raise BadRequestError(
            "A pipeline's s3Bucket, s3Prefix, trigger, autoRemove and collectionId cannot be changed. "
            "Remove the pipeline, then add the new one with another request."
        )


def _keep_default_collection(collections: CollectionStore, repository: Repository, moment: datetime) -> None:
    """What lies in the default collection stays reachable under its id when another model becomes the default."""
    old = repository.embedding_model_id
    if not old or collections.get(repository.repository_id, old) is not None:
        return
    collections.create(
        Collection(
            collection_id=old,
            repository_id=repository.repository_id,
            name=f"Default until {moment:%Y-%m-%d %H-%M-%S}",
            description=f"The default collection while {old} was the repository's embedding model.",
            embedding_model=old,
            created_by=repository.created_by,
            created_at=repository.created_at,
            updated_at=moment.isoformat(),
        )
    )


def _either(names: Iterable[str]) -> str:
    return " or ".join(repr(name) for name in names)
