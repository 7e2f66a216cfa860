"""Where the archive of the sources waits for the build."""

from typing import Any


class S3SourceStore:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, name: str, content: bytes) -> str:
        self._client.put_object(Bucket=self._bucket, Key=name, Body=content)
        return f"{self._bucket}/{name}"
