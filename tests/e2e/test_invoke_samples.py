"""Every sample of `events/invoke` is understood by its deployed function: it answers, or fails with a named reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from lisa.errors import AppError
from lisa.ingestion import errors as _ingestion_errors  # noqa: F401 - its classes are reasons, too

from local.deploy import STACK
from tests.e2e.clients import aws

pytestmark = pytest.mark.disruptive  # the samples of the site's custom resource replace and remove the page

SAMPLES = Path(__file__).parents[2] / "events" / "invoke"


@pytest.fixture(scope="session")
def functions(stack: dict[str, Any]) -> dict[str, str]:
    """Logical id → the deployed function's name."""
    pages = aws(stack, "cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }


def reasons(kind: type[AppError] = AppError) -> set[str]:
    """The names of every failure that a caller can act on."""
    return {kind.__name__}.union(*map(reasons, kind.__subclasses__()))


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_sample_is_understood(stack: dict[str, Any], functions: dict[str, str], sample: Path) -> None:
    name = functions.get(sample.parent.name)
    if name is None:
        pytest.skip("deployed only in AWS: its handler is called by tests/contract")
    client = aws(stack, "lambda")
    reply = client.invoke(FunctionName=name, Payload=sample.read_bytes())
    answer = json.loads(reply["Payload"].read() or b"null")
    if reply.get("FunctionError"):
        assert answer["errorType"] in reasons() or answer["errorMessage"] == "Unauthorized", answer
    elif isinstance(answer, dict) and "statusCode" in answer:
        assert answer["statusCode"] < 500, answer


def test_every_function_has_a_sample(functions: dict[str, str]) -> None:
    assert set(functions) <= {folder.name for folder in SAMPLES.iterdir()}
