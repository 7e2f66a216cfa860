"""Rules for models: who may see and change them, and how a change begins. State machines end it (`tasks`)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from lisa.auth.schemas import Caller
from lisa.collections.store import CollectionStore
from lisa.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from lisa.machines import Machine
from lisa.models import references, transitions
from lisa.models.guardrails import GuardrailConfig
from lisa.models.schemas import (
    DEPLOYMENTS,
    CoherentFields,
    CreateModelRequest,
    Model,
    ModelRow,
    ModelStatus,
    UpdateModelRequest,
    UpdateTask,
)
from lisa.models.secrets import ProviderKeys
from lisa.models.store import ModelReader, ModelStore
from lisa.repositories.store import RepositoryStore


def list_models(store: ModelReader, caller: Caller, moment: datetime) -> list[Model]:
    """The models that the caller may use; all for an admin."""
    return [
        transitions.shown_at(row, moment).public() for row in store.list_all() if caller.may_use(row.allowed_groups)
    ]


def get_model(store: ModelReader, caller: Caller, model_id: str, moment: datetime) -> Model:
    """A model. Raises: NotFoundError, also when the caller's groups do not allow it."""
    row = store.get(model_id)
    if row is None or not caller.may_use(row.allowed_groups):
        raise _unknown(model_id)
    return transitions.shown_at(row, moment).public()


def create_model(
    store: ModelStore,
    keys: ProviderKeys,
    machine: Machine,
    caller: Caller,
    request: CreateModelRequest,
    moment: datetime,
) -> Model:
    """Writes the row as Creating and starts its registration.

    Raises: ForbiddenError, ConflictError when the id is taken, InvalidError when a deployment or fallback would not
    work, UnavailableError when the work could not be started (then the row says Failed).
    """
    caller.require_admin()
    taken = ConflictError(f"There is a model {request.model_id!r} already. Choose another id, or change that model.")
    if store.get(request.model_id) is not None:
        raise taken
    references.check(store, request)
    fields = request.model_dump(exclude={"api_key", "model_name", "guardrails_config"})
    row = ModelRow(
        **fields,
        model_name=request.model_name or DEPLOYMENTS,
        guardrails_config=_kept(request.guardrails_config),
        status=ModelStatus.CREATING,
        api_key_secret_arn=keys.keep(request.model_id, request.api_key) if request.api_key else None,
        last_modified=moment.isoformat(),
    )
    if not store.create(row):
        if row.api_key_secret_arn:
            keys.discard(row.api_key_secret_arn)
        raise taken
    task = {"modelId": row.model_id, "changedAt": row.last_modified}
    _start(store, row, ModelStatus.FAILED, lambda: machine.start(row.model_id, f"create {row.last_modified}", task))
    return row.public()


def update_model(
    store: ModelStore,
    keys: ProviderKeys,
    machine: Machine,
    caller: Caller,
    model_id: str,
    request: UpdateModelRequest,
    moment: datetime,
) -> Model:
    """Writes the passing state (Updating, Starting, Stopping) and starts the change itself.

    Raises: ForbiddenError, NotFoundError, BadRequestError when the model's state does not allow it, InvalidError when
    the changed model would make no sense, ConflictError when somebody else changes it now, UnavailableError.
    """
    caller.require_admin()
    before = _find(store, model_id)
    was = transitions.status_at(before, moment)
    through, end = transitions.way_of(was, request.enabled)
    changes = _changes(store, before, request)
    if request.api_key is not None:
        changes["apiKeySecretArn"] = keys.keep(model_id, request.api_key) if request.api_key else None
    stamp = moment.isoformat()
    row = store.change(before, {"status": through, "lastModified": stamp})
    if row is None:
        if changes.get("apiKeySecretArn"):
            keys.discard(changes["apiKeySecretArn"])
        raise ConflictError(
            f"Model {model_id!r} was changed by somebody else in this moment. Look at it and try again."
        )
    task = UpdateTask(
        model_id=model_id,
        changed_at=stamp,
        status=end,
        changes=changes,
        replaces_key="apiKeySecretArn" in changes,
    )
    payload = task.model_dump(by_alias=True, mode="json") | {"formerStatus": was, "passingStatus": through}
    try:
        _start(store, row, was, lambda: machine.start(model_id, f"update {stamp}", payload))
    except UnavailableError:
        if changes.get("apiKeySecretArn"):
            keys.discard(changes["apiKeySecretArn"])
        raise
    return row.public()


