"""What the state machines do to a model; each may run twice and does its work once."""

from collections.abc import Callable
from urllib.parse import urlsplit

from lisa.errors import ConflictError, InvalidError
from lisa.models.endpoints import forbidden_among
from lisa.models.schemas import ModelOutcome, ModelRow, ModelStatus, RegisterTask, UpdateTask
from lisa.models.secrets import ProviderKeys
from lisa.models.store import ModelStore

Resolve = Callable[[str], list[str]]


def register(store: ModelStore, keys: ProviderKeys, resolve: Resolve, task: RegisterTask) -> ModelOutcome:
    """Brings a model from Creating to InService.

    An endpoint that does not answer now is no failure: it may start later, or be seen from the gateway's network only.
    Raises: InvalidError with a reason for people, ConflictError when the row is no longer this task's.
    """
    row = _mine(store, task.model_id, task.changed_at)
    if row.status is not ModelStatus.CREATING:
        return ModelOutcome(status=row.status)
    _require_safe_endpoint(resolve, row.model_url)
    if row.api_key_secret_arn and not keys.exists(row.api_key_secret_arn):
        raise InvalidError("The provider's key is gone from Secrets Manager. Delete the model and create it again.")
    done = store.change(row, {"status": ModelStatus.IN_SERVICE, "failureReason": None})
    if done is None:
        raise _taken(task.model_id)
    return ModelOutcome(status=done.status)


def apply_update(store: ModelStore, resolve: Resolve, task: UpdateTask) -> ModelOutcome:
    """Writes an update's changes and the state in which it ends.

    Raises: InvalidError with a reason for people, ConflictError when the row is no longer this task's.
    """
    row = _mine(store, task.model_id, task.changed_at)
    if row.status.is_stable:
        return ModelOutcome(status=row.status)
    if task.changes.get("modelUrl"):
        _require_safe_endpoint(resolve, task.changes["modelUrl"])
    done = store.change(row, task.changes | {"status": task.status, "failureReason": None})
    if done is None:
        raise _taken(task.model_id)
    replaced = row.api_key_secret_arn if task.replaces_key else None
    return ModelOutcome(status=done.status, replaced_secret_arn=replaced)


def _mine(store: ModelStore, model_id: str, changed_at: str) -> ModelRow:
    row = store.get(model_id)
    if row is None or row.last_modified != changed_at:
        raise _taken(model_id)
    return row


def _taken(model_id: str) -> ConflictError:
    return ConflictError(f"Model {model_id!r} was deleted or changed by somebody else meanwhile.")


def _require_safe_endpoint(resolve: Resolve, url: str | None) -> None:
    host = urlsplit(url).hostname if url else None
    if host and forbidden_among(resolve(host)):
        raise InvalidError("modelUrl leads to a link-local or metadata address. Use the address of the model's server.")
