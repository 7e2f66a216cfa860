"""State `ParseDocument` of statemachines/ingest_document.asl.yaml."""

from typing import Any

from lisa.ingestion import tasks, wiring
from lisa.ingestion.parsing import process
from lisa.ingestion.schemas import DocumentTask
from lisa.schemas import now


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    task = DocumentTask.model_validate(event)
    parsed = tasks.parse_document(wiring.shelves(), wiring.objects(), wiring.work(), process.parse, task, now)
    return parsed.model_dump(by_alias=True, mode="json")
