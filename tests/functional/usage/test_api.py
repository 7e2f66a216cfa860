"""Usage and limits through the handler."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from lisa.usage import quotas, service
from lisa.usage.schemas import Window

from functions.usage.on_usage import handler
from tests.fixtures.control_plane import ADA, ADMIN, BOB, Answer, Cloud, Context, Person
from tests.fixtures.usage import body, message, record

Account = dict[str, Any]
MODULE = "functions.usage.api"
MONTH = "period=month&value=2026-11"
EMPTY = {
    "requests": 0,
    "promptTokens": 0,
    "completionTokens": 0,
    "cachedTokens": 0,
    "costUsd": 0,
    "estimatedRequests": 0,
}


def get(cloud: Cloud, path: str, person: Person = ADMIN) -> Answer:
    return cloud.call(MODULE, "GET", path, person)


def put(cloud: Cloud, path: str, limit: Any, person: Person = ADMIN) -> Answer:
    return cloud.call(MODULE, "PUT", f"/usage/limits/{path}", person, limit)


def count(*records: dict[str, Any]) -> None:
    for start in range(0, len(records), 25):
        answer = handler({"Records": [message(body(*records[start : start + 25]))]}, Context())  # type: ignore[arg-type]
        assert answer == {"batchItemFailures": []}


def commit(account: Account, subject: str, metric: str, window: Window, amount: int) -> None:
    """What Serve does when it leases from a quota."""
    key = f"{subject}|{metric}|{quotas.window_of(window, datetime.now(UTC))}"
    account["ledger"].put_item(Item={"quota": key, "committed": amount, "expires_at": int(time.time()) + 60})


def token(account: Account, username: str, uuid: str, expires_in: int = 3600) -> None:
    item = {"token": f"hash-{uuid}", "tokenUUID": uuid, "username": username}
    account["tokens"].put_item(Item=item | {"tokenExpiration": int(time.time()) + expires_in})


# ── one's own ──


def test_nothing_used_is_zero(cloud: Cloud, account: Account) -> None:
    answer = get(cloud, "/usage/me", ADA)
    assert answer.status == 200
    assert answer.body == {
        "subject": "user#ada",
        "period": "month",
        "value": f"{datetime.now(UTC):%Y-%m}",
        "totals": EMPTY,
        "days": [],
        "limits": [],
    }


def test_one_sees_only_ones_own(cloud: Cloud, account: Account) -> None:
    count(record(), record(username="bob", costMicroUsd=9), record(time="2026-11-02T00:00:00Z", estimated=True))
    mine = get(cloud, f"/usage/me?{MONTH}", ADA).body
    assert mine["totals"] == {
        "requests": 2,
        "promptTokens": 200,
        "completionTokens": 40,
        "cachedTokens": 20,
        "costUsd": 0.003,
        "estimatedRequests": 1,
    }
    assert [(day["day"], day["requests"]) for day in mine["days"]] == [("2026-11-02", 1), ("2026-11-23", 1)]
    assert get(cloud, f"/usage/me?{MONTH}", BOB).body["totals"]["costUsd"] == 0.000009


def test_day_is_one_day(cloud: Cloud, account: Account) -> None:
    count(record(), record(time="2026-11-02T00:00:00Z"))
    answer = get(cloud, "/usage/me?period=day&value=2026-11-23", ADA).body
    assert (answer["totals"]["requests"], answer["value"]) == (1, "2026-11-23")
    assert [day["day"] for day in answer["days"]] == ["2026-11-23"]
    assert get(cloud, "/usage/me?period=day&value=2026-11-24", ADA).body["days"] == []


@pytest.mark.parametrize(
    "query",
    [
        "period=year",
        "period=day&value=2026-11",
        "period=month&value=2026-11-23",
        "period=day&value=2026-02-30",
        "value=2026-13",
        "value=nonsense",
    ],
)
def test_period_that_is_none_is_refused(cloud: Cloud, account: Account, query: str) -> None:
    answer = get(cloud, f"/usage/me?{query}", ADA)
    assert (answer.status, answer.body["code"]) == (422, "invalid")


# ── everybody's ──


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/usage?kind=users"),
        ("GET", "/usage/users/ada"),
        ("GET", "/usage/limits"),
        ("PUT", "/usage/limits/user/ada"),
        ("DELETE", "/usage/limits/user/ada"),
    ],
)
def test_the_rest_is_for_admins(cloud: Cloud, account: Account, method: str, path: str) -> None:
    sent = {"requestsPerMinute": 10**9} if method == "PUT" else None
    answer = cloud.call(MODULE, method, path, ADA, sent)
    assert (answer.status, answer.body["code"]) == (403, "forbidden")
    assert account["limits"].scan()["Count"] == 0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("users", {"ada": 2, "bob": 1}),
        ("groups", {"staff": 1, "user": 3}),
        ("keys", {"k1": 1}),
        ("models", {"other": 1, "smollm2": 2}),
        ("sessions", {"s1": 1}),
    ],
)
def test_admin_sees_all_of_a_kind(cloud: Cloud, account: Account, kind: str, expected: dict[str, int]) -> None:
    count(record(sessionId="s1"), record(keyId="k1", groups=["user", "staff"]), record(username="bob", modelId="other"))
    count(record(time="2026-10-01T00:00:00Z", username="before"))
    answer = get(cloud, f"/usage?kind={kind}&{MONTH}").body
    assert {item["name"]: item["requests"] for item in answer["items"]} == expected
    assert all(item["subject"] == f"{kind[:-1]}#{item['name']}" for item in answer["items"])
    assert (answer["totals"]["requests"], answer["totals"]["costUsd"]) == (3, 0.0045)
    assert answer["nextToken"] is None


def test_pages_hold_everybody_once(cloud: Cloud, account: Account) -> None:
    names = sorted(f"u{number}#x" for number in range(23))
    count(*(record(username=name) for name in names))
    seen, after = [], ""
    while True:
        page = get(cloud, f"/usage?kind=users&{MONTH}&pageSize=10{after}").body
        seen += [item["name"] for item in page["items"]]
        assert page["totals"]["requests"] == 23
        if page["nextToken"] is None:
            break
        after = "&nextToken=" + page["nextToken"].replace("#", "%23")
    assert seen == names


@pytest.mark.parametrize("query", ["", "kind=everything", "kind=users&pageSize=0", "kind=users&pageSize=1001"])
def test_unknown_listing_is_refused(cloud: Cloud, account: Account, query: str) -> None:
    assert get(cloud, f"/usage?{query}").status == 422


def test_admin_sees_a_user(cloud: Cloud, account: Account) -> None:
    count(record(username="a b/c"))
    answer = get(cloud, f"/usage/users/a%20b%2Fc?{MONTH}").body
    assert (answer["subject"], answer["totals"]["requests"]) == ("user#a b/c", 1)


# ── the original's routes ──


def test_metrics_are_of_all_time(cloud: Cloud, account: Account) -> None:
    count(record(), record(time="2025-01-31T00:00:00Z", requests=2), record(username="b/c"))
    assert get(cloud, "/metrics/users/ada").body == {"statusCode": 200, "body": {"ada": {"totalPrompts": 3}}}
    assert get(cloud, "/metrics/users/b%2Fc").body["body"] == {"b/c": {"totalPrompts": 1}}
    assert get(cloud, "/metrics/users/nobody").body["body"] == {"nobody": {"totalPrompts": 0}}
    everybody = {"totalUniqueUsers": 2, "totalPrompts": 4}
    assert get(cloud, "/metrics/users/all").body == {"statusCode": 200, "body": everybody}


def test_metrics_count_the_users_of_every_page(cloud: Cloud, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_AT_ONCE", 2)
    count(*(record(username=f"u{number}") for number in range(5)))
    assert get(cloud, "/metrics/users/all").body["body"]["totalUniqueUsers"] == 5


def test_metrics_of_others_are_for_admins(cloud: Cloud, account: Account) -> None:
    assert get(cloud, "/metrics/users/ada", ADA).status == 200
    assert get(cloud, "/metrics/users/bob", ADA).status == 403
    assert get(cloud, "/metrics/users/all", ADA).status == 403


# ── limits ──


def test_limit_is_set_replaced_listed_and_removed(cloud: Cloud, account: Account) -> None:
    first = put(cloud, "user/ada", {"requestsPerMinute": 60, "budgetUsd": 1.2345678, "budgetPeriod": "day"})
    assert first.body == {
        "subject": "user#ada",
        "kind": "user",
        "name": "ada",
        "requestsPerMinute": 60,
        "tokensPerMinute": None,
        "budgetUsd": 1.234568,
        "budgetPeriod": "day",
    }
    put(cloud, "group/%2Fstaff", {"tokensPerMinute": 1000})
    put(cloud, "user/*", {"budgetUsd": 0})
    put(cloud, "key/*", {"requestsPerMinute": 1})
    put(cloud, "user/ada", {"budgetUsd": 5})
    listed = {item["subject"]: item for item in get(cloud, "/usage/limits").body["limits"]}
    assert list(listed) == ["group#/staff", "key#*", "user#*", "user#ada"]
    assert listed["user#ada"]["requestsPerMinute"] is None
    assert (listed["user#ada"]["budgetUsd"], listed["user#ada"]["budgetPeriod"]) == (5, "month")
    assert listed["user#*"]["budgetUsd"] == 0
    deleted = cloud.call(MODULE, "DELETE", "/usage/limits/user/ada", ADMIN)
    assert deleted.body == {"subject": "user#ada", "deleted": True}
    assert cloud.call(MODULE, "DELETE", "/usage/limits/user/ada", ADMIN).status == 404
    assert len(get(cloud, "/usage/limits").body["limits"]) == 3


@pytest.mark.parametrize(
    "limit",
    [
        {},
        {"budgetPeriod": "day"},
        {"requestsPerMinute": None},
        {"requestsPerMinute": 0},
        {"requestsPerMinute": -1},
        {"requestsPerMinute": 1.5},
        {"requestsPerMinute": "60"},
        {"requestsPerMinute": True},
        {"tokensPerMinute": 10**13},
        {"budgetUsd": -0.01},
        {"budgetUsd": 1e10},
        {"budgetUsd": "5"},
        {"budgetUsd": 5, "budgetPeriod": "year"},
        [],
    ],
)
def test_bad_limit_is_refused(cloud: Cloud, account: Account, limit: Any) -> None:
    answer = put(cloud, "user/ada", limit)
    assert (answer.status, answer.body["code"]) == (422, "invalid")
    assert account["limits"].scan()["Count"] == 0


@pytest.mark.parametrize("path", ["group/*", "model/smollm2", "user/%20", f"user/{'x' * 257}"])
def test_limit_of_nobody_is_refused(cloud: Cloud, account: Account, path: str) -> None:
    assert put(cloud, path, {"budgetUsd": 1}).status == 422


# ── what is left ──


def test_what_is_left_is_what_the_ledger_says(cloud: Cloud, account: Account) -> None:
    put(cloud, "user/*", {"requestsPerMinute": 60, "budgetUsd": 2})
    commit(account, "user#ada", "cost", Window.MONTH, 500_001)
    commit(account, "user#ada", "requests", Window.MINUTE, 61)
    commit(account, "user#bob", "cost", Window.MONTH, 1)
    requests, cost = get(cloud, "/usage/me", ADA).body["limits"]
    assert (cost["limit"], cost["committed"], cost["remaining"]) == (2, 0.500001, 1.499999)
    assert (cost["subject"], cost["metric"], cost["window"]) == ("user#ada", "cost", "month")
    assert cost["resetsAt"].endswith("-01T00:00:00Z")
    assert (requests["metric"], requests["window"], requests["limit"]) == ("requests", "minute", 60)
    assert requests["remaining"] in (0, 60)  # 60: the minute has just turned


def test_ones_own_limit_replaces_the_default(cloud: Cloud, account: Account) -> None:
    put(cloud, "user/*", {"requestsPerMinute": 60, "budgetUsd": 2})
    put(cloud, "user/ada", {"budgetUsd": 9, "budgetPeriod": "day"})
    limits = get(cloud, "/usage/me", ADA).body["limits"]
    assert [(one["metric"], one["window"], one["limit"]) for one in limits] == [("cost", "day", 9)]


def test_limits_of_groups_and_valid_tokens_are_shown(cloud: Cloud, account: Account) -> None:
    put(cloud, "group/user", {"tokensPerMinute": 100})
    put(cloud, "group/other", {"tokensPerMinute": 100})
    put(cloud, "key/*", {"budgetUsd": 1})
    put(cloud, "key/k2", {"budgetUsd": 2})
    for name, uuid in (("ada", "k1"), ("ada", "k2"), ("bob", "k3")):
        token(account, name, uuid)
    token(account, "ada", "gone", expires_in=-1)
    shown = {(one["subject"], one["metric"], one["limit"]) for one in get(cloud, "/usage/me", ADA).body["limits"]}
    assert shown == {("group#user", "tokens", 100), ("key#k1", "cost", 1), ("key#k2", "cost", 2)}
    of_ada = {one["subject"] for one in get(cloud, "/usage/users/ada").body["limits"]}
    assert of_ada == {"key#k1", "key#k2"}  # nobody but her sign-in tells her groups
