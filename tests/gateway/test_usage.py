"""Usage and limits through the running gateway: what is counted, what is refused, what the ledger has at the end."""

import json
import time
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest
from gateway import video_ids

from tests.gateway.conftest import World
from tests.gateway.fake_speaker import FakeSpeaker
from tests.gateway.serving import eventually, serve_application

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
PRICE = {"pricing": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}}
CHAT = {"model": "echo", "messages": ASK}
ROUTES: dict[str, dict[str, Any]] = {
    "chat/completions": CHAT,
    "embeddings": {"model": "minilm", "input": "x"},
    "messages": {"model": "keyless", "messages": ASK, "max_tokens": 5},
    "images/generations": {"model": "echo", "prompt": "x"},
    "rerank": {"model": "echo", "query": "q", "documents": ["a"]},
    f"videos/{video_ids.encode('echo', 'vid-1')}/remix": {"prompt": "a hill"},
}


@pytest.fixture(scope="module")
def priced(world: World) -> World:
    """Models with a price, and callers with limits of their own."""
    up, account = world.upstream_url, world.account
    for name in ("echo", "cut", "gap"):
        account.register(f"priced-{name}", f"openai/{name}", up, **PRICE)
    account.register("priced-both", "lisa/deployments", deployments=[{"modelId": "priced-echo"}])
    limits: dict[str, dict[str, Any]] = {
        **{_three(path): {"requests_per_minute": 3} for path in ROUTES},
        "poor": {"budget_micro_usd": 30_000, "budget_period": "month"},
        "terse": {"tokens_per_minute": 400},
        "late": {"requests_per_minute": 100},
    }
    account.issue("member", "user", "band")
    account.issue("fellow", "user", "band")
    account.limit("group#band", requests_per_minute=2)
    for username, limit in limits.items():
        account.issue(username, "user")
        account.limit(f"user#{username}", **limit)
    eventually(lambda: "priced-both" in {model.id for model in world.sdk().models.list()})
    eventually(lambda: _is_limited(world, "late"))  # so are the others: they are read together
    return world


def _three(path: str) -> str:
    """Who may ask there three times a minute."""
    return f"three-{path.partition('/')[0]}"


def _is_limited(world: World, username: str) -> bool:
    _status(world, username)
    return any(quota.startswith(f"user#{username}|") for quota in world.account.committed())


def _chat(world: World, username: str, model: str, **more: Any) -> Any:
    return world.sdk(username).chat.completions.create(model=model, messages=ASK, **more)


