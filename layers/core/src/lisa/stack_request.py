"""Custom resources: what CloudFormation asks, and how it is answered."""

import json
from enum import StrEnum
from typing import Any
from urllib.request import Request, urlopen

from pydantic import BaseModel, ConfigDict, Field

ANSWER_BYTES = 4096  # CloudFormation refuses a longer answer
ANSWER_SECONDS = 30


class Change(StrEnum):
    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class StackRequest(BaseModel):
    """One change of one custom resource. `response_url` is a credential for the answer: never log it."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    change: Change = Field(alias="RequestType")
    response_url: str = Field(alias="ResponseURL", repr=False)
    stack_id: str = Field(alias="StackId")
    request_id: str = Field(alias="RequestId")
    logical_id: str = Field(alias="LogicalResourceId")
    physical_id: str | None = Field(None, alias="PhysicalResourceId")


def answer(request: StackRequest, *, data: dict[str, str] | None = None, failure: str | None = None) -> None:
    """Tells CloudFormation that the change is made, with the resource's attributes, or that and why it failed.

    The physical id never changes, so that an update replaces nothing. Raises: OSError when it cannot be told.
    """
    shape: dict[str, Any] = {
        "Status": "FAILED" if failure else "SUCCESS",
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
        "PhysicalResourceId": request.physical_id or request.logical_id,
    }
    if failure:
        shape["Reason"] = failure[: ANSWER_BYTES // 4]
    if data:
        shape["Data"] = data
    # The signature of the address covers an empty content type.
    put = Request(request.response_url, json.dumps(shape).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310
    with urlopen(put, timeout=ANSWER_SECONDS):  # noqa: S310 - CloudFormation's own address
        pass
