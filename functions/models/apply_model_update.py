"""State `ApplyModelUpdate` of statemachines/update_model.asl.yaml."""

from typing import Any

from lisa.models import tasks, wiring
from lisa.models.endpoints import resolve
from lisa.models.schemas import UpdateTask


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    task = UpdateTask.model_validate(event)
    return tasks.apply_update(wiring.models(), resolve, task).model_dump(by_alias=True, mode="json")
