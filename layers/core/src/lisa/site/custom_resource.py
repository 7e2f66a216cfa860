"""CloudFormation's custom resource `Custom::Site`: whatever happens, the stack is told."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from lisa.errors import AppError
from lisa.schemas import Schema
from lisa.site.publishing import PublishingStore, publish, withdraw

PHYSICAL_ID = "site"  # always the same: another one would make CloudFormation delete the page after an update
LONGEST_REASON = 1000  # the whole answer may have 4096 bytes
TIMEOUT_SECONDS = 10


class RequestType(StrEnum):
    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Properties(Schema):
    """As the template writes them; CloudFormation makes every scalar a string."""

    config: dict[str, Any] = Field({}, alias="Config")
    connect_sources: list[str] = Field([], alias="ConnectSources")


class ResourceRequest(Schema):
    request_type: RequestType = Field(alias="RequestType")
    properties: Properties = Field(Properties(), alias="ResourceProperties")


def fulfil(event: Mapping[str, Any], store: Callable[[], PublishingStore], folder: Path) -> dict[str, Any]:
    """Does what CloudFormation asks for and says how it went; never raises."""
    answer: dict[str, Any] = {
        "Status": "SUCCESS",
        "PhysicalResourceId": PHYSICAL_ID,
        **{name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    try:
        request = ResourceRequest.model_validate(event)
        if request.request_type is RequestType.DELETE:
            withdraw(store())
        else:
            uploaded = publish(store(), folder, request.properties.config, request.properties.connect_sources)
            answer["Data"] = {"Uploaded": str(uploaded)}
    except Exception as error:  # an unanswered request holds the stack up for an hour
        message = error.message if isinstance(error, AppError) else f"{type(error).__name__}: {error}"
        answer |= {"Status": "FAILED", "Reason": message[:LONGEST_REASON]}
    return answer


def report(url: str | None, answer: Mapping[str, Any]) -> None:
    """Sends the answer to the pre-signed address, which takes no content type; nobody asked when there is none.

    Raises: OSError; Lambda then runs the whole request again, which changes nothing but the chance to be heard.
    """
    if not url:
        return
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own address
        url, data=json.dumps(answer).encode(), headers={"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
        pass
