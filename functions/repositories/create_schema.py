"""State `CreateSchema` of statemachines/create_repository.asl.yaml."""

from typing import Any

from lisa.repositories import tasks, wiring
from lisa.repositories.schemas import RepositoryTask
from lisa.retrieval.wiring import vector_store


def handler(event: dict[str, Any], _context: object) -> None:
    tasks.create_schema(wiring.repositories(), vector_store, RepositoryTask.model_validate(event))
