"""Fails what went silent: a document whose event was lost, or whose execution died without a word."""

from datetime import datetime, timedelta
from typing import Protocol

from lisa.documents.schemas import Document, DocumentStatus
from lisa.events import DomainEvent
from lisa.ingestion.intake import failure_of
from lisa.ingestion.progress import Progress
from lisa.ingestion.schemas import DocumentTask

SILENCE = timedelta(minutes=15)
MOST_AT_ONCE = 500  # the next run takes the rest


class Executions(Protocol):
    def is_running(self, subject: str, change: str) -> bool: ...


def sweep(progress: Progress, ingesting: Executions, deleting: Executions, moment: datetime) -> list[Document]:
    """Ends the documents that are silent for 15 minutes and not being worked on; returns them as they are now."""
    swept: list[Document] = []
    for document in progress.silent_since(moment - SILENCE):
        if len(swept) == MOST_AT_ONCE:
            break
        task = DocumentTask.of(document)
        deletes = document.status.is_deletion
        if (deleting if deletes else ingesting).is_running(task.document_id, task.change):
            continue
        status = DocumentStatus.DELETE_FAILED if deletes else DocumentStatus.INGESTION_FAILED
        what = "deletion" if deletes else "ingestion"
        reason = f"The {what} went silent in stage {document.stage!r} and was given up. Retry it."
        ended = {"status": status, "error_message": reason}
        if progress.move(task, ended, moment):
            swept.append(document.model_copy(update=ended))
    return swept


def failures(swept: list[Document]) -> list[DomainEvent]:
    """The events that tell of the ingestions among them."""
    return [failure_of(document) for document in swept if document.status is DocumentStatus.INGESTION_FAILED]
