"""The page's files in S3, under `site/`, and their manifest."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from lisa.errors import UnavailableError
from lisa.site.schemas import Manifest

PREFIX = "site/"
MANIFEST = "manifest.json"
DELETE_LIMIT = 1000  # keys that one DeleteObjects takes


class S3SiteStore:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def manifest(self) -> Manifest:
        """Empty when nothing was published, or nothing that can be understood. Raises: UnavailableError."""
        missing = (self._client.exceptions.NoSuchKey, self._client.exceptions.NoSuchBucket)
        try:
            return Manifest.model_validate_json(self._get(MANIFEST))
        except (*missing, ValidationError):
            return Manifest()

    def read(self, key: str) -> bytes:
        """Raises: UnavailableError, also for a file that a deploy is removing just now."""
        try:
            return self._get(PREFIX + key)
        except self._client.exceptions.NoSuchKey as error:
            raise UnavailableError("The page is being published. Reload.") from error

    def write_manifest(self, manifest: Manifest) -> None:
        body = manifest.model_dump_json(by_alias=True).encode()
        self._client.put_object(Bucket=self._bucket, Key=MANIFEST, Body=body, ContentType="application/json")

    def write(self, key: str, body: bytes, content_type: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=PREFIX + key, Body=body, ContentType=content_type)

    def delete(self, keys: list[str]) -> None:
        for batch in _batches([PREFIX + key for key in keys]):
            objects = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
            failed = self._client.delete_objects(Bucket=self._bucket, Delete=objects).get("Errors")
            if failed:
                raise UnavailableError(f"S3 kept {len(failed)} old files: {failed[0].get('Code')}. Deploy again.")

    def _get(self, key: str) -> bytes:
        try:
            return bytes(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except (self._client.exceptions.NoSuchKey, self._client.exceptions.NoSuchBucket):
            raise
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("The page's files cannot be read. Reload.") from error


def _batches(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), DELETE_LIMIT):
        yield keys[start : start + DELETE_LIMIT]
