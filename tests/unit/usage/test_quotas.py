"""Which limits hold for whom, and until when."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from lisa.usage.quotas import end_of, quotas_of, subjects_of, window_of
from lisa.usage.schemas import Limit, Metric, Period, Window

MOMENT = datetime(2026, 11, 23, 21, 35, 12, 345000, tzinfo=UTC)


def rows(*limits: Limit) -> dict[str, Limit]:
    return {limit.subject: limit for limit in limits}


def test_default_is_counted_for_each_user_alone() -> None:
    limits = rows(Limit(subject="user#*", requests_per_minute=5))
    assert [quota.key(MOMENT) for quota in quotas_of(limits, "ada", None, ())] == [
        "user#ada|requests|minute#2026-11-23T21:35"
    ]
    assert quotas_of(limits, "bob", None, ())[0].subject == "user#bob"


def test_own_row_replaces_the_default_as_a_whole() -> None:
    default = Limit(subject="user#*", requests_per_minute=5, budget_micro_usd=1)
    limits = rows(default, Limit(subject="user#ada", tokens_per_minute=7))
    assert [(quota.metric, quota.limit) for quota in quotas_of(limits, "ada", None, ())] == [(Metric.TOKENS, 7)]


def test_key_user_and_every_group_hold_together() -> None:
    limits = rows(
        Limit(subject="user#ada", budget_micro_usd=1, budget_period=Period.DAY),
        Limit(subject="key#k1", budget_micro_usd=2),
        Limit(subject="group#a", budget_micro_usd=3),
        Limit(subject="group#b", budget_micro_usd=4),
        Limit(subject="group#c", budget_micro_usd=5),
    )
    assert [quota.key(MOMENT) for quota in quotas_of(limits, "ada", "k1", ["b", "a", "a"])] == [
        "user#ada|cost|day#2026-11-23",
        "key#k1|cost|month#2026-11",
        "group#a|cost|month#2026-11",
        "group#b|cost|month#2026-11",
    ]
    assert [quota.subject for quota in quotas_of(limits, "ada", None, ())] == ["user#ada"]


def test_management_key_is_bound_by_name_only() -> None:
    defaults = rows(Limit(subject="user#*", requests_per_minute=1), Limit(subject="key#*", requests_per_minute=1))
    assert quotas_of(defaults, "lisa-management-token", "management", ()) == []
    named = rows(Limit(subject="key#management", requests_per_minute=1))
    assert [quota.subject for quota in quotas_of(named, "lisa-management-token", "management", ())] == [
        "key#management"
    ]


def test_every_row_that_could_hold_is_looked_at() -> None:
    assert set(subjects_of("ada", "k1", ["g"])) == {"user#ada", "user#*", "key#k1", "key#*", "group#g"}
    assert set(subjects_of("ada", None, [])) == {"user#ada", "user#*"}


def test_windows_are_those_of_utc() -> None:
    abroad = datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert window_of(Window.MONTH, abroad) == "month#2026-11"
    assert window_of(Window.DAY, abroad) == "day#2026-11-30"
    assert window_of(Window.MINUTE, abroad) == "minute#2026-11-30T23:30"


@pytest.mark.parametrize(
    ("window", "moment", "end"),
    [
        (Window.MINUTE, MOMENT, "2026-11-23T21:36:00+00:00"),
        (Window.DAY, MOMENT, "2026-11-24T00:00:00+00:00"),
        (Window.MONTH, MOMENT, "2026-12-01T00:00:00+00:00"),
        (Window.MONTH, datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2027-01-01T00:00:00+00:00"),
        (Window.MONTH, datetime(2028, 1, 31, tzinfo=UTC), "2028-02-01T00:00:00+00:00"),
        (Window.DAY, datetime(2028, 2, 29, tzinfo=UTC), "2028-03-01T00:00:00+00:00"),
    ],
)
def test_window_ends_where_the_next_begins(window: Window, moment: datetime, end: str) -> None:
    ends = end_of(window, moment)
    assert ends == datetime.fromisoformat(end)
    assert window_of(window, ends) != window_of(window, moment)
    assert window_of(window, ends - timedelta(seconds=1)) == window_of(window, moment)
