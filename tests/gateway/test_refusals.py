"""Attempts to get past the gateway's rules."""

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from gateway.routes import ROUTES

from tests.gateway.conftest import World

ASK: list[Any] = [{"role": "user", "content": "Hi"}]


def raw(world: World, request: bytes) -> bytes:
    """The answer to a request exactly as written."""
    host, port = urlsplit(world.url).hostname, urlsplit(world.url).port
    with socket.create_connection((host, port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(4096)
            if not piece:
                break
            answer += piece
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../v1/models",
        "/v2/serve/../serve/models",
        "/v2/serve/v1/v1/models",
        "/v1/models/echo/..",
        "/v1/models/echo/",
        "/anything",
        "/",
        "/v1",
    ],
)
def test_only_the_one_spelling_of_a_path_exists(world: World, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {world.token('root')}\r\n\r\n"
    assert status(raw(world, request.encode())) == 404


@pytest.mark.parametrize("name", ["%2e%2e", "echo%2f..", "..%2fecho", "physics", "%00", "echo%20", "a'--", "{{7*7}}"])
def test_odd_model_ids_in_the_path_are_unknown_models(world: World, name: str) -> None:
    request = f"GET /v1/models/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: {world.token()}\r\n\r\n"
    assert status(raw(world, request.encode())) == 404


def test_every_route_but_health_asks_who_calls(world: World) -> None:
    with world.http(None) as http:
        for path, methods in ROUTES.items():
            for method, route in methods.items():
                answer = http.request(method, path.decode().replace("{id}", "echo"))
                assert answer.status_code == (200 if route.is_public else 401), path


@pytest.mark.parametrize(
    "fields",
    [
        {"api_base": "http://evil"},
        {"API_BASE": "http://evil"},
        {"apiBase": "http://evil"},
        {"base_url": "http://evil"},
        {"api_key": "x"},
        {"user_config": {}},
        {"custom_llm_provider": "openai"},
        {"model_list": []},
        {"fallbacks": ["physics"]},
        {"extra_headers": {"x": "y"}},
        {"headers": {}},
        {"mock_response": "x"},
        {"aws_sts_endpoint": "http://evil"},
        {"aws_access_key_id": "x"},
        {"vertex_credentials": "/etc/passwd"},
        {"azure_ad_token": "x"},
        {"litellm_params": {"model": "x"}},
        {"metadata": {"api_base": "http://evil"}},
        {"metadata": {"a": [{"b": {"base-url": "http://evil"}}]}},
        {"extra_body": {"api_base": "http://evil"}},
        {"extra_body": {"extra_body": {"user_config": {}}}},
        {"provider_options": [[{"api_key": "x"}]]},
        {"optional_params": {"ssl_verify": False}},
    ],
)
def test_fields_that_could_redirect_the_call_are_refused(world: World, fields: dict[str, Any]) -> None:
    calls = len(world.upstream.seen.bodies) + len(world.anthropic.seen.bodies)
    with world.http("root") as http:
        for model in ("echo", "claude"):
            answer = http.post("/v1/chat/completions", json={"model": model, "messages": ASK, **fields})
            assert answer.status_code == 400
            assert "registration" in answer.json()["message"]
    assert len(world.upstream.seen.bodies) + len(world.anthropic.seen.bodies) == calls


def test_answer_that_nobody_could_fetch_is_refused(world: World) -> None:
    calls = len(world.upstream.seen.bodies)
    with world.http() as http:
        answer = http.post("/v1/responses", json={"model": "echo", "input": "Hi", "background": True})
        assert (answer.status_code, "`background`" in answer.json()["message"]) == (400, True)
        assert len(world.upstream.seen.bodies) == calls
        assert http.post("/v1/responses", json={"model": "echo", "input": "Hi", "background": False}).is_success


def deep_list(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def test_endless_nesting_is_refused(world: World) -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = {"a": deep}
    with world.http() as http:
        answer = http.post("/v1/chat/completions", json={"model": "echo", "messages": ASK, "metadata": deep})
        assert answer.status_code == 400
        messages = [{"role": "user", "content": deep_list(300)}]
        assert http.post("/v1/chat/completions", json={"model": "echo", "messages": messages}).status_code == 400
        bottomless = b'{"model":"echo","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        assert http.post("/v1/chat/completions", content=bottomless).status_code == 400


def test_names_inside_what_callers_write_for_the_model_are_theirs(world: World) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"api_key": {}, "headers": {}}}}}
    messages = [{"role": "user", "content": "Hi", "api_base": "mine"}]
    with world.http() as http:
        body = {"model": "echo", "messages": messages, "tools": [tool], "metadata": {"host": "a", "team": "b"}}
        assert http.post("/v1/chat/completions", json=body).status_code == 200


@pytest.mark.parametrize("route", ["chat/completions", "completions", "embeddings"])
def test_groups_of_a_model_hold_on_every_route(world: World, route: str) -> None:
    body = {"model": "physics", "messages": ASK, "prompt": "x", "input": "x"}
    for username, expected in (("ada", 404), ("bob", 200), ("root", 200)):
        for prefix in ("/v1/", "/v2/serve/", "/v2/serve/v1/"):
            with world.http(username) as http:
                assert http.post(prefix + route, json=body).status_code == expected


def test_groups_hold_for_every_kind_of_credential(world: World) -> None:
    def listed(credential: str) -> set[str]:
        with world.http(None) as http:
            answer = http.get("/v1/models", headers={"Authorization": credential})
            assert answer.status_code == 200, answer.text
            return {model["id"] for model in answer.json()["data"]}

    token = world.control_plane.token
    assert "physics" not in listed(token(sub="u1", **{"cognito:groups": ["user"]}))
    assert "physics" in listed("Bearer " + token(sub="u2", **{"cognito:groups": ["user", "physics"]}))
    assert "physics" not in listed(world.token("ada"))
    assert "physics" in listed("Bearer management-key-of-the-tests")


def test_person_outside_the_user_group_is_forbidden(world: World) -> None:
    outsider = world.control_plane.token(sub="u3", **{"cognito:groups": ["physics"]})
    with world.http(None) as http:
        answer = http.get("/v1/models", headers={"Authorization": f"Bearer {outsider}"})
    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "permission_error"


def test_header_smuggled_in_a_username_does_not_reach_the_upstream(world: World) -> None:
    token = world.control_plane.token(
        sub="u4", **{"cognito:username": "eve\r\nX-Evil: 1 \u2603", "cognito:groups": ["user"]}
    )
    with world.http(None) as http:
        answer = http.post(
            "/v1/chat/completions",
            json={"model": "echo", "messages": ASK},
            headers={"Authorization": f"Bearer {token}"},
        )
    if answer.status_code == 200:
        assert "x-evil" not in world.upstream.seen.headers[-1]
        assert "\n" not in world.upstream.seen.headers[-1]["x-litellm-end-user-id"]
    else:
        assert answer.status_code == 401


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GARBAGE\r\n\r\n",
    ],
)
def test_ambiguous_requests_are_refused(world: World, request_text: str) -> None:
    assert status(raw(world, request_text.encode())) in (400, 401)
