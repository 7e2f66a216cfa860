"""Rules of usage: who sees whose, and how much of each limit is left."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from lisa.api_tokens.schemas import ApiToken
from lisa.auth.schemas import MANAGEMENT_KEY_ID, Caller
from lisa.auth.service import MANAGEMENT_USERNAME
from lisa.errors import InvalidError
from lisa.usage.quotas import Quota, end_of, quotas_of, subjects_of
from lisa.usage.schemas import (
    ALL,
    AllMetrics,
    AllMetricsAnswer,
    Counts,
    DayTotals,
    Limit,
    Metric,
    Period,
    PeriodQuery,
    QuotaStatus,
    SubjectKind,
    SubjectTotals,
    SubjectUsage,
    Totals,
    UsageList,
    UsageListQuery,
    UserMetrics,
    UserMetricsAnswer,
    name_in,
    subject_of,
    to_usd,
)

MOST_AT_ONCE = 1000  # of a listing, in one query


class UsageStore(Protocol):
    def counts(self, subject: str, period: str) -> Counts: ...
    def days(self, subject: str, month: str) -> Iterable[tuple[date, Counts]]: ...
    def months(self, subject: str) -> Iterable[tuple[str, Counts]]: ...
    def listing(
        self, kind: SubjectKind, period: str, page_size: int, after: str | None
    ) -> tuple[Sequence[tuple[str, Counts]], str | None]: ...


class LimitsReader(Protocol):
    def of(self, subjects: Iterable[str]) -> dict[str, Limit]: ...


class LedgerReader(Protocol):
    def committed(self, quotas: Iterable[str]) -> dict[str, int]: ...


class TokensReader(Protocol):
    def of_user(self, username: str) -> list[ApiToken]: ...


@dataclass(frozen=True)
class Books:
    """All that is read to say what somebody used and may still use."""

    usage: UsageStore
    limits: LimitsReader
    ledger: LedgerReader
    tokens: TokensReader


def mine(books: Books, caller: Caller, query: PeriodQuery, moment: datetime) -> SubjectUsage:
    """The caller's own usage, and what is left to them, to their API tokens and to their groups."""
    return _of_user(books, caller.username, caller.groups, query, moment)


def of_user(books: Books, caller: Caller, username: str, query: PeriodQuery, moment: datetime) -> SubjectUsage:
    """Somebody's usage, for admins; without the limits of groups, which only their own sign-in tells.

    Raises: ForbiddenError, InvalidError.
    """
    caller.require_admin()
    return _of_user(books, username, (), query, moment)


def listing(store: UsageStore, caller: Caller, query: UsageListQuery, moment: datetime) -> UsageList:
    """A page of the users, groups, keys, models or sessions with calls in a period.

    Raises: ForbiddenError, InvalidError.
    """
    caller.require_admin()
    value = _value(query, moment)
    period = f"{query.period.value}#{value}"
    rows, following = store.listing(query.kind.subject_kind, period, query.page_size, query.next_token)
    return UsageList(
        kind=query.kind,
        period=query.period,
        value=value,
        items=[SubjectTotals.of(counts, subject=subject, name=name_in(subject)) for subject, counts in rows],
        totals=Totals.of(store.counts(ALL, period)),
        next_token=following,
    )


def metrics_of(store: UsageStore, caller: Caller, username: str) -> UserMetricsAnswer:
    """All calls of the caller, or of anybody for admins, as the original told them. Raises: ForbiddenError."""
    if username != caller.username:
        caller.require_admin()
    months = store.months(subject_of(SubjectKind.USER, username))
    return UserMetricsAnswer(body={username: UserMetrics(total_prompts=sum(counts.requests for _, counts in months))})


def metrics_of_all(store: UsageStore, caller: Caller) -> AllMetricsAnswer:
    """All calls, and by how many users, as the original told them. Raises: ForbiddenError."""
    caller.require_admin()
    months = dict(store.months(ALL))
    users = {user for month in months for user in _users(store, month)}
    prompts = sum(counts.requests for counts in months.values())
    return AllMetricsAnswer(body=AllMetrics(total_unique_users=len(users), total_prompts=prompts))


def _users(store: UsageStore, month: str) -> Iterator[str]:
    period, after = f"{Period.MONTH.value}#{month}", None
    while True:
        rows, after = store.listing(SubjectKind.USER, period, MOST_AT_ONCE, after)
        yield from (subject for subject, _ in rows)
        if after is None:
            return


def _of_user(books: Books, username: str, groups: Iterable[str], query: PeriodQuery, moment: datetime) -> SubjectUsage:
    value = _value(query, moment)
    subject = subject_of(SubjectKind.USER, username)
    totals = books.usage.counts(subject, f"{query.period.value}#{value}")
    if query.period is Period.MONTH:
        days = list(books.usage.days(subject, value))
    else:
        days = [(date.fromisoformat(value), totals)] if totals.requests else []
    return SubjectUsage(
        subject=subject,
        period=query.period,
        value=value,
        totals=Totals.of(totals),
        days=[DayTotals.of(counts, day=day) for day, counts in days],
        limits=_limits(books, username, frozenset(groups), moment),
    )


def _value(query: PeriodQuery, moment: datetime) -> str:
    """The day or month that is asked for. Raises: InvalidError."""
    if query.value is None:
        return moment.strftime("%Y-%m-%d" if query.period is Period.DAY else "%Y-%m")
    try:
        date.fromisoformat(query.value if query.period is Period.DAY else f"{query.value}-01")
    except ValueError:
        example = "2026-11-23" if query.period is Period.DAY else "2026-11"
        raise InvalidError(f"value: is no {query.period.value}. Write it as {example}.") from None
    return query.value


def _limits(books: Books, username: str, groups: frozenset[str], moment: datetime) -> list[QuotaStatus]:
    keys = _keys(books.tokens, username, moment)
    limits = books.limits.of({subject for key in keys for subject in subjects_of(username, key, groups)})
    # A quota that several ways to call draw on is one quota.
    quotas = dict.fromkeys(quota for key in keys for quota in quotas_of(limits, username, key, groups))
    committed = books.ledger.committed([quota.key(moment) for quota in quotas])
    return [_status(quota, committed[quota.key(moment)], moment) for quota in quotas]


def _keys(tokens: TokensReader, username: str, moment: datetime) -> list[str | None]:
    """With what this person may call: signed in (None), and each valid API token."""
    if username == MANAGEMENT_USERNAME:
        return [MANAGEMENT_KEY_ID]
    valid = (row.token_uuid for row in tokens.of_user(username) if not row.is_expired(moment.timestamp()))
    return [None, *sorted(uuid for uuid in valid if uuid)]


def _status(quota: Quota, committed: int, moment: datetime) -> QuotaStatus:
    remaining = max(quota.limit - committed, 0)
    is_cost = quota.metric is Metric.COST
    limit, used, left = (to_usd(n) if is_cost else float(n) for n in (quota.limit, committed, remaining))
    return QuotaStatus(
        subject=quota.subject,
        metric=quota.metric,
        window=quota.window,
        limit=limit,
        committed=used,
        remaining=left,
        resets_at=end_of(quota.window, moment),
    )
