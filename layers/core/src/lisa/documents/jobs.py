"""Rows of the jobs table: the attempts to ingest or delete documents."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from lisa import rows
from lisa.documents.schemas import DocumentStatus, Job, JobType

KEPT = timedelta(days=30)  # as far back as a client may ask
OPEN = [status.value for status in DocumentStatus if not status.is_final]
REPLACED = {
    JobType.INGESTION: (
        DocumentStatus.INGESTION_FAILED,
        "Replaced: a newer upload or a deletion of the same file came before this one was done.",
    ),
    JobType.DELETION: (DocumentStatus.DELETE_COMPLETED, "A newer upload of the same file took its place."),
}


class JobStore(Protocol):
    def get(self, job_id: str) -> Job | None: ...

    def put(self, job: Job) -> None: ...

    def change(self, job_id: str, changes: Mapping[str, Any]) -> None: ...

    def supersede(self, job_id: str, moment: datetime) -> None: ...


class DynamoJobStore:
    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, job_id: str) -> Job | None:
        item = self._table.get_item(Key={"id": job_id}, ConsistentRead=True).get("Item")
        return Job.model_validate(rows.plain(item)) if item else None

    def put(self, job: Job) -> None:
        """Writes the row, which goes by itself after a month."""
        self._table.put_item(Item=row_of(job))

    def change(self, job_id: str, changes: Mapping[str, Any]) -> None:
        """Sets attributes; nothing happens when the row has gone meanwhile."""
        self._update(job_id, changes, "attribute_exists(id)", {})

    def supersede(self, job_id: str, moment: datetime) -> None:
        """Ends a job that another one overtook, unless it has ended already."""
        job = self.get(job_id)
        if job is None or job.status.is_final or job.job_type not in REPLACED:
            return
        status, message = REPLACED[job.job_type]
        states = {f":s{i}": state for i, state in enumerate(OPEN)}
        self._update(
            job_id,
            {"status": status, "error_message": message, "updated_date": moment.isoformat()},
            f"#status IN ({', '.join(states)})",
            states,
        )

    def page(
        self, repository_id: str, owner: str | None, since: datetime, limit: int, after: Mapping[str, Any] | None
    ) -> tuple[list[Job], dict[str, Any] | None]:
        """The newest first; of everybody, or of `owner`. The second part is where the next page begins, or None."""
        index, key = ("owner-index", "owner_key") if owner else ("repository-index", "repository_id")
        value = f"{repository_id}#{owner}" if owner else repository_id
        request: dict[str, Any] = {
            "IndexName": index,
            "KeyConditionExpression": Key(key).eq(value) & Key("created_date").gte(since.isoformat()),
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if after:
            request["ExclusiveStartKey"] = {"id": after["id"], "created_date": after["created_date"], key: value}
        answer = self._table.query(**request)
        found = [Job.model_validate(rows.plain(item)) for item in answer["Items"]]
        last = answer.get("LastEvaluatedKey")
        return found, {"id": last["id"], "created_date": last["created_date"]} if last else None

    def _update(self, job_id: str, changes: Mapping[str, Any], condition: str, values: Mapping[str, Any]) -> None:
        request = rows.set_expression(changes)
        request["ExpressionAttributeValues"] |= values
        if "#status" in condition:
            request["ExpressionAttributeNames"]["#status"] = "status"
        try:
            self._table.update_item(Key={"id": job_id}, ConditionExpression=condition, **request)
        except ClientError as error:
            if not rows.condition_failed(error):
                raise


def row_of(job: Job) -> rows.Row:
    """The item of a job, with the keys of its indexes and its end."""
    created = datetime.fromisoformat(job.created_date)
    row: rows.Row = rows.stored(job.model_dump(mode="json", exclude_none=True))
    return row | {"owner_key": job.owner_key, "expires_at": int((created + KEPT).timestamp())}
