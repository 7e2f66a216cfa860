"""State `IndexDocument` of statemachines/ingest_document.asl.yaml."""

from typing import Any

from lisa.ingestion import tasks, wiring
from lisa.ingestion.schemas import IndexTask
from lisa.retrieval.wiring import vector_store
from lisa.schemas import now


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    task = IndexTask.model_validate(event)
    indexed = tasks.index_document(wiring.shelves(), wiring.work(), vector_store, task, now)
    return indexed.model_dump(by_alias=True, mode="json")