def set_context_window(
    store: ModelStore, caller: Caller, model_id: str, context_window: int, moment: datetime
) -> Model:
    """Sets what the gateway and the page know of the model's limit: at once, in every settled state.

    Raises: ForbiddenError, NotFoundError, BadRequestError when the model is being changed, ConflictError.
    """
    caller.require_admin()
    before = _find(store, model_id)
    transitions.way_of(transitions.status_at(before, moment), None)
    row = store.change(before, {"contextWindow": context_window})
    if row is None:
        raise ConflictError(
            f"Model {model_id!r} was changed by somebody else in this moment. Look at it and try again."
        )
    return row.public()


def delete_model(
    store: ModelStore,
    repositories: RepositoryStore,
    collections: CollectionStore,
    machine: Machine,
    caller: Caller,
    model_id: str,
    moment: datetime,
) -> Model:
    """Writes the row as Deleting and starts its removal.

    Raises: ForbiddenError, NotFoundError, ConflictError when it is in use or being changed, UnavailableError.
    """
    caller.require_admin()
    before = _find(store, model_id)
    was = transitions.status_at(before, moment)
    transitions.require_settled(was)
    _require_unused(store, repositories, collections, model_id)
    stamp = moment.isoformat()
    row = store.change(before, {"status": ModelStatus.DELETING, "lastModified": stamp})
    if row is None:
        raise ConflictError(
            f"Model {model_id!r} was changed by somebody else in this moment. Look at it and try again."
        )
    task = {"modelId": model_id, "changedAt": stamp, "apiKeySecretArn": row.api_key_secret_arn}
    _start(store, row, was, lambda: machine.start(model_id, f"delete {stamp}", task))
    return row.public()


def _changes(store: ModelReader, before: ModelRow, request: UpdateModelRequest) -> dict[str, Any]:
    """The row's attributes that the request sets. Raises: InvalidError when they do not fit what stays."""
    asked = request.model_dump(exclude_none=True, exclude={"enabled", "api_key"})
    for name in ("pricing", "max_output_tokens"):
        if name in asked:
            asked[name] = asked[name] or None
    if request.guardrails_config is not None:
        asked["guardrails_config"] = _kept(before.guardrails_config | request.guardrails_config)
    try:
        after = CoherentFields.model_validate(before.model_dump() | asked)
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise InvalidError(f"With this change the model would not work: {problem}") from None
    has_key = bool(before.api_key_secret_arn) if request.api_key is None else bool(request.api_key)
    if after.deployments and has_key:
        raise InvalidError("A model with `deployments` has no key of its own; send an empty `apiKey` with them.")
    if asked.keys() & {"deployments", "fallbacks", "model_type"}:
        references.check(store, after)
    if after.model_type is not before.model_type:
        _require_no_routes_to(store, before.model_id)
    return after.model_dump(by_alias=True, mode="json", include=set(asked))


def _kept(guardrails: Mapping[str, GuardrailConfig]) -> dict[str, GuardrailConfig]:
    return {key: guardrail for key, guardrail in guardrails.items() if not guardrail.marked_for_deletion}


def _require_unused(
    store: ModelReader, repositories: RepositoryStore, collections: CollectionStore, model_id: str
) -> None:
    """Raises: ConflictError that names what uses the model."""
    embedded = _users_of(repositories, collections, model_id)
    if embedded:
        raise ConflictError(
            f"Model {model_id!r} is the embedding model of {', '.join(embedded)}. Delete those first.",
            [{"usedBy": user} for user in embedded],
        )
    _require_no_routes_to(store, model_id)


def _require_no_routes_to(store: ModelReader, model_id: str) -> None:
    routed = [f"model {user!r}" for user in references.users_of(store, model_id)]
    if routed:
        raise ConflictError(
            f"Model {model_id!r} is a deployment or fallback of {', '.join(routed)}. Change or delete those first.",
            [{"usedBy": user} for user in routed],
        )


def _users_of(repositories: RepositoryStore, collections: CollectionStore, model_id: str) -> list[str]:
    users = []
    for repository in repositories.list_all():
        if repository.embedding_model_id == model_id:
            users.append(f"repository {repository.repository_id!r}")
        users += [
            f"collection {collection.name!r} in repository {repository.repository_id!r}"
            for collection in collections.list_of(repository.repository_id)
            if collection.embedding_model == model_id
        ]
    return users


def _start(store: ModelStore, row: ModelRow, back_to: ModelStatus, start: Callable[[], str]) -> None:
    """Starts the work; when that fails, the row does not stay behind in a passing state."""
    try:
        start()
    except UnavailableError as error:
        store.change(row, {"status": back_to, "failureReason": error.message})
        raise


def _find(store: ModelReader, model_id: str) -> ModelRow:
    row = store.get(model_id)
    if row is None:
        raise _unknown(model_id)
    return row


def _unknown(model_id: str) -> NotFoundError:
    return NotFoundError(f"There is no model {model_id!r}. GET /models lists those you may use.")
