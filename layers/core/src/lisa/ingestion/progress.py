"""Moves a document and its job through their states: both rows in one transaction, and never against a newer event."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from lisa import rows
from lisa.documents import jobs as job_rows
from lisa.documents import store as document_rows
from lisa.documents.schemas import Document, DocumentStatus, Job
from lisa.ingestion.schemas import DocumentTask

OPEN_INDEX = "open-index"
JOB_ATTRIBUTES = frozenset({"status", "stage", "error_message"})


class Progress(Protocol):
    def get(self, task: DocumentTask) -> Document | None: ...

    def accept(self, document: Document, job: Job | None, expires_at: int | None = None) -> bool: ...

    def move(
        self, task: DocumentTask, changes: Mapping[str, Any], moment: datetime, expires_at: int | None = None
    ) -> bool: ...

    def silent_since(self, moment: datetime) -> Iterator[Document]: ...


class DynamoProgress:
    """Works on the tables of documents and jobs."""

    def __init__(self, documents: Any, jobs: Any) -> None:
        self._documents = documents
        self._jobs = jobs

    def get(self, task: DocumentTask) -> Document | None:
        """The row of the task's document, whichever attempt it belongs to by now."""
        item = self._documents.get_item(Key=_key(task), ConsistentRead=True).get("Item")
        return Document.model_validate(rows.plain(item)) if item else None

    def accept(self, document: Document, job: Job | None, expires_at: int | None = None) -> bool:
        """Writes the rows that an event makes; False, and nothing is written, when its sequencer is not the newest."""
        row = document_rows.row_of(document)
        if expires_at is not None:
            row["expires_at"] = expires_at
        operations = [
            {
                "Put": {
                    "TableName": self._documents.name,
                    "Item": row,
                    "ConditionExpression": "attribute_not_exists(sequencer) OR sequencer < :new",
                    "ExpressionAttributeValues": {":new": document.sequencer},
                }
            }
        ]
        if job is not None:
            operations.append({"Put": {"TableName": self._jobs.name, "Item": job_rows.row_of(job)}})
        return self._transact(operations)

    def move(
        self, task: DocumentTask, changes: Mapping[str, Any], moment: datetime, expires_at: int | None = None
    ) -> bool:
        """Sets attributes of the document, and of its job those that both have.

        False, and nothing is written, when another attempt has taken the document over, or this one has ended.
        """
        stamp = moment.isoformat()
        request = rows.set_expression({**changes, "updated_at": stamp})
        open_states = {f":open{i}": state for i, state in enumerate(job_rows.OPEN)}
        request["ExpressionAttributeNames"] |= {"#status": "status"}
        request["ExpressionAttributeValues"] |= {":job": task.job_id, ":sequencer": task.sequencer, **open_states}
        request["ConditionExpression"] = (
            f"job_id = :job AND sequencer = :sequencer AND #status IN ({', '.join(open_states)})"
        )
        if expires_at is not None:
            request["UpdateExpression"] += ", expires_at = :expires"
            request["ExpressionAttributeValues"][":expires"] = expires_at
        status = changes.get("status")
        if status is not None and DocumentStatus(status).is_final:
            request["ExpressionAttributeNames"]["#open"] = "open"
            request["UpdateExpression"] += " REMOVE #open"
        shared = {name: value for name, value in changes.items() if name in JOB_ATTRIBUTES}
        job = rows.set_expression({**shared, "updated_date": stamp})
        job_key = {"TableName": self._jobs.name, "Key": {"id": task.job_id}}
        return self._transact(
            [
                {"Update": {"TableName": self._documents.name, "Key": _key(task), **request}},
                # A job that its repository's deletion removed is not brought back.
                {"Update": {**job_key, **job, "ConditionExpression": "attribute_exists(id)"}},
            ]
        )

    def silent_since(self, moment: datetime) -> Iterator[Document]:
        """Documents that are neither done nor failed and whose row has not changed since."""
        found = rows.pages(
            self._documents.query,
            IndexName=OPEN_INDEX,
            KeyConditionExpression=Key("open").eq(document_rows.OPEN) & Key("updated_at").lt(moment.isoformat()),
        )
        return map(Document.model_validate, found)

    def _transact(self, operations: list[dict[str, Any]]) -> bool:
        try:
            # The resource's own client turns Python values into DynamoDB's.
            self._documents.meta.client.transact_write_items(TransactItems=operations)
        except ClientError as error:
            if rows.condition_failed(error):
                return False
            raise
        return True


def _key(task: DocumentTask) -> dict[str, str]:
    return {"pk": f"{task.repository_id}#{task.collection_id}", "document_id": task.document_id}
