"""CloudFormation's custom resource `Custom::Site`: whatever happens, the stack is told."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from lisa.errors import AppError
from lisa.schemas import Schema
from lisa.site.publishing import PublishingStore, publish, withdraw
from lisa.stack_request import answer_to

PHYSICAL_ID = "site"  # always the same: another one would make CloudFormation delete the page after an update


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
    try:
        request = ResourceRequest.model_validate(event)
        if request.request_type is RequestType.DELETE:
            withdraw(store())
            return answer_to(event, PHYSICAL_ID)
        uploaded = publish(store(), folder, request.properties.config, request.properties.connect_sources)
        return answer_to(event, PHYSICAL_ID, data={"Uploaded": str(uploaded)})
    except Exception as error:  # an unanswered request holds the stack up for an hour
        message = error.message if isinstance(error, AppError) else f"{type(error).__name__}: {error}"
        return answer_to(event, PHYSICAL_ID, failure=message)
