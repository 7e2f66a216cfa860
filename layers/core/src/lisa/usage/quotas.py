"""Which limits hold for a call, and the counters of the ledger that they are measured by.

Serve, which blocks, and the API, which shows, both ask here: the number shown is the number that blocks.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lisa.auth.schemas import MANAGEMENT_KEY_ID
from lisa.usage.schemas import (
    DEFAULT,
    Limit,
    LimitKind,
    Metric,
    Window,
    subject_of,
)


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit of one subject: requests or tokens a minute, or micro-dollars a day or month."""

    subject: str
    metric: Metric
    window: Window
    limit: int

    def key(self, moment: datetime) -> str:
        """The key of its counter in the ledger at this moment."""
        return f"{self.subject}|{self.metric.value}|{window_of(self.window, moment)}"


def quotas_of(limits: Mapping[str, Limit], username: str, key_id: str | None, groups: Iterable[str]) -> list[Quota]:
    """The quotas that a call of this caller draws on. `limits` are the table's rows by subject."""
    return [quota for subject, limit in _applying(limits, username, key_id, groups) for quota in _parts(subject, limit)]


def subjects_of(username: str, key_id: str | None, groups: Iterable[str]) -> list[str]:
    """The subjects whose rows `quotas_of` looks at: one's own, the defaults, the groups."""
    own = [subject_of(LimitKind.USER, username)] + ([subject_of(LimitKind.KEY, key_id)] if key_id else [])
    shared = [subject_of(LimitKind.GROUP, group) for group in sorted(set(groups))]
    return [*own, *map(_default_of, own), *shared]


def _applying(
    limits: Mapping[str, Limit], username: str, key_id: str | None, groups: Iterable[str]
) -> Iterator[tuple[str, Limit]]:
    """A row of one's own replaces the default as a whole.

    The deployment's own key (embedding while documents are ingested) is bound by rows that name it, never by defaults.
    """
    own = [subject_of(LimitKind.USER, username)] + ([subject_of(LimitKind.KEY, key_id)] if key_id else [])
    for subject in own:
        default = None if key_id == MANAGEMENT_KEY_ID else limits.get(_default_of(subject))
        limit = limits.get(subject, default)
        if limit is not None:
            yield subject, limit
    for group in sorted(set(groups)):
        subject = subject_of(LimitKind.GROUP, group)
        if subject in limits:
            yield subject, limits[subject]


def _default_of(subject: str) -> str:
    return f"{subject.partition('#')[0]}#{DEFAULT}"


def _parts(subject: str, limit: Limit) -> Iterator[Quota]:
    if limit.requests_per_minute is not None:
        yield Quota(subject, Metric.REQUESTS, Window.MINUTE, limit.requests_per_minute)
    if limit.tokens_per_minute is not None:
        yield Quota(subject, Metric.TOKENS, Window.MINUTE, limit.tokens_per_minute)
    if limit.budget_micro_usd is not None:
        yield Quota(subject, Metric.COST, Window(limit.budget_period.value), limit.budget_micro_usd)


_FORMATS = {Window.MINUTE: "%Y-%m-%dT%H:%M", Window.DAY: "%Y-%m-%d", Window.MONTH: "%Y-%m"}


def window_of(window: Window, moment: datetime) -> str:
    """`minute#2026-11-23T21:35`, `day#2026-11-23` or `month#2026-11`, in UTC."""
    return f"{window.value}#{moment.astimezone(UTC).strftime(_FORMATS[window])}"


def end_of(window: Window, moment: datetime) -> datetime:
    """When the window around this moment ends and the next one begins, in UTC."""
    start = moment.astimezone(UTC).replace(second=0, microsecond=0)
    if window is Window.MINUTE:
        return start + timedelta(minutes=1)
    start = start.replace(hour=0, minute=0)
    if window is Window.DAY:
        return start + timedelta(days=1)
    return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
