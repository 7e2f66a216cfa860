"""A call within its caller's limits: reserve before it, settle and record after it, however it ends."""

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any

from lisa.usage.schemas import CallStatus

from gateway.errors import ClientLeftError
from gateway.exchange import Exchange
from gateway.routing.targets import Target
from gateway.services import Services
from gateway.usage.metering import Asked, Meter, session_of, wants_usage
from gateway.watch import Watch


class Account:
    """`with account as meter:` closes the meter at the end of the block, with how the call ended.

    `extend` reserves for so many bytes more of a prompt. Raises: as `opened`.
    """

    __slots__ = ("_exchange", "_meter", "extend")

    def __init__(self, exchange: Exchange, meter: Meter, extend: Callable[[int], Awaitable[None]]) -> None:
        self._exchange = exchange
        self._meter = meter
        self.extend = extend

    def __enter__(self) -> Meter:
        return self._meter

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status = self._exchange.status
        if error is None:
            self._meter.close(CallStatus.COMPLETED if status < 400 else CallStatus.FAILED)
        else:
            is_cut = bool(status) or isinstance(error, ClientLeftError)
            self._meter.close(CallStatus.CUT_SHORT if is_cut else CallStatus.FAILED)


async def opened(
    exchange: Exchange, services: Services, named: Target, targets: Sequence[Target], body: dict[str, Any], size: int
) -> Account:
    """Reserves what the call may use.

    `named` is the model that was asked for, `targets` those that may answer, `size` the bytes of the prompt at most.
    Raises: LimitExceededError; UnavailableError when limits hold and cannot be checked; ClientLeftError.
    """
    caller, operation = exchange.known_caller, exchange.known_operation
    priced = await services.metering.prices.learned([target.row for target in targets])
    limits = services.limits
    reservation = await limits.admit(caller, priced, operation, body, size, lambda: Watch(exchange))
    session_id = session_of(exchange.header("x-lisa-session-id"))
    asked = Asked(exchange.request_id, caller, operation, named.row, wants_usage(body), session_id, exchange.started_at)
    meter = services.metering.meter(asked, reservation, body, size)
    return Account(exchange, meter, lambda more: limits.extend(reservation, priced, more, lambda: Watch(exchange)))
