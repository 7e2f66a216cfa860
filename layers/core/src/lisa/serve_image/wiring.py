"""Builds what the function of this concern needs from its settings."""

from pydantic import Field

from lisa import aws
from lisa.machines import StateMachine
from lisa.serve_image.store import S3SourceStore
from lisa.settings import Settings


class ImageSettings(Settings):
    """The machine is an ARN, the repository an address that takes `:tag`."""

    work_bucket: str = Field(min_length=3)
    image_repository: str = Field(min_length=1)
    build_serve_image_machine: str = Field(min_length=1)


def store() -> S3SourceStore:
    return S3SourceStore(aws.client("s3"), ImageSettings.load().work_bucket)


def machine() -> StateMachine:
    return StateMachine(aws.client("stepfunctions"), ImageSettings.load().build_serve_image_machine)


def repository() -> str:
    return ImageSettings.load().image_repository
