"""What calls use, from the queue to everybody's own numbers, and the limits that admins set."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.clients import Api, People, aws, eventually

MODEL = "extractive"


@pytest.fixture
def person(people: People) -> Api:
    return people.new("user")


@pytest.fixture
def username(person: Api) -> str:
    return str(person.get("/usage/me").json()["subject"].removeprefix("user#"))


@pytest.fixture
def limits(admin: Api) -> Iterator[list[str]]:
    """Paths of the limits that a test set: they go with it."""
    made: list[str] = []
    yield made
    for path in made:
        admin.delete(path)


def batch(username: str, calls: int = 1, **fields: Any) -> str:
    record = {
        "requestId": str(uuid.uuid4()),
        "time": datetime.now(UTC).isoformat(),
        "username": username,
        "groups": ["user"],
        "modelId": MODEL,
        "operation": "chat/completions",
        "promptTokens": 100,
        "completionTokens": 20,
        "costMicroUsd": 1500,
    }
    return json.dumps({"batchId": str(uuid.uuid4()), "records": [record | fields] * calls})


def send(stack: dict[str, Any], *texts: str) -> None:
    sqs = aws(stack, "sqs")
    for text in texts:
        sqs.send_message(QueueUrl=stack["usage_queue_url"], MessageBody=text)


def counted(person: Api, requests: int) -> dict[str, Any]:
    """The person's usage once it has so many calls."""

    def probe() -> dict[str, Any] | None:
        usage: dict[str, Any] = person.get("/usage/me").json()
        return usage if usage["totals"]["requests"] >= requests else None

    return eventually(probe, f"counting of {requests} calls", 60)


def test_a_batch_on_the_queue_is_counted_once(stack: dict[str, Any], person: Api, username: str, admin: Api) -> None:
    text = batch(username, calls=3, sessionId=f"s-{username}")
    send(stack, text, "no batch of usage", text, batch(username))
    usage = counted(person, 4)
    assert usage["totals"] == {
        "requests": 4,
        "promptTokens": 400,
        "completionTokens": 80,
        "cachedTokens": 0,
        "costUsd": 0.006,
        "estimatedRequests": 0,
    }
    assert [day["requests"] for day in usage["days"]] == [4]
    send(stack, text, batch(username))
    assert counted(person, 5)["totals"]["requests"] == 5
    assert admin.get(f"/usage/users/{username}").json()["totals"]["requests"] == 5
    sessions = admin.get("/usage?kind=sessions&pageSize=1000").json()
    assert {item["name"]: item["requests"] for item in sessions["items"]}[f"s-{username}"] == 3


def test_admin_sees_everybody_in_pages(stack: dict[str, Any], person: Api, username: str, admin: Api) -> None:
    send(stack, batch(username), batch(f"{username}-b"))
    counted(person, 1)

    def names() -> list[str]:
        found: list[str] = []
        query: dict[str, Any] = {"kind": "users", "pageSize": 1}
        while True:
            page = admin.get("/usage", params=query).json()
            found += [item["name"] for item in page["items"]]
            if not page["nextToken"]:
                return found
            query["nextToken"] = page["nextToken"]

    eventually(lambda: f"{username}-b" in names(), "counting for the other")
    every = names()
    assert len(every) == len(set(every))
    assert username in every


def test_only_admins_see_others_and_set_limits(person: Api, user: Api) -> None:
    for path in ("/usage?kind=users", "/usage/users/admin", "/usage/limits"):
        assert person.get(path).status_code == 403, path
    assert person.put("/usage/limits/user/*", json={"requestsPerMinute": 1}).status_code == 403
    assert user.get("/usage/me").json()["subject"] == "user#user"


@pytest.mark.parametrize("name", ["{}", "{} & sons", "ä.{}@example.com"])
def test_limit_of_any_name_is_set_and_removed(admin: Api, username: str, name: str, limits: list[str]) -> None:
    group = name.format(username)
    path = f"/usage/limits/group/{quote(group, safe='')}"
    limits.append(path)
    answer = admin.put(path, json={"tokensPerMinute": 10, "budgetUsd": 0.25, "budgetPeriod": "day"})
    assert answer.status_code == 200, answer.text
    listed = {limit["name"]: limit for limit in admin.get("/usage/limits").json()["limits"]}
    assert (listed[group]["tokensPerMinute"], listed[group]["budgetUsd"]) == (10, 0.25)
    assert admin.delete(path).json() == {"subject": f"group#{group}", "deleted": True}
    assert admin.delete(path).status_code == 404


def test_limits_that_hold_are_shown_with_what_is_left(
    admin: Api, person: Api, username: str, limits: list[str]
) -> None:
    limits.append(f"/usage/limits/user/{username}")
    admin.put(limits[0], json={"requestsPerMinute": 100, "budgetUsd": 2})
    requests, cost = person.get("/usage/me").json()["limits"]
    assert (requests["metric"], requests["limit"], requests["remaining"]) == ("requests", 100, 100)
    assert (cost["subject"], cost["window"], cost["remaining"]) == (f"user#{username}", "month", 2)
    assert admin.put(limits[0], json={"budgetUsd": -1}).status_code == 422
