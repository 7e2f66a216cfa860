"""Custom resources: how CloudFormation is answered."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

LONGEST_REASON = 1000  # the whole answer may have 4096 bytes
TIMEOUT_SECONDS = 10


def answer_to(
    event: Mapping[str, Any], physical_id: str, *, data: Mapping[str, str] | None = None, failure: str | None = None
) -> dict[str, Any]:
    """What CloudFormation wants to hear: done, with the resource's attributes, or why it failed.

    `physical_id` must always be the same: with another one CloudFormation deletes the former resource after an update.
    """
    answer: dict[str, Any] = {
        "Status": "FAILED" if failure else "SUCCESS",
        "PhysicalResourceId": physical_id,
        **{name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    if failure:
        answer["Reason"] = failure[:LONGEST_REASON]
    if data:
        answer["Data"] = dict(data)
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
