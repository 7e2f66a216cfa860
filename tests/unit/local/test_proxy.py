"""The laptop's one origin: where paths lead, and that bodies stream both ways."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, unused_port

from local.proxy import Upstreams, application
from local.settings import LocalSettings

API_ID = "abc123"


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/v1/chat/completions", "gateway"),
        ("/v2/serve/models?x=1", "gateway"),
        ("/anthropic/v1/messages", "gateway"),
        ("/health", "gateway"),
        ("/health/readiness", "gateway"),
        ("/healthy", "API"),
        ("/v1x", "API"),
        ("/", "API"),
        ("/_ministack/reset", "API"),
    ],
)
def test_where_a_path_leads(tmp_path: Path, path: str, part: str) -> None:
    settings = LocalSettings(home=tmp_path)
    settings.stack_file.write_text(json.dumps({"ApiId": API_ID}))
    name, url = Upstreams(settings).target(path)
    assert name == part
    assert url is not None
    if part == "API":
        assert url.raw_path_qs == f"/_aws/execute-api/{API_ID}/prod{path}"


def test_a_new_deployment_is_noticed(tmp_path: Path) -> None:
    settings = LocalSettings(home=tmp_path)
    upstreams = Upstreams(settings)
    assert upstreams.target("/") == ("API", None)
    settings.stack_file.write_text(json.dumps({"ApiId": "new"}))
    assert "/new/" in str(upstreams.target("/")[1])


class Recorder:
    """An upstream that answers in pieces and tells what it got."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.left = asyncio.Event()
        self.arrived: list[bytes] = []
        self.headers: dict[str, str] = {}

    async def stream(self, request: web.Request) -> web.StreamResponse:
        self.headers = dict(request.headers)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Connection": "x-private", "X-Private": "1"}
        )
        await response.prepare(request)
        try:
            await response.write(b"data: one\n\n")
            await self.go_on.wait()
            await response.write(b"data: two\n\n")
        except (asyncio.CancelledError, ConnectionResetError):
            self.left.set()
            raise
        return response

    async def upload(self, request: web.Request) -> web.Response:
        async for piece in request.content.iter_any():
            self.arrived.append(piece)
            self.go_on.set()
        return web.json_response({"bytes": sum(map(len, self.arrived)), "path": request.raw_path})


@pytest.fixture
async def upstream() -> Recorder:
    return Recorder()


@pytest.fixture
async def proxy(upstream: Recorder, tmp_path: Path) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(client_max_size=0)
    app.router.add_post("/v1/stream", upstream.stream)
    app.router.add_post("/{path:.*}", upstream.upload)
    async with TestServer(app, handler_cancellation=True) as server:
        settings = LocalSettings(home=tmp_path, gateway_port=server.port or 0, emulator_port=server.port or 0)
        settings.stack_file.write_text(json.dumps({"ApiId": API_ID}))
        async with TestClient(TestServer(application(settings), handler_cancellation=True)) as client:
            yield client


async def test_a_piece_arrives_before_the_next_is_written(proxy: TestClient, upstream: Recorder) -> None:  # type: ignore[type-arg]
    async with proxy.post("/v1/stream", headers={"Authorization": "Bearer t"}) as answer:
        assert await asyncio.wait_for(answer.content.readany(), 5) == b"data: one\n\n"
        upstream.go_on.set()
        assert await asyncio.wait_for(answer.content.read(), 5) == b"data: two\n\n"
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert "X-Private" not in answer.headers
    assert upstream.headers["Authorization"] == "Bearer t"
    assert upstream.headers["X-Forwarded-Proto"] == "http"
    assert upstream.headers["X-Forwarded-Host"].startswith("127.0.0.1:")


async def test_the_upstream_is_left_when_the_client_leaves(proxy: TestClient, upstream: Recorder) -> None:  # type: ignore[type-arg]
    async with proxy.post("/v1/stream") as answer:
        await answer.content.readany()
        answer.close()
    await asyncio.wait_for(upstream.left.wait(), 5)


async def test_an_upload_streams_and_may_be_large(proxy: TestClient, upstream: Recorder) -> None:  # type: ignore[type-arg]
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await asyncio.wait_for(upstream.go_on.wait(), 5)  # the first piece is there before the last is sent
        for _ in range(300):
            yield b"x" * 100_000

    async with proxy.post("/repository/a%2Fb/file?name=%C3%BC", data=body()) as answer:
        assert await answer.json() == {
            "bytes": 30_001_000,
            "path": f"/_aws/execute-api/{API_ID}/prod/repository/a%2Fb/file?name=%C3%BC",
        }


async def test_a_part_that_is_down_is_a_clear_error(tmp_path: Path) -> None:
    settings = LocalSettings(home=tmp_path, gateway_port=unused_port())
    async with TestClient(TestServer(application(settings))) as client:
        for path, part in (("/v1/models", "gateway"), ("/models", "API")):
            async with client.get(path) as answer:
                error = await answer.json()
                assert answer.status == 502
                assert error["code"] == "unavailable"
                assert part in error["message"]
                assert error["requestId"]


async def test_an_upstream_that_breaks_off_breaks_the_answer_off(tmp_path: Path) -> None:
    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(broken, "127.0.0.1", 0)
    settings = LocalSettings(home=tmp_path, gateway_port=server.sockets[0].getsockname()[1])
    async with server, TestClient(TestServer(application(settings))) as client:
        with pytest.raises(Exception, match=r"(?i)payload|disconnected|closed"):
            async with client.get("/v1/models") as answer:
                await answer.read()


async def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LISA_PORT", "9000")
    monkeypatch.setenv("LISA_HOME", str(tmp_path))
    settings = LocalSettings.load()
    assert (settings.page_url, settings.outputs_file) == ("http://localhost:9000", tmp_path / "outputs.json")
