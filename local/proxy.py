"""The one origin of the laptop: API Gateway's part in AWS. `python -m local.proxy`, on the loopback.

Serve's paths go to the gateway, everything else to the deployed REST API in the emulator. Bodies stream both ways.
"""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from local.settings import LocalSettings

SERVE_PATHS = ("/v1", "/v2/serve", "/anthropic", "/health")
HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade")
)
NO_BODY = (204, 304)


class Upstreams:
    """Where a path leads; the API's id is read again when a deployment has changed it."""

    def __init__(self, settings: LocalSettings) -> None:
        self.settings = settings
        self._read_at = 0.0
        self._api_id: str | None = None

    def target(self, raw_path: str) -> tuple[str, URL | None]:
        """The name of the part, and the address there; None while it is not known."""
        path = raw_path.partition("?")[0]
        if any(path == prefix or path.startswith(prefix + "/") for prefix in SERVE_PATHS):
            return "gateway", URL(f"http://127.0.0.1:{self.settings.gateway_port}{raw_path}", encoded=True)
        api_id = self.api_id()
        if api_id is None:
            return "API", None
        stage = f"http://127.0.0.1:{self.settings.emulator_port}/_aws/execute-api/{api_id}/prod"
        return "API", URL(stage + raw_path, encoded=True)

    def api_id(self) -> str | None:
        """The deployed API's id, from the stack's outputs."""
        file: Path = self.settings.stack_file
        with contextlib.suppress(OSError):
            changed = file.stat().st_mtime
            if changed != self._read_at:
                self._api_id, self._read_at = json.loads(file.read_text())["ApiId"], changed
        return self._api_id


UPSTREAMS = web.AppKey("upstreams", Upstreams)
CLIENT = web.AppKey("client", ClientSession)


async def forward(request: web.Request) -> web.StreamResponse:
    """Send the request on, and its answer back, piece by piece."""
    name, url = request.app[UPSTREAMS].target(request.raw_path)
    if url is None:
        return _not_ready(name)
    body = request.content if request.body_exists else None
    response: web.StreamResponse | None = None
    try:
        async with request.app[CLIENT].request(
            request.method, url, headers=_request_headers(request), data=body, allow_redirects=False
        ) as upstream:
            response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
            response.headers.extend(_kept(upstream.headers))
            if upstream.content_length is None and upstream.status not in NO_BODY and request.method != "HEAD":
                response.enable_chunked_encoding()
            await response.prepare(request)
            async for piece in upstream.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response
    except (ClientError, TimeoutError, ConnectionError):
        if response is None:
            return _not_ready(name)
        if request.transport:
            request.transport.abort()  # the answer is cut off: the client must not take it for a whole one
        return response


def _kept(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """All headers but those of one connection."""
    kept: CIMultiDict[str] = CIMultiDict(headers)
    named = {name.strip().lower() for value in kept.getall("Connection", []) for name in value.split(",")}
    for name in HOP_BY_HOP | named | {"transfer-encoding", "server"}:
        kept.popall(name, None)
    return kept


def _request_headers(request: web.Request) -> CIMultiDict[str]:
    headers = _kept(request.headers)
    headers["X-Forwarded-For"] = request.remote or "127.0.0.1"
    headers["X-Forwarded-Proto"] = "http"
    headers["X-Forwarded-Host"] = request.host
    headers.popall("Host", None)
    return headers


def _not_ready(name: str) -> web.Response:
    error = {
        "code": "unavailable",
        "message": f"The {name} is not ready. Try again in a moment; `make status` says more.",
        "requestId": str(uuid.uuid4()),
    }
    return web.json_response(error, status=502, headers={"Retry-After": "2"})


async def _client(app: web.Application) -> AsyncIterator[None]:
    timeout = ClientTimeout(total=None, connect=5)
    async with ClientSession(timeout=timeout, connector=TCPConnector(limit=0), auto_decompress=False) as client:
        app[CLIENT] = client
        yield


def application(settings: LocalSettings) -> web.Application:
    """The proxy as an aiohttp application."""
    app = web.Application(client_max_size=0)
    app[UPSTREAMS] = Upstreams(settings)
    app.cleanup_ctx.append(_client)
    app.router.add_route("*", "/{path:.*}", forward)
    return app


async def _serve(settings: LocalSettings) -> None:
    runner = web.AppRunner(application(settings), handler_cancellation=True, auto_decompress=False, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.port).start()
    with contextlib.suppress(OSError):  # `localhost` is ::1 to some clients, where IPv6 is on
        await web.TCPSite(runner, "::1", settings.port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(LocalSettings.load()))
