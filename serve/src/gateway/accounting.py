"""A call within its caller's limits: reserve before it, settle and record after it, however it ends."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from lisa.usage.schemas import CallStatus

from gateway.errors import ClientLeftError
from gateway.exchange import Exchange
from gateway.metering import Asked, Meter, wants_usage
from gateway.routing import Target
from gateway.services import Services

Answer = Callable[[Meter], Awaitable[None]]


async def account(
    exchange: Exchange,
    services: Services,
    named: Target,
    targets: Sequence[Target],
    body: dict[str, Any],
    size: int,
    answer: Answer,
) -> None:
    """Runs `answer`, which tells the meter what passes by.

    `named` is the model that was asked for, `targets` those that may answer, `size` the bytes of the prompt at most.
    Raises: LimitExceededError; UnavailableError when limits hold and cannot be checked; as `answer`.
    """
    caller, operation = exchange.known_caller, exchange.known_operation
    reservation = await services.limits.admit(caller, [target.row for target in targets], operation, body, size)
    asked = Asked(
        exchange.request_id,
        caller,
        operation,
        named.row,
        wants_usage(body),
        exchange.headers.get("x-lisa-session-id"),
        exchange.started_at,
    )
    meter = services.metering.meter(asked, reservation, body, size)
    try:
        await answer(meter)
    except ClientLeftError:
        meter.close(CallStatus.CUT_SHORT)
        raise
    except BaseException:
        meter.close(CallStatus.CUT_SHORT if exchange.status else CallStatus.FAILED)
        raise
    meter.close(CallStatus.COMPLETED if exchange.status < 400 else CallStatus.FAILED)
