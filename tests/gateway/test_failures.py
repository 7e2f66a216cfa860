"""What a client sees when something fails, and what an upstream sees when its client leaves."""

import asyncio
import json
import socket
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import httpx
import openai
import pytest
from gateway.app import Gateway
from lisa.errors import BadRequestError, InvalidError

from tests.gateway.conftest import World
from tests.gateway.serving import eventually

ASK: list[Any] = [{"role": "user", "content": "Hi"}]


def post(world: World, body: Any, path: str = "/v1/chat/completions", username: str | None = "ada") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with world.http(username) as http:
        return http.post(path, content=content, headers={"Content-Type": "application/json"})


def shape(answer: httpx.Response) -> dict[str, Any]:
    """The error's own part, once both forms of the body were found to agree."""
    body = answer.json()
    assert body["error"]["code"] == body["code"]
    assert body["error"]["message"] == body["message"] and body["message"]
    assert body["error"]["param"] is None and body["error"]["type"]
    assert body["requestId"] == answer.headers["x-request-id"]
    return dict(body["error"])


def test_missing_and_unknown_credentials_are_told_how_to_get_in(world: World) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Api-Key": "nonsense"}):
        answer = httpx.get(f"{world.url}/v1/models", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert shape(answer)["type"] == "authentication_error"
    with pytest.raises(openai.AuthenticationError, match="unknown"):
        openai.OpenAI(base_url=f"{world.url}/v1", api_key="sk-wrong").models.list()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not valid JSON"),
        (b"", "not valid JSON"),
        (b"[]", "JSON object"),
        (b"\xff\xfe", "not valid JSON"),
        ({"messages": ASK}, "`model`"),
        ({"model": 7, "messages": ASK}, "`model`"),
        ({"model": "echo"}, "`messages`"),
        ({"model": "echo", "messages": []}, "`messages`"),
        ({"model": "echo", "messages": "hi"}, "`messages`"),
        ({"model": "echo", "messages": ["hi"]}, "`messages`"),
        ({"model": "echo", "messages": ASK, "stream": "yes"}, "`stream`"),
    ],
)
def test_bad_bodies_are_explained(world: World, body: Any, says: str) -> None:
    answer = post(world, body)
    assert answer.status_code == 400
    assert says in shape(answer)["message"]


def test_missing_fields_of_the_other_routes_are_named(world: World) -> None:
    assert "`prompt`" in shape(post(world, {"model": "echo"}, "/v1/completions"))["message"]
    assert "`input`" in shape(post(world, {"model": "minilm"}, "/v1/embeddings"))["message"]


