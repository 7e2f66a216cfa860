"""Which change a model takes in which state. The states of the original, and one rule more: nothing lasts for ever.

InService ⇄ Updating, Stopped ⇄ Updating · InService → Stopping → Stopped → Starting → InService
Creating → InService | Failed · Failed → Updating | Starting → InService, or Stopping → Stopped · any settled → Deleting
"""

from datetime import datetime, timedelta

from lisa.errors import BadRequestError, ConflictError
from lisa.models.schemas import ModelRow, ModelStatus

# Longer than any of the state machines may run: a state that lasted longer has nobody working at it.
LIMIT = timedelta(minutes=15)
INTERRUPTED = "The last change was interrupted. Change the model again, or delete it."

_ENDS = {
    (None, ModelStatus.IN_SERVICE): (ModelStatus.UPDATING, ModelStatus.IN_SERVICE),
    (None, ModelStatus.STOPPED): (ModelStatus.UPDATING, ModelStatus.STOPPED),
    (None, ModelStatus.FAILED): (ModelStatus.UPDATING, ModelStatus.IN_SERVICE),
    (True, ModelStatus.STOPPED): (ModelStatus.STARTING, ModelStatus.IN_SERVICE),
    (True, ModelStatus.FAILED): (ModelStatus.STARTING, ModelStatus.IN_SERVICE),
    (False, ModelStatus.IN_SERVICE): (ModelStatus.STOPPING, ModelStatus.STOPPED),
    (False, ModelStatus.FAILED): (ModelStatus.STOPPING, ModelStatus.STOPPED),
}


def status_at(row: ModelRow, moment: datetime) -> ModelStatus:
    """The status, but Failed for a change that began too long ago to be still going on."""
    if row.status.is_stable or moment - datetime.fromisoformat(row.last_modified) < LIMIT:
        return row.status
    return ModelStatus.FAILED


def shown_at(row: ModelRow, moment: datetime) -> ModelRow:
    """The row as people should see it at `moment`."""
    status = status_at(row, moment)
    if status is row.status:
        return row
    return row.model_copy(update={"status": status, "failure_reason": INTERRUPTED})


def way_of(status: ModelStatus, enabled: bool | None) -> tuple[ModelStatus, ModelStatus]:
    """The states through which, and in which, an update ends.

    Raises: BadRequestError, naming the states that would do.
    """
    way = _ENDS.get((enabled, status))
    if way is None:
        possible = [str(origin) for asked, origin in _ENDS if asked is enabled]
        change = {None: "be changed", True: "be started", False: "be stopped"}[enabled]
        raise BadRequestError(
            f"A model that is {status} cannot {change}: it must be {' or '.join(possible)}. "
            "GET /models/{modelId} tells its state."
        )
    return way


def require_settled(status: ModelStatus) -> None:
    """Raises: ConflictError while a change is going on."""
    if not status.is_stable:
        raise ConflictError(f"The model is {status}. Wait until that is done, then delete it.")
