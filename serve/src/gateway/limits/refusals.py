"""What a caller is told whose limit is reached."""

import math
from datetime import datetime

from lisa.usage.quotas import Quota, end_of
from lisa.usage.schemas import LimitKind, Metric, name_in, to_usd

from gateway.errors import LimitExceededError


def refusal_of(quota: Quota, need: int, moment: datetime) -> LimitExceededError:
    """`need`: without so much left of the quota, in its unit, the call does not run."""
    wait = max(math.ceil((end_of(quota.window, moment) - moment).total_seconds()), 1)
    code = "budget_exceeded" if quota.metric is Metric.COST else "rate_limit_exceeded"
    return LimitExceededError(code, _message(quota, need, wait), wait)


def _message(quota: Quota, need: int, wait: int) -> str:
    window = quota.window.value
    if quota.metric is Metric.COST:
        return (
            f"The budget of ${to_usd(quota.limit):,.2f} a {window} for {_whom(quota)} does not cover this call, which"
            f" needs ${to_usd(need):,.6f}. Set a lower `max_tokens`, wait for the next {window}, or ask an"
            " administrator."
        )
    limit = f"The limit of {quota.limit} {quota.metric.value} a {window} for {_whom(quota)}"
    if quota.metric is Metric.REQUESTS:
        return f"{limit} is reached. Try again in {wait} s."
    if need > quota.limit:
        return f"{limit} is too low for this call, which needs {need}. Shorten the prompt, or lower `max_tokens`."
    return f"{limit} has no room for this call, which needs {need}. Try again in {wait} s, or lower `max_tokens`."


def _whom(quota: Quota) -> str:
    kind = quota.subject.partition("#")[0]
    if kind == LimitKind.GROUP:
        return f"the group `{name_in(quota.subject)}`"
    return "this API key" if kind == LimitKind.KEY else "you"
