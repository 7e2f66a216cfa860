"""State `DropCollection` of statemachines/delete_collection.asl.yaml."""

from typing import Any

from lisa.collections import tasks, wiring
from lisa.collections.schemas import CollectionTask
from lisa.retrieval.wiring import vector_store


def handler(event: dict[str, Any], _context: object) -> None:
    task = CollectionTask.model_validate(event)
    tasks.drop_collection(wiring.repositories(), wiring.collections(), vector_store, task)
