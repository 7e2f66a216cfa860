"""Tries deployments until one answers; nothing is tried again once the caller has seen a byte."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from lisa.errors import AppError, UnavailableError, UpstreamError

from gateway.errors import AnsweredError, UpstreamTimeoutError
from gateway.exchange import Exchange
from gateway.outbound import AddressRefusedError
from gateway.routing.deployments import Deployments
from gateway.routing.targets import Target
from gateway.watch import Watch

# Of an upstream: it, or what stands before it, may answer the next time. 529 is Anthropic's "overloaded".
TRANSIENT = frozenset((408, 409, 429, 500, 502, 503, 504, 529))
# Another deployment may be better off: also a key that is refused there, or a model that is gone.
ELSEWHERE = TRANSIENT | {401, 403, 404}
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0

Try = Callable[[Exchange, Target, "Chance", Watch], Awaitable[None]]


class RetryableAnswerError(AppError):
    """An upstream answered with a status that is worth another attempt; its body was not passed on."""

    def __init__(self, status: int, retry_after: float | None) -> None:
        super().__init__(f"The model's endpoint answered {status}.")
        self.given_status = status
        self.retry_after = retry_after


class Chance:
    """What follows when this attempt fails: nothing, the same deployment again, or another."""

    __slots__ = ("_statuses", "_within")

    def __init__(self, is_last: bool, has_other: bool) -> None:
        self._statuses = frozenset[int]() if is_last else ELSEWHERE if has_other else TRANSIENT
        self._within = float("inf") if has_other else LONGEST_PAUSE_SECONDS

    def may_retry(self, status: int, retry_after: float | None) -> bool:
        """Whether an upstream's answer is better not passed on."""
        return status in self._statuses and (retry_after or 0.0) <= self._within


LAST = Chance(is_last=True, has_other=False)
SAME = Chance(is_last=False, has_other=False)
OTHER = Chance(is_last=False, has_other=True)


async def attempt_all(
    exchange: Exchange, deployments: Deployments, targets: Sequence[Target], attempts: int, attempt: Try
) -> None:
    """Runs `attempt` under a watch, at most `attempts` times.

    Raises: what the last attempt raised; ClientLeftError.
    """
    count = len(targets)
    retry_after = 0.0
    for number in range(attempts):
        target = targets[number % count]
        chance = LAST if number + 1 == attempts else OTHER if count > 1 else SAME
        try:
            async with Watch(exchange) as watch:
                if number >= count:
                    await asyncio.sleep(max(_pause(number - count), retry_after))
                await attempt(exchange, target, chance, watch)
        except (UpstreamError, AnsweredError, RetryableAnswerError) as error:
            if not _is_about_deployment(error):
                raise
            asked_for = getattr(error, "retry_after", None)
            retry_after = min(asked_for or 0.0, LONGEST_PAUSE_SECONDS)
            deployments.failed(target, asked_for)
            if exchange.status or chance is LAST or not _may_follow(error, chance, count):
                raise
        else:
            if exchange.status in TRANSIENT:
                deployments.failed(target)
            else:
                deployments.succeeded(target)
            return
    raise UnavailableError("No attempt is allowed.")  # attempts ≥ 1 by the settings


def _is_about_deployment(error: AppError) -> bool:
    return not isinstance(error, AnsweredError) or error.given_status in ELSEWHERE


def _may_follow(error: AppError, chance: Chance, count: int) -> bool:
    if isinstance(error, UpstreamTimeoutError | AddressRefusedError):
        return count > 1  # whoever waited that long does not want to wait for the same again; nor is it otherwise then
    if isinstance(error, AnsweredError):
        return chance.may_retry(error.given_status, error.retry_after)
    return True


def _pause(repetition: int) -> float:
    """Exponential, with jitter so that callers who failed together do not come back together."""
    return min(FIRST_PAUSE_SECONDS * 2.0**repetition, LONGEST_PAUSE_SECONDS) * (0.5 + random.random() / 2)  # noqa: S311
