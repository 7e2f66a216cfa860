"""What the load balancer asks before it sends calls to a task."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from gateway.exchange import Exchange
from gateway.health import readiness
from gateway.services import Services


async def nothing() -> dict[str, Any]:
    raise AssertionError("readiness reads no body")


@pytest.mark.parametrize(
    ("models", "limits", "status"), [(True, True, 200), (False, True, 503), (True, False, 503), (False, False, 503)]
)
async def test_task_is_ready_when_it_can_find_models_and_hold_limits(models: bool, limits: bool, status: int) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    exchange = Exchange({"raw_path": b"/health/readiness", "headers": []}, nothing, send)
    known = SimpleNamespace(registry=SimpleNamespace(is_ready=models), limits=SimpleNamespace(is_ready=limits))
    await readiness(exchange, cast(Services, known))
    assert sent[0]["status"] == status
    assert json.loads(sent[1]["body"])["limits"] == ("loaded" if limits else "not loaded")
