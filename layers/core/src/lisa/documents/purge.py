"""Removes all that a collection or a repository has, objects and rows, a bounded part at each call."""

from collections.abc import Callable
from typing import Any, Protocol

from boto3.dynamodb.conditions import Key

from lisa import rows
from lisa.errors import UnavailableError

HasTime = Callable[[], bool]


class Purge(Protocol):
    """Each call returns True when nothing is left, False when the time was up; both may be called again."""

    def objects(self, prefix: str, has_time: HasTime) -> bool: ...

    def documents(self, repository_id: str, collection_id: str, has_time: HasTime) -> bool: ...

    def jobs(self, repository_id: str, has_time: HasTime) -> bool: ...


class DynamoPurge:
    """Works on the documents bucket and the tables of documents and jobs."""

    def __init__(self, s3: Any, bucket: str, documents: Any, jobs: Any) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._documents = documents
        self._jobs = jobs

    def objects(self, prefix: str, has_time: HasTime) -> bool:
        """Deletes every version of every object under `prefix`, and the delete markers.

        Raises: ValueError for a prefix that is no folder, UnavailableError when S3 keeps an object.
        """
        if not prefix.endswith("/") or prefix.startswith("/"):
            raise ValueError("a prefix must be a folder")
        while has_time():
            page = self._s3.list_object_versions(Bucket=self._bucket, Prefix=prefix, MaxKeys=1000)
            found = [
                {"Key": item["Key"], "VersionId": item["VersionId"]}
                for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            ]
            if not found:
                return True
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": found, "Quiet": True})
            if answer.get("Errors"):
                code = answer["Errors"][0].get("Code", "unknown")
                raise UnavailableError(f"{len(answer['Errors'])} objects could not be deleted ({code}). Try again.")
        return False

    def documents(self, repository_id: str, collection_id: str, has_time: HasTime) -> bool:
        """Deletes the rows of a collection's documents."""
        found = rows.pages(
            self._documents.query,
            KeyConditionExpression=Key("pk").eq(f"{repository_id}#{collection_id}"),
            ProjectionExpression="pk, document_id",
        )
        with self._documents.batch_writer() as batch:
            for row in found:
                if not has_time():
                    return False
                batch.delete_item(Key={"pk": row["pk"], "document_id": row["document_id"]})
        return True

    def jobs(self, repository_id: str, has_time: HasTime) -> bool:
        """Deletes the rows of a repository's jobs, and of the documents that they name."""
        found = rows.pages(
            self._jobs.query,
            IndexName="repository-index",
            KeyConditionExpression=Key("repository_id").eq(repository_id),
        )
        pairs = set()  # several jobs may name one document, and a batch takes a key only once
        with self._jobs.batch_writer() as jobs, self._documents.batch_writer() as documents:
            for row in found:
                if not has_time():
                    return False
                key = (f"{repository_id}#{row.get('collection_id', '')}", row.get("document_id"))
                if key[1] and key not in pairs:
                    pairs.add(key)
                    documents.delete_item(Key={"pk": key[0], "document_id": key[1]})
                jobs.delete_item(Key={"id": row["id"]})
        return True
