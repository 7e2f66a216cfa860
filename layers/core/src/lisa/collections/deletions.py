"""The job that deletes a collection, as people see it among the jobs of its repository."""

from datetime import datetime, timedelta
from typing import Any, Protocol

from boto3.dynamodb.conditions import Key

from lisa import rows
from lisa.collections.schemas import Collection
from lisa.documents.schemas import DocumentStatus, IngestionType, Job

JOB_TYPE = "collection_deletion"
KEPT = timedelta(days=30)


class Deletions(Protocol):
    """What the service needs of the tables of documents and jobs."""

    def count_documents(self, collection: Collection) -> int: ...

    def begin(self, job: Job, moment: datetime) -> None: ...

    def fail(self, job: Job, reason: str) -> None: ...


class DynamoDeletions:
    def __init__(self, documents: Any, jobs: Any) -> None:
        self._documents = documents
        self._jobs = jobs

    def count_documents(self, collection: Collection) -> int:
        """How many rows the collection's documents have now."""
        request: dict[str, Any] = {
            "Select": "COUNT",
            "KeyConditionExpression": Key("pk").eq(f"{collection.repository_id}#{collection.collection_id}"),
        }
        count = 0
        while True:
            answer = self._documents.query(**request)
            count += int(answer["Count"])
            if "LastEvaluatedKey" not in answer:
                return count
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def begin(self, job: Job, moment: datetime) -> None:
        """Writes the job's row, which goes by itself after a month."""
        row = rows.stored(job.model_dump(mode="json", exclude_none=True))
        keys = {
            "owner_key": f"{job.repository_id}#{job.username}",
            "expires_at": int((moment + KEPT).timestamp()),
        }
        self._jobs.put_item(Item=row | keys)

    def fail(self, job: Job, reason: str) -> None:
        """Ends the job with a reason for people."""
        changes = {"status": DocumentStatus.DELETE_FAILED, "error_message": reason}
        self._jobs.update_item(Key={"id": job.id}, **rows.set_expression(changes))


def job_of(collection: Collection, job_id: str, username: str, moment: datetime) -> Job:
    """The row of a deletion that begins now. A job is about one document otherwise: here about none."""
    stamp = moment.isoformat()
    return Job(
        id=job_id,
        s3_path="",
        repository_id=collection.repository_id,
        collection_id=collection.collection_id,
        document_id="",
        document_name=collection.name,
        embedding_model=collection.embedding_model,
        username=username,
        ingestion_type=IngestionType.MANUAL,
        job_type=JOB_TYPE,
        status=DocumentStatus.DELETE_IN_PROGRESS,
        created_date=stamp,
        updated_date=stamp,
    )
