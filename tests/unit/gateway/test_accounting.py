"""How a call's account is opened and closed."""

from types import SimpleNamespace
from typing import Any

import pytest
from gateway.errors import ClientLeftError, LimitExceededError
from gateway.exchange import Exchange
from gateway.operations import CHAT
from gateway.pricing.prices import Prices
from gateway.routing.targets import target_of
from gateway.usage.accounting import Account, opened
from gateway.usage.metering import Metering
from lisa.errors import UpstreamError
from lisa.usage.schemas import CallStatus, Limit

from tests.unit.gateway.calls import ADA, Reached, limits_of, model
from tests.unit.gateway.test_metering import Sink, meter_of


async def unused(*_: Any) -> Any:
    raise AssertionError


def exchange_of(status: int = 0) -> Exchange:
    exchange = Exchange({"raw_path": b"/", "headers": []}, unused, unused)
    exchange.caller, exchange.operation, exchange.status = ADA, CHAT, status
    return exchange


@pytest.mark.parametrize(
    ("status", "error", "recorded"),
    [
        (200, None, CallStatus.COMPLETED),
        (404, None, CallStatus.FAILED),
        (0, UpstreamError("away"), CallStatus.FAILED),
        (200, UpstreamError("away"), CallStatus.CUT_SHORT),
        (0, ClientLeftError(), CallStatus.CUT_SHORT),
    ],
)
def test_record_says_how_a_call_ended(status: int, error: Exception | None, recorded: CallStatus) -> None:
    meter, sink = meter_of()
    try:
        with Account(exchange_of(status), meter, unused):
            if error is not None:
                raise error
    except (UpstreamError, ClientLeftError) as raised:
        assert raised is error
    assert [closed.record()["status"] for closed in sink.meters] == [recorded]


async def test_dearest_of_the_models_that_may_answer_is_reserved_for() -> None:
    sink: Any = Sink()
    limits = await limits_of(Reached(), Limit(subject="user#*", budget_micro_usd=1000))
    services: Any = SimpleNamespace(limits=limits, metering=Metering(Prices(lambda: b"{}"), sink))
    cheap = target_of(model("cheap"))
    dear = target_of(model("dear", pricing={"inputCostPerToken": 1e-3, "outputCostPerToken": 1e-3}))
    body: dict[str, Any] = {"messages": [], "max_tokens": 10}
    await opened(exchange_of(), services, cheap, [cheap], body, 100)
    with pytest.raises(LimitExceededError):
        await opened(exchange_of(), services, cheap, [cheap, dear], body, 100)
