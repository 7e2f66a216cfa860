"""What calls use, from the gateway to everybody's own numbers, and the limits that admins set."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import openai as sdk
import pytest
from openai import OpenAI

from tests.e2e.clients import Api, People, aws, eventually

MODEL = "extractive"
HELLO: Any = [{"role": "user", "content": "Say hello."}]


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


def sdk_of(stack: dict[str, Any], person: Api) -> OpenAI:
    token = str(person.headers["Authorization"]).removeprefix("Bearer ")
    return OpenAI(base_url=f"{stack['serve_url']}/v1", api_key=token, max_retries=0, timeout=60)


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


@pytest.mark.parametrize("name", ["{}", "/{}/staff", "{} & sons", "ä.{}@example.com"])
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


def test_a_chat_is_in_ones_own_numbers(stack: dict[str, Any], person: Api, username: str, admin: Api) -> None:
    client, session = sdk_of(stack, person), f"chat-{uuid.uuid4().hex}"
    named = {"x-lisa-session-id": session}
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, extra_headers=named)
    for _ in client.chat.completions.create(model=MODEL, messages=HELLO, stream=True, extra_headers=named):
        pass
    totals = counted(person, 2)["totals"]
    assert totals["requests"] == 2
    assert answer.usage is not None
    assert totals["promptTokens"] >= answer.usage.prompt_tokens
    assert totals["completionTokens"] >= answer.usage.completion_tokens
    sessions = admin.get("/usage?kind=sessions&pageSize=1000").json()["items"]
    assert [item["requests"] for item in sessions if item["name"] == session] == [2]


def test_a_limit_stops_calls_and_shows_the_number_that_did(
    stack: dict[str, Any], person: Api, username: str, admin: Api, limits: list[str]
) -> None:
    client = sdk_of(stack, person)
    limits.append(f"/usage/limits/user/{username}")
    admin.put(limits[0], json={"requestsPerMinute": 1}).raise_for_status()

    def refusal() -> sdk.RateLimitError | None:
        try:
            client.chat.completions.create(model=MODEL, messages=HELLO)
        except sdk.RateLimitError as error:
            return error
        return None

    # Serve hears of the limit within 5 s; at the turn of a minute there is room for one more.
    refused = eventually(refusal, "refusal of the second call in a minute", 30)
    assert refused.code == "rate_limit_exceeded"
    assert 0 < int(refused.response.headers["retry-after"]) <= 60
    (quota,) = person.get("/usage/me").json()["limits"]
    assert (quota["metric"], quota["limit"]) == ("requests", 1)
    assert quota["committed"] <= 1
    assert quota["remaining"] == 1 - quota["committed"]
