"""State `RemoveDocument` of statemachines/delete_document.asl.yaml."""

from typing import Any

from lisa.ingestion import tasks, wiring
from lisa.ingestion.schemas import DocumentTask
from lisa.retrieval.wiring import vector_store
from lisa.schemas import now


def handler(event: dict[str, Any], _context: object) -> None:
    task = DocumentTask.model_validate(event)
    tasks.remove_document(wiring.repositories(), wiring.progress(), vector_store, task, now)
