"""The one way out for LiteLLM: our session for upstreams, with its outbound guard, and without redirects or proxies.

LiteLLM makes clients while it is imported, per provider, and through OpenAI's SDK. All that are asynchronous end in one
method of one class, which is ours here. A few providers also call synchronously, to exchange a key for a token: those
calls reach public addresses only.
"""

import contextlib
import importlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import aiohttp

from gateway.outbound import OutboundGuard

Send = Callable[[Any, Any], Awaitable[Any]]


class Outside:
    """What a call of LiteLLM goes out with, whether it did, and the answers that it opened."""

    __slots__ = ("is_asked", "replies", "session")

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.is_asked = False
        self.replies: list[aiohttp.ClientResponse] = []

    @property
    def is_answered(self) -> bool:
        """Whether the provider's last word was an answer, and no error."""
        return bool(self.replies) and self.replies[-1].status < 300

    @property
    def retry_after(self) -> str:
        """What the provider said last about when to come again, in seconds; LiteLLM forgets it."""
        wait = self.replies[-1].headers.get("Retry-After", "") if self.replies else ""
        return wait if wait.isdecimal() else ""


_outside: ContextVar[Outside] = ContextVar("outside")


@contextlib.contextmanager
def calling(session: aiohttp.ClientSession) -> Iterator[Outside]:
    """What LiteLLM calls inside the block goes through this session, and is cut off at its end; outside it cannot call.

    Its own iterators do not close what they read from when they are left early.
    """
    outside = Outside(session)
    token = _outside.set(outside)
    try:
        yield outside
    finally:
        _outside.reset(token)
        for reply in outside.replies:
            reply.close()


def take_over(library: Any) -> None:
    """Puts ours in the place of LiteLLM's way out, also for the clients that exist already."""
    library.disable_aiohttp_trust_env = True  # no proxy from the environment
    transport: Any = importlib.import_module("litellm.llms.custom_httpx.aiohttp_transport").LiteLLMAiohttpTransport
    transport.get_valid_client_session = lambda _: _outside.get().session
    transport.handle_async_request = _watched(transport.handle_async_request)
    httpx: Any = importlib.import_module("httpx")
    library.aclient_session = httpx.AsyncClient(transport=transport(client=_no_session), trust_env=False)
    handlers: Any = importlib.import_module("litellm.llms.custom_httpx.http_handler")
    library.client_session = synchronous = _public_client(httpx)
    handlers.HTTPHandler.client = property(lambda _: synchronous)


def _no_session() -> aiohttp.ClientSession:
    raise RuntimeError("LiteLLM calls with the session of `calling`")


def _watched(original: Send) -> Send:
    async def send(transport: Any, request: Any) -> Any:
        outside = _outside.get()
        outside.is_asked = True
        connect = outside.session.timeout.sock_connect
        request.extensions["timeout"] = {**request.extensions.get("timeout", {}), "connect": connect}
        reply = await original(transport, request)
        outside.replies.append(reply.stream._aiohttp_response)
        reply.headers.pop("location", None)  # a redirect would carry the provider's key to another host
        return reply

    return send


def _public_client(httpx: Any) -> Any:
    """A synchronous client that connects to public addresses only, to the very ones that were checked."""
    httpcore: Any = importlib.import_module("httpcore")

    class PublicBackend(httpcore.SyncBackend):  # type: ignore[misc]
        def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> Any:
            address = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
            OutboundGuard().check(address)
            return super().connect_tcp(address, port, *rest, **more)

    client = httpx.Client(trust_env=False)
    client._transport._pool._network_backend = PublicBackend()
    return client
