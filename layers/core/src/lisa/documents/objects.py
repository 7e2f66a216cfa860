"""The objects that documents are, and the forms and links by which people reach them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lisa.errors import UnavailableError

JOB = "lisa-job"  # object metadata: the job on whose behalf the object was copied to its place
USER = "user"
GONE = {"404", "NoSuchKey", "NoSuchVersion", "NotFound", "MethodNotAllowed", "405"}  # 405: a delete marker
READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What S3 knows of an object. `version_id` is None in a bucket without versions."""

    size: int
    version_id: str | None
    content_type: str
    metadata: dict[str, str] = field(default_factory=dict)


class Objects(Protocol):
    @property
    def bucket(self) -> str: ...

    def head(self, key: str, version_id: str | None = None) -> StoredObject | None: ...

    def copy(self, source: str, target: str, content_type: str, metadata: dict[str, str]) -> None: ...

    def delete(self, key: str) -> None: ...

    def upload_form(self, key: str, username: str, most_bytes: int, seconds: int) -> dict[str, Any]: ...

    def link(self, key: str, name: str, seconds: int) -> str: ...


class S3Objects:
    """Works on the documents bucket; `signer` signs forms and links."""

    def __init__(self, s3: Any, signer: Any, bucket: str) -> None:
        self._s3 = s3
        self._signer = signer
        self.bucket = bucket

    def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """What is known of the object, or of that version of it; None when it is gone."""
        try:
            answer = self._s3.head_object(Bucket=self.bucket, Key=key, **_version(version_id))
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return None
            raise
        if answer.get("DeleteMarker"):
            return None
        return StoredObject(
            size=int(answer["ContentLength"]),
            version_id=answer.get("VersionId"),
            content_type=answer.get("ContentType", "binary/octet-stream"),
            metadata=answer.get("Metadata", {}),
        )

    def copy(self, source: str, target: str, content_type: str, metadata: dict[str, str]) -> None:
        """Copies an object of the bucket, be it onto itself: then it gets a new version.

        Raises: UnavailableError when S3 refuses.
        """
        try:
            self._s3.copy_object(
                Bucket=self.bucket,
                Key=target,
                CopySource={"Bucket": self.bucket, "Key": source},
                MetadataDirective="REPLACE",
                ContentType=content_type,
                Metadata=metadata,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise UnavailableError(f"The file could not be put in its place ({code}). Try again.") from error

    def delete(self, key: str) -> None:
        """Lays a delete marker over the object. Raises: UnavailableError when S3 refuses."""
        try:
            self._s3.delete_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise UnavailableError(f"The file could not be deleted ({code}). Try again.") from error

    def download(self, key: str, version_id: str | None, target: Path, most_bytes: int) -> bool:
        """Writes at most `most_bytes` of the object to `target`; False when it is gone."""
        try:
            answer = self._s3.get_object(Bucket=self.bucket, Key=key, **_version(version_id))
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return False
            raise
        left = most_bytes
        with target.open("wb") as file:
            while left > 0 and (data := answer["Body"].read(min(READ_BYTES, left))):
                file.write(data)
                left -= len(data)
        return True

    def upload_form(self, key: str, username: str, most_bytes: int, seconds: int) -> dict[str, Any]:
        """A form {url, fields} with which a browser puts one object of that key."""
        field_name = f"x-amz-meta-{USER}"
        form: dict[str, Any] = self._signer.generate_presigned_post(
            Bucket=self.bucket,
            Key=key,
            Fields={field_name: username},
            Conditions=[{field_name: username}, ["content-length-range", 0, most_bytes]],
            ExpiresIn=seconds,
        )
        return form

    def link(self, key: str, name: str, seconds: int) -> str:
        """A URL that downloads the object under that name."""
        return str(
            self._signer.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.bucket,
                    "Key": key,
                    # As a file, never as a page: what people upload must not run in anybody's browser.
                    "ResponseContentDisposition": f"attachment; filename*=UTF-8''{name}",
                },
                ExpiresIn=seconds,
            )
        )


def _version(version_id: str | None) -> dict[str, str]:
    return {"VersionId": version_id} if version_id else {}
