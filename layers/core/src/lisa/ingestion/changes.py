"""S3's events of the documents bucket, as EventBridge delivers them through the queue."""

from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from lisa.documents.schemas import document_id_of

SEQUENCER_LENGTH = 32


class ChangeType(StrEnum):
    CREATED = "Object Created"
    DELETED = "Object Deleted"


class Place(NamedTuple):
    """Where a document lies; read from the key of its object."""

    repository_id: str
    collection_id: str
    name: str


class ObjectChange(BaseModel):
    """One change of one object. EventBridge hands the key over as it is, not URL-encoded as S3's own notifications."""

    model_config = ConfigDict(frozen=True)

    type: ChangeType
    bucket: str = Field(min_length=1)
    key: str = Field(min_length=1)
    sequencer: str = Field(min_length=1)
    version_id: str | None = None
    permanent: bool = False

    @classmethod
    def of_event(cls, event: dict[str, Any]) -> "ObjectChange":
        """Of an EventBridge event from S3. Raises: ValidationError."""
        detail = event.get("detail") or {}
        item = detail.get("object") or {}
        return cls.model_validate(
            {
                "type": event.get("detail-type"),
                "bucket": (detail.get("bucket") or {}).get("name"),
                "key": item.get("key"),
                "sequencer": comparable(str(item.get("sequencer") or "")),
                "version_id": item.get("version-id"),
                "permanent": detail.get("deletion-type") == "Permanently Deleted",
            }
        )

    @property
    def source(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def document_id(self) -> str:
        return document_id_of(self.source)

    @property
    def place(self) -> Place | None:
        """None for what is no document: folder markers, and objects outside of a collection's folder."""
        repository_id, _, rest = self.key.partition("/")
        collection_id, _, path = rest.partition("/")
        name = path.rpartition("/")[2]
        return Place(repository_id, collection_id, name) if repository_id and collection_id and name else None


def comparable(sequencer: str) -> str:
    """A sequencer whose order as text is the order of the events.

    S3 has them as hexadecimal digits of different lengths, to be filled up on the right with zeros.
    """
    return sequencer.upper().ljust(SEQUENCER_LENGTH, "0") if sequencer else ""
