"""State `FailDocument` of statemachines/ingest_document.asl.yaml and delete_document.asl.yaml."""

from typing import Any

from aws_lambda_powertools import Logger
from lisa.ingestion import tasks, wiring
from lisa.ingestion.schemas import FailTask
from lisa.schemas import now

logger = Logger()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    task = FailTask.model_validate(event)
    outcome = tasks.fail_document(wiring.progress(), wiring.jobs(), task, now())
    logger.warning("attempt ended", document_id=task.document_id, failed=outcome.failed, error=task.error.error)
    return outcome.model_dump(by_alias=True, mode="json")
