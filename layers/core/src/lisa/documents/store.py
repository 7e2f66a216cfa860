"""Rows of the documents table, by repository and collection (`pk`) and `document_id`."""

from collections.abc import Iterator
from typing import Any, Protocol

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError

from lisa import rows
from lisa.documents.schemas import Document, DocumentStatus

VISIBLE: ConditionBase = Attr("status").ne(DocumentStatus.DELETE_COMPLETED.value)
OPEN = "1"  # the only key of the sparse index of rows that are not final


class DocumentReader(Protocol):
    def get(self, repository_id: str, collection_id: str, document_id: str) -> Document | None: ...


class DocumentStore(DocumentReader, Protocol):
    """What the API needs. Tombstones are only told by `get`."""

    def find(self, document_id: str) -> Document | None: ...

    def page(
        self, repository_id: str, collection_id: str, limit: int, after: str | None
    ) -> tuple[list[Document], bool]: ...

    def count(self, repository_id: str, collection_id: str) -> int: ...

    def named(self, repository_id: str, collection_id: str, name: str) -> list[Document]: ...

    def replace(self, document: Document, previous: Document | None) -> bool: ...

    def restore(self, document: Document, previous: Document | None) -> None: ...


class DynamoDocumentStore:
    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, repository_id: str, collection_id: str, document_id: str) -> Document | None:
        """The row as it is now, be it a tombstone."""
        key = {"pk": f"{repository_id}#{collection_id}", "document_id": document_id}
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return Document.model_validate(rows.plain(item)) if item else None

    def find(self, document_id: str) -> Document | None:
        """The document with this id in any collection."""
        found = self._table.query(
            IndexName="document-index", KeyConditionExpression=Key("document_id").eq(document_id), Limit=2
        )["Items"]
        if not found:
            return None
        # The index lags behind; the row itself does not.
        row = self.get(found[0]["repository_id"], found[0]["collection_id"], document_id)
        return None if row is None or row.is_gone else row

    def page(
        self, repository_id: str, collection_id: str, limit: int, after: str | None
    ) -> tuple[list[Document], bool]:
        """At most `limit` documents that come after the id `after`, by id; and whether there are more."""
        found: list[Document] = []
        for row in self._visible(repository_id, collection_id, after, limit + 1):
            if len(found) == limit:
                return found, True
            found.append(Document.model_validate(row))
        return found, False

    def count(self, repository_id: str, collection_id: str) -> int:
        """How many documents the collection has."""
        request: dict[str, Any] = {
            "Select": "COUNT",
            "KeyConditionExpression": Key("pk").eq(f"{repository_id}#{collection_id}"),
            "FilterExpression": VISIBLE,
        }
        count = 0
        while True:
            answer = self._table.query(**request)
            count += int(answer["Count"])
            if "LastEvaluatedKey" not in answer:
                return count
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def named(self, repository_id: str, collection_id: str, name: str) -> list[Document]:
        """All documents of the collection with this name."""
        visible = self._visible(repository_id, collection_id, None, 1000)
        return [Document.model_validate(row) for row in visible if row.get("document_name") == name]

    def replace(self, document: Document, previous: Document | None) -> bool:
        """Writes the row in place of `previous`; False, and nothing is written, when it is another one by now."""
        return self._put(row_of(document), previous)

    def restore(self, document: Document, previous: Document | None) -> None:
        """Undoes `replace`, unless the row has moved on."""
        if previous is not None:
            self._put(row_of(previous), document)
            return
        try:
            self._table.delete_item(
                Key={"pk": document.pk, "document_id": document.document_id}, **_unchanged(document)
            )
        except ClientError as error:
            if not rows.condition_failed(error):
                raise

    def _put(self, row: rows.Row, previous: Document | None) -> bool:
        condition = (
            {"ConditionExpression": Attr("document_id").not_exists()} if previous is None else _unchanged(previous)
        )
        try:
            self._table.put_item(Item=row, **condition)
        except ClientError as error:
            if rows.condition_failed(error):
                return False
            raise
        return True

    def _visible(self, repository_id: str, collection_id: str, after: str | None, limit: int) -> Iterator[rows.Row]:
        pk = f"{repository_id}#{collection_id}"
        start = {"ExclusiveStartKey": {"pk": pk, "document_id": after}} if after else {}
        return rows.pages(
            self._table.query,
            KeyConditionExpression=Key("pk").eq(pk),
            FilterExpression=VISIBLE,
            ConsistentRead=True,
            Limit=limit,
            **start,
        )


def row_of(document: Document) -> rows.Row:
    """The item of a document; one that is not final is also in the index of open rows."""
    row: rows.Row = rows.stored(document.model_dump(mode="json", exclude_none=True))
    return row if document.status.is_final else row | {"open": OPEN}


def _unchanged(document: Document) -> dict[str, Any]:
    condition = (
        Attr("job_id").eq(document.job_id)
        & Attr("status").eq(document.status.value)
        & Attr("sequencer").eq(document.sequencer)
    )
    return {"ConditionExpression": condition}
