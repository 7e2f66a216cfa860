"""CloudFormation's custom resource `ServeImage`: starts statemachines/build_serve_image.asl.yaml, which answers it."""

from pathlib import Path
from typing import Any

from lisa import aws
from lisa.machines import StateMachine
from lisa.serve_image import service
from lisa.serve_image.store import S3SourceStore
from lisa.settings import Settings

SOURCES = Path(__file__).parents[2] / "sources"


class ImageSettings(Settings):
    work_bucket: str
    image_repository: str
    build_serve_image_machine: str


def handler(event: dict[str, Any], _context: object) -> None:
    settings = ImageSettings.load()
    service.ask(
        event,
        SOURCES,
        S3SourceStore(aws.client("s3"), settings.work_bucket),
        StateMachine(aws.client("stepfunctions"), settings.build_serve_image_machine),
        settings.image_repository,
    )