@pytest.mark.parametrize("model", ["nobody", "stopped", "physics", "bad-address", "ECHO", "echo\x00", "x" * 5000])
def test_models_that_one_may_not_use_look_unknown(world: World, model: str) -> None:
    answer = post(world, {"model": model, "messages": ASK})
    assert answer.status_code == 404
    assert shape(answer)["code"] == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        world.sdk().chat.completions.create(model=model, messages=ASK)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequestError("`aws\udcff` is refused."), 400),
        (InvalidError("A field is wrong.", [{"field": "\udcff"}]), 500),
        (TypeError("ours"), 500),
    ],
)
async def test_error_that_is_no_text_is_told_and_logged(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    app, logged, sent = Gateway(mock.Mock()), list[int](), list[dict[str, Any]]()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    monkeypatch.setattr(app, "_dispatch", mock.AsyncMock(side_effect=error))
    monkeypatch.setattr(app._access_log, "add", lambda _, status: logged.append(status))
    await app({"type": "http", "raw_path": b"/", "headers": []}, mock.AsyncMock(), send)
    assert logged == [sent[0]["status"]] == [status]
    assert json.loads(sent[1]["body"])["error"]["message"]


def test_wrong_method_names_the_right_one(world: World) -> None:
    with world.http() as http:
        for answer in (http.get("/v1/chat/completions"), http.put("/v1/chat/completions")):
            assert answer.status_code == 405
            assert answer.headers["allow"] == "POST"
            assert shape(answer)["code"] == "method_not_allowed"
        assert http.post("/v1/models").headers["allow"] == "GET"


def test_body_over_the_limit_is_413_and_never_reaches_the_upstream(world: World) -> None:
    calls = len(world.upstream.seen.bodies)
    body = json.dumps({"model": "echo", "messages": ASK, "pad": "x" * (11 * 1024 * 1024)}).encode()
    answer = post(world, body)
    assert answer.status_code == 413
    assert "10 MB" in shape(answer)["message"]
    with world.http() as http:
        chunked = http.post("/v1/chat/completions", content=(body[i : i + 65536] for i in range(0, len(body), 65536)))
    assert chunked.status_code == 413
    assert len(world.upstream.seen.bodies) == calls


def test_body_just_under_the_limit_passes(world: World) -> None:
    assert post(world, {"model": "echo", "messages": ASK, "pad": "x" * (10 * 1024 * 1024 - 200)}).status_code == 200


def test_huge_declared_body_is_refused_before_it_is_sent(world: World) -> None:
    host, port = urlsplit(world.url).hostname, urlsplit(world.url).port
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: {world.token()}\r\n"
            f"Content-Length: {10**13}\r\n\r\n".encode()
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("begun", ["", '{"model"'])
def test_body_that_does_not_arrive_is_408(impatient: World, begun: str) -> None:
    host, port = urlsplit(impatient.url).hostname, urlsplit(impatient.url).port
    with socket.create_connection((host, port), timeout=20) as connection:
        connection.sendall(
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: {impatient.token()}\r\n"
            f"Content-Length: 1000\r\n\r\n{begun}".encode()
        )
        answer = b"".join(iter(lambda: connection.recv(1000), b""))  # until the connection is closed
    assert answer.startswith(b"HTTP/1.1 408")


def test_upstreams_error_keeps_status_body_and_safe_headers(world: World) -> None:
    for stream in (False, True):
        answer = post(world, {"model": "rate-limited", "messages": ASK, "stream": stream})
        assert answer.status_code == 429
        assert answer.json() == {
            "error": {"message": "slow down", "type": "tokens", "code": "rate_limit_exceeded", "param": None}
        }
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["x-ratelimit-limit-tokens"] == "9"
        assert answer.headers["x-lisa-error-source"] == "upstream"
        assert "set-cookie" not in answer.headers and "server" not in answer.headers
    with pytest.raises(openai.RateLimitError, match="slow down"):
        world.sdk().chat.completions.create(model="rate-limited", messages=ASK)


def test_refused_provider_key_does_not_look_like_the_callers(world: World) -> None:
    answer = post(world, {"model": "key-refused", "messages": ASK})
    assert answer.status_code == 401
    assert answer.headers["x-lisa-error-source"] == "upstream"
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("model", ["html", "plain"])
def test_upstreams_error_that_is_not_json_becomes_json_with_its_status(world: World, model: str) -> None:
    answer = post(world, {"model": model, "messages": ASK})
    assert answer.status_code == 503
    assert "answered 503" in shape(answer)["message"]
    assert "<html" not in answer.text
    assert ("model is loading" in answer.text) is (model == "plain")


def test_redirect_is_not_followed(world: World) -> None:
    answer = post(world, {"model": "redirect", "messages": ASK})
    assert answer.status_code == 502
    assert "modelUrl" in shape(answer)["message"]
    assert "location" not in answer.headers
    assert not any("elsewhere" in path for path in world.upstream.seen.paths)


def test_upstream_that_is_not_there_is_502(world: World) -> None:
    answer = post(world, {"model": "gone", "messages": ASK})
    assert answer.status_code == 502
    assert shape(answer)["code"] == "upstream_failed"
    assert "127.0.0.1" not in answer.text


def test_answer_cut_short_is_502_and_not_half_a_json(world: World) -> None:
    answer = post(world, {"model": "half", "messages": ASK})
    assert answer.status_code == 502
    assert "broke off" in shape(answer)["message"] or "cannot be reached" in shape(answer)["message"]


def test_silent_upstream_is_504(impatient: World) -> None:
    answer = post(impatient, {"model": "hang", "messages": ASK})
    assert answer.status_code == 504
    assert shape(answer)["code"] == "upstream_timeout"


@pytest.mark.parametrize(("model", "gateway"), [("cut", "world"), ("unframed-cut", "world"), ("gap", "impatient")])
def test_broken_stream_ends_with_an_error_event_and_without_done(
    request: pytest.FixtureRequest, model: str, gateway: str
) -> None:
    answer = post(request.getfixturevalue(gateway), {"model": model, "messages": ASK, "stream": True})
    events = answer.text.split("\n\n")
    assert events[-1] == ""
    last = json.loads(events[-2].removeprefix("data: "))
    assert last["error"]["type"] == "server_error"
    assert last["requestId"] == answer.headers["x-request-id"]
    assert "[DONE]" not in answer.text
    contents = [json.loads(event.removeprefix("data: "))["choices"][0]["delta"]["content"] for event in events[:-2]]
    assert contents == ["Hel", "lo "]


def test_sdk_raises_when_a_stream_breaks(world: World) -> None:
    with pytest.raises(openai.APIError, match="broke off"):
        list(world.sdk().chat.completions.create(model="cut", messages=ASK, stream=True))


async def test_client_that_leaves_stops_the_upstream_call_at_once(world: World) -> None:
    before = world.upstream.seen.cancelled
    body = {"model": "endless", "messages": ASK, "stream": True}
    async with (
        httpx.AsyncClient(base_url=world.url, headers={"Api-Key": world.token()}, timeout=20) as http,
        http.stream("POST", "/v1/chat/completions", json=body) as answer,
    ):
        assert await anext(answer.aiter_raw())
    await asyncio.to_thread(eventually, lambda: world.upstream.seen.cancelled > before)


async def test_client_that_leaves_before_the_answer_stops_the_upstream_call_too(world: World) -> None:
    seen = world.upstream.seen
    before, asked = seen.cancelled, len(seen.bodies)
    async with httpx.AsyncClient(base_url=world.url, headers={"Api-Key": world.token()}, timeout=20) as http:
        call = asyncio.create_task(http.post("/v1/chat/completions", json={"model": "hang", "messages": ASK}))
        await asyncio.to_thread(eventually, lambda: len(seen.bodies) > asked)
        call.cancel()
        await asyncio.wait([call])
    await asyncio.to_thread(eventually, lambda: seen.cancelled > before)


def test_repeated_key_in_the_body_does_not_reach_another_model(world: World) -> None:
    answer = post(world, b'{"model":"physics","model":"echo","messages":[{"role":"user","content":"x"}]}')
    assert answer.status_code == 200
    assert world.upstream.seen.body["model"] == "echo"
    answer = post(world, b'{"model":"echo","model":"physics","messages":[{"role":"user","content":"x"}]}')
    assert answer.status_code == 404