def record_of(world: World, **expected: Any) -> dict[str, Any]:
    """The one record with these values; fails when none arrives."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found.extend(world.account.usage())
        return any(all(record[name] == value for name, value in expected.items()) for record in found)

    eventually(look)
    matching = [record for record in found if all(record[name] == value for name, value in expected.items())]
    assert len(matching) == 1, matching
    return matching[0]


def test_whole_answer_is_counted_with_its_cost(priced: World) -> None:
    answer = priced.sdk().chat.completions.with_raw_response.create(
        model="priced-echo", messages=ASK, extra_headers={"x-lisa-session-id": "s-1"}
    )
    record = record_of(priced, requestId=answer.headers["x-request-id"])
    assert record["username"] == "ada"
    assert record["keyId"] == "uuid-ada"
    assert record["groups"] == ["user"]
    assert (record["promptTokens"], record["completionTokens"]) == (3, 4)
    assert record["costMicroUsd"] == 3 * 1000 + 4 * 2000
    assert (record["sessionId"], record["status"], record["estimated"]) == ("s-1", "completed", False)


def test_session_of_a_name_without_end_is_none(priced: World) -> None:
    answer = priced.sdk().chat.completions.with_raw_response.create(
        model="priced-echo", messages=ASK, extra_headers={"x-lisa-session-id": "s" * 129}
    )
    assert record_of(priced, requestId=answer.headers["x-request-id"])["sessionId"] is None


def test_stream_is_counted_though_nobody_asked_for_its_usage(priced: World) -> None:
    chunks = list(_chat(priced, "ada", "priced-echo", stream=True, user="stream-1"))
    assert all(chunk.usage is None for chunk in chunks)
    assert all(chunk.choices for chunk in chunks)
    record = record_of(priced, modelId="priced-echo", promptTokens=3, username="ada", sessionId=None)
    assert (record["completionTokens"], record["estimated"]) == (4, False)


def test_deployment_that_answered_is_told(priced: World) -> None:
    _chat(priced, "ada", "priced-both")
    record = record_of(priced, modelId="priced-both")
    assert record["deploymentId"] == "priced-echo"
    assert record["costMicroUsd"] == 11_000


def test_stream_cut_by_the_upstream_is_estimated(priced: World) -> None:
    with pytest.raises(openai.APIError):
        list(_chat(priced, "ada", "priced-cut", stream=True))
    record = record_of(priced, modelId="priced-cut")
    assert record["status"] == "cut_short"
    assert record["estimated"]
    assert record["promptTokens"] > 0


def test_call_that_the_client_leaves_is_counted(priced: World) -> None:
    body = {"model": "priced-gap", "messages": ASK, "stream": True}
    with priced.http() as http, http.stream("POST", "/v1/chat/completions", json=body) as answer:
        next(answer.iter_raw())
    record = record_of(priced, modelId="priced-gap")
    assert (record["status"], record["estimated"]) == ("cut_short", True)


def test_refused_call_is_not_counted_as_tokens(priced: World) -> None:
    with pytest.raises(openai.RateLimitError):
        _chat(priced, "bob", "rate-limited")
    record = record_of(priced, username="bob", modelId="rate-limited")
    assert (record["status"], record["promptTokens"], record["costMicroUsd"]) == ("failed", 0, 0)


def test_messages_and_responses_are_counted(priced: World) -> None:
    with anthropic.Anthropic(base_url=priced.url, auth_token=priced.token(), api_key=None, max_retries=0) as claude:
        claude.messages.create(model="keyless", max_tokens=9, messages=ASK)
    record = record_of(priced, operation="messages")
    assert (record["promptTokens"], record["completionTokens"]) == (9, 3)
    priced.sdk().responses.create(model="echo", input="Hi")
    record = record_of(priced, operation="responses")
    assert (record["promptTokens"], record["completionTokens"], record["cachedTokens"]) == (6, 2, 1)


def test_messages_that_begin_without_their_start_get_one(priced: World) -> None:
    speaker = FakeSpeaker()
    speaker.raw = _messages("""
        {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
        {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ud83c\\udf31 Hi"}}
        {"type":"content_block_stop","index":0}
        {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":4}}
        {"type":"message_stop"}""")
    with serve_application(speaker.application) as url:
        priced.account.register("half-a-plant", "openai/half-a-plant", f"{url}/v1", **PRICE)
        eventually(lambda: "half-a-plant" in {model.id for model in priced.sdk().models.list()})
        sdk = anthropic.Anthropic(base_url=priced.url, api_key=priced.account.tokens["ada"], max_retries=0)
        with sdk.messages.stream(model="half-a-plant", max_tokens=9, messages=ASK) as stream:
            message = stream.get_final_message()
    assert message.content[0].type == "text" and message.content[0].text == "🌱 Hi"
    assert (message.model, message.usage.output_tokens) == ("half-a-plant", 4)
    record = record_of(priced, modelId="half-a-plant")
    assert record["promptTokens"] > 0 and record["completionTokens"] == 4
    assert record["estimated"] is True  # nobody told what the question was


def _messages(events: str) -> bytes:
    lines = [line.strip() for line in events.strip().splitlines()]
    return "".join(f"event: {json.loads(line)['type']}\ndata: {line}\n\n" for line in lines).encode()


def test_remix_is_counted_and_looking_at_a_video_is_not(priced: World) -> None:
    made = priced.sdk("bob").videos.create(model="echo", prompt="a hill")
    assert record_of(priced, operation="videos", username="bob")["requests"] == 1
    priced.sdk("bob").videos.retrieve(made.id)
    priced.sdk("bob").videos.remix(made.id, prompt="a tree")
    assert record_of(priced, operation="videos", username="bob")["requests"] == 1


def _refused(world: World, username: str, path: str = "chat/completions") -> tuple[httpx.Response, int]:
    """The first refusal and how many answers came before: up to three times the limit, when minutes end meanwhile."""
    with world.http(username) as http:
        for served in range(10):
            answer = http.post(f"/v1/{path}", json=ROUTES[path])
            if answer.status_code == 429:
                return answer, served
            assert answer.status_code == 200, answer.text
    raise AssertionError("not refused")


@pytest.mark.parametrize("path", ROUTES)
def test_fourth_request_of_a_minute_is_refused_on_every_route(priced: World, path: str) -> None:
    refused, served = _refused(priced, _three(path), path)
    assert served >= 3
    body = refused.json()
    assert body["error"]["type"] == "rate_limit_error"
    assert body["code"] == body["error"]["code"] == "rate_limit_exceeded"
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert body["requestId"]


def test_members_of_a_group_share_its_limit(priced: World) -> None:
    minute, status = -1, 0
    while minute != time.time() // 60:  # one that ends meanwhile tells nothing
        minute = int(time.time() // 60)
        _refused(priced, "member")
        status = _status(priced, "fellow")
    assert status == 429


def test_budget_ends_and_its_ledger_is_what_was_spent(priced: World) -> None:
    codes: list[str] = []
    for _ in range(6):
        try:
            _chat(priced, "poor", "priced-echo", max_tokens=2)
        except openai.RateLimitError as refusal:
            codes.append(json.loads(refusal.response.text)["code"])
    assert codes and set(codes) == {"budget_exceeded"}

    def spent() -> int:
        return sum(value for quota, value in priced.account.committed().items() if quota.startswith("user#poor|cost"))

    eventually(lambda: spent() % 11_000 == 0)  # leases and reservations went back; each call cost 11,000
    assert 0 < spent() <= 33_000


def test_limit_that_cannot_be_kept_tells_of_itself(priced: World) -> None:
    with pytest.raises(openai.RateLimitError) as refusal:
        _chat(priced, "terse", "echo", max_tokens=100_000)
    assert "token" in refusal.value.message


@pytest.fixture
def no_ledger(priced: World) -> Iterator[None]:
    import boto3

    table = boto3.resource("dynamodb").Table("gateway-ledger")
    description = table.meta.client.describe_table(TableName=table.name)["Table"]
    table.delete()
    yield
    table.meta.client.create_table(
        TableName=table.name,
        KeySchema=description["KeySchema"],
        AttributeDefinitions=description["AttributeDefinitions"],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.mark.usefixtures("no_ledger")
def test_without_its_ledger_a_limited_caller_waits_and_others_go_on(priced: World) -> None:
    eventually(lambda: _status(priced, "late") == 503, 20)  # when what it leased is used up
    assert _status(priced, "ada") == 200


def _status(world: World, username: str) -> int:
    with world.http(username) as http:
        return http.post("/v1/chat/completions", json=CHAT).status_code
