"""Asks for the image that fits the deployed sources, and says how that went."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from lisa.machines import Machine
from lisa.serve_image.sources import archive, tag_of
from lisa.stack_request import answer_to

PHYSICAL_ID = "serve-image"
FAILED = (
    "Serve's image was not built: see the log of the CodeBuild project, or build it elsewhere and give ServeImageUri."
)


class SourceStore(Protocol):
    def put(self, name: str, content: bytes) -> str:
        """Returns the archive's location as CodeBuild reads it."""
        ...


class ImageResult(BaseModel):
    """How the state machine ended; `error` is what Step Functions caught, `request` what CloudFormation asked."""

    model_config = ConfigDict(frozen=True)

    request: dict[str, Any]
    image: str
    error: dict[str, Any] | None = None


def request_image(
    event: Mapping[str, Any],
    sources: Path,
    store: Callable[[], SourceStore],
    machine: Callable[[], Machine],
    repository: Callable[[], str],
) -> dict[str, Any] | None:
    """Starts the state machine that builds the image and answers CloudFormation: then there is no answer here yet.

    Nothing is removed on deletion: the repository goes with its images. Never raises: an unanswered request would hold
    the stack up for an hour.
    """
    try:
        if event["RequestType"] == "Delete":
            return answer_to(event, PHYSICAL_ID)
        content = archive(sources)
        tag = tag_of(content, event["ResourceProperties"]["Architecture"])
        location = store().put(f"serve-image/{tag}.zip", content)
        task = {"request": dict(event), "sources": location, "tag": tag, "image": f"{repository()}:{tag}"}
        machine().start(f"serve-image-{tag}", event["RequestId"], task)
    except Exception as error:
        failure = f"The build of Serve's image was not started ({type(error).__name__}). Deploy again."
        return answer_to(event, PHYSICAL_ID, failure=failure)
    return None


def answer_of(result: ImageResult) -> dict[str, Any]:
    """The image's address for the stack, or what to look at."""
    if result.error:
        return answer_to(result.request, PHYSICAL_ID, failure=FAILED)
    return answer_to(result.request, PHYSICAL_ID, data={"ImageUri": result.image})
