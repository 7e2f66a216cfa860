"""Attacks by how a request is written on the wire: requests in requests, paths, sizes."""

import contextlib
import http.client
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest
from gateway import http_protocol
from gateway.http_protocol import MAX_HEAD_BYTES, MAX_HEADERS
from gateway.routes import ANTHROPIC_PREFIXES, PREFIXES, ROUTES, route_of
from gateway.video_ids import encode
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.account import MANAGEMENT_KEY
from tests.gateway.attacks import ASK, CALLED, client, raw, statuses
from tests.gateway.conftest import World, settings
from tests.gateway.serving import serve_gateway

# ── requests in requests ──

INNER = "GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
SMUGGLING = {
    "CL.TE": "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
    "TE.CL": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n{inner}\r\n0\r\n\r\n",
    "TE.TE": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{inner}",
    "x-TE": "Transfer-Encoding: xchunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n{inner}",
    "space before the colon": "Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n{inner}",
    "tab": "Transfer-Encoding:\tchunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n{inner}",
    "folded": "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n{inner}",
    "two lengths": "Content-Length: {length}\r\nContent-Length: 0\r\n\r\n{inner}",
    "length with a sign": "Content-Length: +0\r\n\r\n{inner}",
    "list of lengths": "Content-Length: 0, {length}\r\n\r\n{inner}",
    "bare line feeds": "Content-Length: {length}\nTransfer-Encoding: chunked\n\n0\n\n{inner}",
    "null": "X-A: \x00\r\nContent-Length: 0\r\n\r\n{inner}",
    "chunk of a negative size": "Transfer-Encoding: chunked\r\n\r\n-1\r\n{inner}",
    "chunk with an odd size": "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n{inner}",
    "chunk with an endless size": "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{inner}",
}


@pytest.mark.parametrize("shape", SMUGGLING)
@pytest.mark.usefixtures("untouched")
def test_no_request_hides_in_another(world: World, shape: str) -> None:
    """It is none at all: a second answer would be one that the balancer gives to somebody else."""
    inner = INNER.format(token=world.token("root"))
    rest = SMUGGLING[shape].replace("{length}", str(len(inner) + 5)).replace("{inner}", inner)
    for route in ("POST /v1/chat/completions", "GET /health"):
        request = f"{route} HTTP/1.1\r\nHost: x\r\n{rest}"
        answer = raw(world, request.encode(), seconds=1.5)
        assert statuses(answer) == [400], answer


H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"  # Java's HttpClient
UPGRADES = {
    "h2c": H2C,
    "websocket": "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
    "unknown": "connection:upgrade\r\nUPGRADE:tea/1\r\n",
}
ASKED = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n{more}"


