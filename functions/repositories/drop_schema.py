"""State `DropSchema` of statemachines/delete_repository.asl.yaml."""

from typing import Any

from lisa.repositories import tasks, wiring
from lisa.repositories.schemas import RepositoryTask
from lisa.retrieval.wiring import vector_store


def handler(event: dict[str, Any], _context: object) -> None:
    task = RepositoryTask.model_validate(event)
    tasks.drop_schema(wiring.repositories(), wiring.collections(), vector_store, task)
