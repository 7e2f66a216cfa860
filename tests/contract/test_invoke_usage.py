"""The samples of usage work on the handlers that `sam local invoke` would run."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.usage import api, on_usage
from tests.fixtures.control_plane import Context
from tests.fixtures.control_plane import cloud as cloud
from tests.fixtures.usage import account as account

SAMPLES = Path(__file__).parents[2] / "events" / "invoke"


@pytest.mark.parametrize("case", sorted((SAMPLES / "UsageFunction").glob("*.json")), ids=lambda case: case.stem)
def test_http_sample_is_answered(account: dict[str, Any], case: Path) -> None:
    answer = api.handler(json.loads(case.read_text()), Context())  # type: ignore[arg-type]
    assert answer["statusCode"] == (404 if case.stem.endswith("_unknown") else 200)


@pytest.mark.parametrize(("case", "failures"), [("counted", 0), ("malformed", 1)])
def test_message_sample_is_counted_or_comes_back(account: dict[str, Any], case: str, failures: int) -> None:
    event = json.loads((SAMPLES / "OnUsageFunction" / f"{case}.json").read_text())
    answer = on_usage.handler(event, Context())  # type: ignore[arg-type]
    assert len(answer["batchItemFailures"]) == failures
    assert bool(account["usage"].scan()["Count"]) == (failures == 0)
