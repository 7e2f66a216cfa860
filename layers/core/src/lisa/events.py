"""Domain events: one class per detail-type, one way onto the bus."""

from collections.abc import Sequence
from typing import Any, ClassVar

from lisa.errors import UnavailableError
from lisa.schemas import Schema

PUT_EVENTS_LIMIT = 10  # entries that one PutEvents takes


class DomainEvent(Schema):
    """A fact that happened: a noun and a past participle. Consumers may see it twice and out of order."""

    source: ClassVar[str]
    detail_type: ClassVar[str]


class DocumentIngested(DomainEvent):
    source = "lisa.ingestion"
    detail_type = "DocumentIngested"

    repository_id: str
    collection_id: str
    document_id: str
    chunk_count: int


class DocumentIngestionFailed(DomainEvent):
    source = "lisa.ingestion"
    detail_type = "DocumentIngestionFailed"

    repository_id: str
    collection_id: str
    document_id: str
    reason: str


class DocumentDeleted(DomainEvent):
    source = "lisa.ingestion"
    detail_type = "DocumentDeleted"

    repository_id: str
    collection_id: str
    document_id: str


class ModelStatusChanged(DomainEvent):
    source = "lisa.models"
    detail_type = "ModelStatusChanged"

    model_id: str
    status: str


class RepositoryStatusChanged(DomainEvent):
    source = "lisa.repositories"
    detail_type = "RepositoryStatusChanged"

    repository_id: str
    status: str


EVENTS: tuple[type[DomainEvent], ...] = (
    DocumentIngested,
    DocumentIngestionFailed,
    DocumentDeleted,
    ModelStatusChanged,
    RepositoryStatusChanged,
)


def publish(client: Any, bus_name: str, events: Sequence[DomainEvent]) -> None:
    """Puts events on the bus, ten at a time.

    Raises: UnavailableError when the bus refused one of them (the caller retries; consumers are idempotent).
    """
    entries = [
        {
            "EventBusName": bus_name,
            "Source": event.source,
            "DetailType": event.detail_type,
            "Detail": event.model_dump_json(by_alias=True),
        }
        for event in events
    ]
    for start in range(0, len(entries), PUT_EVENTS_LIMIT):
        answer = client.put_events(Entries=entries[start : start + PUT_EVENTS_LIMIT])
        if answer["FailedEntryCount"]:
            raise UnavailableError("The event bus refused an event. Try again.")