def framed(body: str, framing: str) -> tuple[str, str]:
    """What ends the head, and the body."""
    if framing == "chunked":
        return "Transfer-Encoding: chunked\r\n\r\n", f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"
    return f"Content-Length: {len(body)}\r\n\r\n", body


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("protocol", UPGRADES)
@pytest.mark.usefixtures("untouched")
def test_no_request_hides_behind_an_upgrade(world: World, protocol: str, framing: str) -> None:
    end, body = framed(INNER.format(token=world.token("root")), framing)
    parts = urlsplit(world.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(ASKED.format(more=UPGRADES[protocol] + end).encode())
        answer = connection.recv(65536)  # so that the body cannot come with the head
        connection.sendall(f"{body}GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        while piece := connection.recv(65536):
            answer += piece
    assert statuses(answer) == [401, 200], answer
    assert b'"object":"list"' not in answer


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("protocol", UPGRADES)
def test_who_offers_an_upgrade_is_answered_as_anybody(world: World, protocol: str, framing: str) -> None:
    end, body = framed(json.dumps({"model": "echo", "messages": ASK}), framing)
    more = f"Authorization: {world.token()}\r\n{UPGRADES[protocol]}"
    request = ASKED.format(more=more + end) + body
    last = ASKED.format(more=more + "Connection: close\r\n" + end) + body
    assert statuses(raw(world, (request + request + last).encode())) == [200, 200, 200]


@pytest.mark.parametrize("more", ["", "Content-Length: 3\r\n", H2C])
def test_nobody_connects_through_the_gateway(world: World, more: str) -> None:
    for target in ("evil.example:80", "/health"):
        request = f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n{more}\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        assert statuses(raw(world, request.encode())) == [400]


@pytest.mark.parametrize(
    "garbage", ["?", "GET http:// HTTP/1.1\r\n", "GET / HTTP/1.1\r\n" + "a:b\r\n" * (MAX_HEADERS + 1)]
)
def test_refusal_is_an_answer_of_its_own(world: World, garbage: str) -> None:
    """It is none in the middle of another answer, which is cut off."""
    body = json.dumps({"model": "endless", "messages": ASK, "stream": True})
    stream = ASKED.format(more=f"Authorization: {world.token()}\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    parts = urlsplit(world.url)
    for request, expected in (("GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 2), (stream, 1)):
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
            connection.sendall(request.encode())
            answer = connection.recv(65536)
            connection.sendall(f"{garbage}\r\n".encode())
            while piece := connection.recv(65536):
                answer += piece
        assert len(statuses(answer)) == expected, answer


# ── paths ──


def spellings(path: str) -> list[str]:
    """A path as somebody before us may take it for the same."""
    first, last = path[1:].split("/")[0], path.rsplit("/", 1)[1]
    start = path.removesuffix(last)
    encoded = f"%{ord(last[0]):02x}{last[1:]}"
    return [
        path.upper(), path.title(), f"/{path}", f"{path}/", f"{path}//", f"{path};x", f"{path}%20", f"{path}%00",
        f"{path}%2f", f"{path}%3f", f"{path}/.", f"{path}/..", f"{path}/../{last}", f"/.{path}", f"/..{path}",
        f"/%2e{path}", f"/%2e%2e{path}", f"/x/..{path}", f"/x/%2e%2e{path}", path.replace("/", "//"),
        path.replace("/", "/./"), path.replace("/", "\\"), path.replace("/", "%2f"), path.replace("/", "/;a=b/"),
        f"{start}{encoded}", f"{start}%25{encoded[1:]}", f"/{first.upper()}{path[1 + len(first):]}", f"*{path}",
        f"http://evil.example{path}", f"//evil.example{path}", path[1:], f"{path}\t", f"{path}#",
        path.replace("o", "\u043e"), path.replace("e", "%C0%65"),
    ]  # fmt: skip


def test_no_other_spelling_of_any_route_exists() -> None:
    for path in ROUTES:
        text = path.decode()
        for spelling in spellings(text):
            found = route_of(spelling.encode())
            if found is not None and spelling != text:
                methods, name = found
                assert b"{id}" in next(known for known, table in ROUTES.items() if table is methods), spelling
                assert name not in ("", "{id}") and "/" not in name


@given(st.sampled_from(sorted(ROUTES)), st.data())
def test_one_changed_byte_is_another_path(path: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(path) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=3).filter(lambda found: found != path[place : place + 1]))
    changed = path[:place] + byte + path[place + 1 :]
    found = route_of(changed)
    if found is not None and changed not in ROUTES:
        assert found[1]  # something is named by the changed segment; the handler looks it up and does nothing else


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/chat/completions", "/v2/serve/model/info", "/anthropic/v1/messages"]
)
@pytest.mark.usefixtures("untouched")
def test_no_other_spelling_is_answered_not_even_to_admins(world: World, path: str) -> None:
    method = next(iter(ROUTES[path.encode()]))
    for spelling in spellings(path):
        head = f"{method} {spelling} HTTP/1.1\r\nHost: x\r\nAuthorization: {world.token('root')}\r\n"
        answer = raw(world, f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        if spelling == f"http://evil.example{path}":
            assert statuses(answer)[0] in (200, 400, 404)  # the absolute form of the same address, says RFC 9112
        elif spelling.endswith("#"):
            assert statuses(answer)[0] in (200, 400, 404)
        else:
            assert statuses(answer)[:1] in ([404], [400]), (spelling, answer[:300])
            assert b'"object":"list"' not in answer


MANAGEMENT = (
    "key/generate", "key/delete", "key/info", "key/update", "model/new", "model/update", "model/delete",
    "config/update", "config/yaml", "get/config/callbacks", "user/new", "user/info", "user/delete", "team/new",
    "organization/new", "customer/new", "budget/new", "spend/logs", "spend/tags", "global/spend", "global/activity",
    "credentials", "guardrails", "guardrails/list", "mcp", "mcp/tools/call", "sso/key/generate", "login",
    "cache/ping", "cache/flushall", "health/services", "health/test_connection", "routes", "settings", "test",
    "utils/transform_request", "debug/memory/summary", "docs", "redoc", "openapi.json", "metrics", "ui", "ui/login",
    "files", "batches", "fine_tuning/jobs", "assistants", "threads", "vector_stores", "pass_through_endpoints",
    "bedrock/model/x/invoke", "vertex-ai/x", "anthropic/v1/messages/batches", "openai/v1/x", "cursor/x", "realtime",
)  # fmt: skip


@pytest.mark.usefixtures("untouched")
def test_management_does_not_exist_under_any_prefix(world: World) -> None:
    with world.http("root") as admin, client(world, MANAGEMENT_KEY, {}) as management:
        for prefix in ("", *PREFIXES, *ANTHROPIC_PREFIXES):
            for path in MANAGEMENT:
                for http in (admin, management):
                    for method in ("GET", "POST"):
                        answer = http.request(method, f"{prefix}/{path}")
                        assert answer.status_code == 404, path
                        assert answer.json()["code"] == "not_found"


@pytest.mark.usefixtures("untouched")
def test_only_the_methods_of_a_route_are_known(world: World) -> None:
    with world.http("root") as http:
        for path, methods in ROUTES.items():
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD"} - set(methods):
                answer = http.request(method, path.decode().replace("{id}", "echo"))
                assert answer.status_code == 405, (method, path)
                assert set(answer.headers["allow"].split(", ")) == set(methods)


@pytest.mark.parametrize(
    "upstream_id", ["..", ".", "../files", "..%2ffiles", "a/b", "a?b=c", "a#b", "a b", "", "\u2025", "x" * 300]
)
@pytest.mark.usefixtures("untouched")
def test_id_of_a_video_is_not_a_path(world: World, upstream_id: str) -> None:
    before = len(world.upstream.seen.paths)
    name = encode("echo", upstream_id)
    with world.http("root") as http:
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/content"), ("POST", "/remix")):
            answer = http.request(
                method, f"/v1/videos/{name}{path}", json={"prompt": "x"} if method == "POST" else None
            )
            assert answer.status_code == 404, path
    assert len(world.upstream.seen.paths) == before


def test_videos_of_models_of_others_do_not_exist(world: World) -> None:
    with world.http("ada") as http:
        assert http.get(f"/v1/videos/{encode('physics', 'video_1')}").status_code == 404
        assert http.get(f"/v1/videos/{encode('stopped', 'video_1')}").status_code == 404


# ── too much ──


def test_head_that_is_too_large_is_431(world: World) -> None:
    start = b"GET /health HTTP/1.1\r\nHost: x\r\n"
    many = b"".join(b"X-%d: a\r\n" % number for number in range(MAX_HEADERS + 1))
    long = b"X-A: " + b"a" * (MAX_HEAD_BYTES + 1) + b"\r\n"
    assert statuses(raw(world, start + many + b"\r\n")) == [431]
    for request in (
        start + long + b"\r\n",
        start + long + long,  # and never an end
        b"GET /" + b"a" * (2 * MAX_HEAD_BYTES + 1),
        b"GET /health?" + b"a" * (MAX_HEAD_BYTES + 1) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        start + many * 500,
    ):
        answer = raw(world, request)
        assert statuses(answer) in ([431], []), answer[:200]  # closed: a client that still sends may miss the answer


CHUNKED = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET /health HTTP/1.1\r\nX-A: ", b"a"),
        (CHUNKED + b"\r\n0\r\nX-A: ", b"a"),
        (CHUNKED + b"\r\n0\r\n", b"X-A: a\r\n"),
    ],
    ids=["header", "trailer", "trailers"],
)
def test_endless_head_or_trailer_is_cut_off(world: World, start: bytes, piece: bytes) -> None:
    parts, sent = urlsplit(world.url), 0
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(start)
        with pytest.raises(ConnectionError):
            while sent < 100 * MAX_HEAD_BYTES:
                connection.sendall(piece * 8192)
                sent += len(piece) * 8192


def test_trailer_is_no_credential(world: World) -> None:
    request = CHUNKED + f"Connection: close\r\n\r\n0\r\nAuthorization: {world.token()}\r\n\r\n".encode()
    assert statuses(raw(world, request)) == [401]


def test_trailers_are_read_and_forgotten(world: World) -> None:
    head = CHUNKED + f"Authorization: {world.token()}\r\n".encode()
    body = json.dumps({"model": "echo", "messages": ASK}).encode()
    rest = b"\r\n%x\r\n%b\r\n0\r\nAuthorization: x\r\nX-A: b\r\n\r\n" % (len(body), body)
    assert statuses(raw(world, head + rest + head + b"Connection: close\r\n" + rest)) == [200, 200]


def test_large_chunks_are_no_trailers(world: World) -> None:
    body = json.dumps({"model": "echo", "messages": ASK, "pad": "x" * 20 * MAX_HEAD_BYTES}).encode()
    head = CHUNKED + f"Authorization: {world.token()}\r\nConnection: close\r\n\r\n".encode()
    assert statuses(raw(world, head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))) == [200]


def test_many_requests_at_once_are_no_long_head(world: World) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: x\r\n"
    many = 4 * MAX_HEAD_BYTES // len(request)
    answer = raw(world, (request + b"\r\n") * many + request + b"Connection: close\r\n\r\n")
    assert statuses(answer) == [200] * (many + 1)


def test_ordinary_heads_pass_also_in_pieces(world: World) -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 400) for number in range(100))
    request = b"GET /health HTTP/1.1\r\nHost: x\r\n" + many + b"Connection: close\r\n\r\n"
    assert statuses(raw(world, request)) == [200]
    parts = urlsplit(world.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), 9000):
            connection.sendall(request[start : start + 9000])
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


