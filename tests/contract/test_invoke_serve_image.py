"""The samples of the image's functions work on the handlers that `sam local invoke` would run."""

import json
from pathlib import Path

import pytest

from functions.serve_image import report_image, request_image
from tests.fixtures.control_plane import Context

SAMPLES = Path(__file__).parents[2] / "events" / "invoke"


@pytest.mark.parametrize(("case", "status"), [("built", "SUCCESS"), ("failed", "FAILED")])
def test_the_end_of_a_build_is_answered(case: str, status: str) -> None:
    event = json.loads((SAMPLES / "ReportImageFunction" / f"{case}.json").read_text())
    assert report_image.handler(event, Context())["Status"] == status


def test_a_deletion_is_answered() -> None:
    event = json.loads((SAMPLES / "RequestImageFunction" / "delete.json").read_text())
    answer = request_image.handler(event, Context())  # type: ignore[arg-type]  # a stand-in for Lambda's own
    assert answer is not None
    assert answer["Status"] == "SUCCESS"
