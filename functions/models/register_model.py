"""State `RegisterModel` of statemachines/create_model.asl.yaml."""

from typing import Any

from lisa.models import tasks, wiring
from lisa.models.endpoints import resolve
from lisa.models.schemas import RegisterTask


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    task = RegisterTask.model_validate(event)
    return tasks.register(wiring.models(), wiring.keys(), resolve, task).model_dump(by_alias=True, mode="json")