# ── too slow ──

BEGUN = "GET /health HTTP/1.1\r\nX-A: b"


def patience_with_heads(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", seconds)


@pytest.mark.parametrize(
    ("before", "expected"), [("", []), ("GET /health HTTP/1.1\r\nHost: x\r\n\r\n", [200])], ids=["first", "next"]
)
def test_half_a_head_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch, before: str, expected: list[int]
) -> None:
    patience_with_heads(monkeypatch, 0.2)
    parts = urlsplit(world.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall((before + BEGUN).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))  # until the connection is closed
    assert statuses(answer) == expected


def test_half_a_head_does_not_cut_off_the_answer_before_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    patience_with_heads(monkeypatch, 0.05)
    body = json.dumps({"model": "slow", "messages": ASK, "stream": True})
    more = f"Authorization: {world.token()}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    answer = raw(world, (ASKED.format(more=more) + BEGUN).encode())
    assert statuses(answer) == [200]
    assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


@pytest.mark.parametrize("sent", ["", "\r\n", "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["new", "empty", "used"])
@pytest.mark.usefixtures("world")
def test_idle_connection_is_kept_for_a_while(sent: str) -> None:
    with serve_gateway(settings(keep_alive_seconds=1)) as url:
        parts, started_at = urlsplit(url), time.monotonic()
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
            connection.sendall(sent.encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
            assert time.monotonic() - started_at > 0.9
    assert statuses(answer) == [200] * sent.count("GET")


def test_connection_may_be_opened_long_before_it_is_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    patience_with_heads(monkeypatch, 0.05)
    connection = http.client.HTTPConnection(world.url.removeprefix("http://"), timeout=20)
    with contextlib.closing(connection):
        connection.connect()
        first = connection.sock
        for _ in range(2):
            time.sleep(0.5)
            connection.request("GET", "/health")
            answer = connection.getresponse()
            assert answer.read() and answer.status == 200
            assert connection.sock is first  # none was opened in its place


# ── the rest ──


def test_keys_over_the_limit_are_refused_without_a_search(world: World) -> None:
    with world.http(None) as http:
        for size in (16 * 1024 + 1, 60_000):
            assert http.get("/v1/models", headers={"Authorization": "a" * size}).status_code == 401


def test_requests_on_one_connection_do_not_share_a_caller(world: World) -> None:
    first = f"GET /v1/models/physics HTTP/1.1\r\nHost: x\r\nAuthorization: {world.token('bob')}\r\n\r\n"
    second = "GET /v1/models/physics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert statuses(raw(world, (first + second).encode())) == [200, 401]


def test_answers_are_not_to_be_kept_by_anybody(world: World) -> None:
    with httpx.Client(base_url=world.url) as http:
        for method, path in CALLED:
            assert http.request(method, path).headers["cache-control"] == "no-store"
