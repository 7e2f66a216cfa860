"""Asks for the image that fits the deployed sources."""

from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from lisa.machines import Machine
from lisa.serve_image.sources import archive, tag_of
from lisa.stack_request import Change, StackRequest, answer


class SourceStore(Protocol):
    def put(self, name: str, content: bytes) -> str:
        """Returns the archive's location as CodeBuild reads it."""
        ...


class ImageResult(BaseModel):
    """How the state machine ended; `error` is what Step Functions caught."""

    model_config = ConfigDict(frozen=True)

    request: dict[str, Any]
    image: str
    error: dict[str, Any] | None = Field(None)


def ask(request: dict[str, Any], sources: Path, store: SourceStore, machine: Machine, repository: str) -> None:
    """Starts the state machine that builds the image and then answers CloudFormation.

    Nothing is removed on deletion: the repository goes with its images. Whatever fails here is answered at once, since
    CloudFormation would wait an hour for a word.
    """
    change = StackRequest.model_validate(request)
    if change.change is Change.DELETE:
        answer(change)
        return
    try:
        content = archive(sources)
        tag = tag_of(content)
        location = store.put(f"serve-image/{tag}.zip", content)
        task = {"request": request, "sources": location, "tag": tag, "image": f"{repository}:{tag}"}
        machine.start(f"serve-image-{tag}", change.request_id, task)
    except Exception as error:
        answer(change, failure=f"The build of Serve's image could not be started: {type(error).__name__}.")
        raise


def report(result: ImageResult) -> None:
    """Answers CloudFormation with the image's address, or with what to look at."""
    request = StackRequest.model_validate(result.request)
    if result.error is None:
        answer(request, data={"ImageUri": result.image})
    else:
        answer(
            request,
            failure="Serve's image could not be built: see the CodeBuild project's log. "
            "Or build it elsewhere and give ServeImageUri.",
        )
