"""One request and its answer on raw ASGI."""

import asyncio
import copy
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from lisa.auth.schemas import Caller
from lisa.errors import BadRequestError, TooLargeError

from gateway.errors import ClientLeftError, RequestTimeoutError
from gateway.operations import Operation, Protocol

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = b"application/json"
EVENT_STREAM = b"text/event-stream"
SAFETY = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
# A body over the limit is still read (and dropped) up to this multiple: a client that is cut off while it sends sees
# a broken connection instead of our 413.
DROPPED_MULTIPLE = 10

_numbers = random.Random()  # noqa: S311 - ids tell requests apart, they are no secrets; asking the kernel lets threads in


class Exchange:
    """Knows what was sent already, so that a failure at any point can be told in the right form."""

    __slots__ = (
        "_headers",
        "_send",
        "caller",
        "credential",
        "finished",
        "model_id",
        "operation",
        "path",
        "path_id",
        "receive",
        "request_id",
        "route_name",
        "scope",
        "started_at",
        "status",
        "streaming",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self._send = send
        self._headers: dict[bytes, bytes] | None = None
        self.path: bytes = scope["raw_path"]
        self.path_id = ""  # the segment that names something, where the route has one
        self.operation: Operation | None = None  # on a route that asks a model
        self.request_id = f"{_numbers.getrandbits(128):032x}"
        self.started_at = time.perf_counter()
        self.route_name = ""
        self.caller: Caller | None = None
        self.credential = ""
        self.model_id = ""
        self.status = 0  # 0: nothing was sent yet
        self.streaming = False
        self.finished = False

    def header(self, name: str) -> str | None:
        """A header of the request, by its name in lower case.

        A repeated one is joined, so that a second credential never replaces the first.
        """
        headers = self._headers
        if headers is None:
            sent: Headers = self.scope["headers"]
            headers = self._headers = dict(sent)
            if len(headers) < len(sent):
                headers = self._headers = _joined(sent)
        value = headers.get(name.encode())
        return None if value is None else value.decode("latin-1")

    @property
    def known_caller(self) -> Caller:
        """The caller, on a route that asks who calls."""
        if self.caller is None:
            raise RuntimeError(f"route {self.route_name} has no caller")
        return self.caller

    @property
    def known_operation(self) -> Operation:
        """The operation, on a route that asks a model."""
        if self.operation is None:
            raise RuntimeError(f"route {self.route_name} has no operation")
        return self.operation

    async def body(self, limit: int, seconds: float) -> bytes:
        """The whole body.

        Raises: TooLargeError over `limit` bytes; RequestTimeoutError after `seconds`; BadRequestError for a length that
        is no number; ClientLeftError.
        """
        declared = self.header("content-length")
        if declared is not None:
            if not declared.isdigit():
                raise BadRequestError("Content-Length is not a number.")
            if int(declared) > limit * DROPPED_MULTIPLE:
                raise self._too_large(limit)
        first = self._piece_at_once()
        if first is not None and not first.get("more_body"):
            whole: bytes = first.get("body", b"")
            if len(whole) > limit:
                raise self._too_large(limit)
            return whole
        try:
            async with asyncio.timeout(seconds):
                return await self._rest_of_body(first or await self._next_piece(), limit)
        except TimeoutError:
            raise RequestTimeoutError(f"The body did not arrive within {seconds:g} s. Send it again.") from None

    def _piece_at_once(self) -> Message | None:
        """What is there already: a timer for it would be 3 % of a short call."""
        receiving = self._next_piece()
        try:
            receiving.send(None)
        except StopIteration as received:
            piece: Message = received.value
            return piece
        receiving.close()
        return None

    async def _rest_of_body(self, piece: Message, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            part: bytes = piece.get("body", b"")
            size += len(part)
            if size <= limit:
                parts.append(part)
            else:
                parts.clear()
            if not piece.get("more_body") or size > limit * DROPPED_MULTIPLE:
                break
            piece = await self._next_piece()
        if size > limit:
            raise self._too_large(limit)
        return b"".join(parts)

    async def _next_piece(self) -> Message:
        piece = await self.receive()
        if piece["type"] == "http.disconnect":
            raise ClientLeftError
        return piece

    @staticmethod
    def _too_large(limit: int) -> TooLargeError:
        return TooLargeError(f"The body is over {limit / 1024 / 1024:g} MB. Send less at once.")

    async def answer(self, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """A complete answer; JSON unless `headers` name another content type."""
        given = _with_type(headers, JSON)
        given.append((b"content-length", b"%d" % len(body)))
        await self.start(status, given)
        await self.finish(body)

    async def start_stream(self, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Begins a stream of server-sent events."""
        given = _with_type(headers, EVENT_STREAM)
        given.append((b"x-accel-buffering", b"no"))
        self.streaming = True
        await self.start(200, given)

    async def start(self, status: int, headers: Headers) -> None:
        """Begins an answer that `write` and `finish` complete."""
        self.status = status
        request_id = self.request_id.encode()
        headers.append((b"x-request-id", request_id))
        if self.operation is not None and self.operation.protocol is Protocol.ANTHROPIC:
            headers.append((b"request-id", request_id))  # where Anthropic's SDKs look
        headers += SAFETY
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes) -> None:
        """A piece of the answer's body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes = b"") -> None:
        """The last piece."""
        self.finished = True  # before the last send: the server then tells `receive` that the connection is free
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    def behind(self, send: Send) -> "Exchange":
        """The same request, answered to `send`, which decides what it forwards to this exchange."""
        other = copy.copy(self)
        other._send = send
        return other

    async def forward(self, message: Message) -> None:
        """Sends a part of the answer that was written behind this exchange."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.streaming = dict(message["headers"]).get(b"content-type", b"").startswith(EVENT_STREAM)
        elif not message["more_body"]:
            self.finished = True
        await self._send(message)


def _joined(headers: Headers) -> dict[bytes, bytes]:
    joined: dict[bytes, bytes] = {}
    for name, value in headers:
        joined[name] = b"%b, %b" % (joined[name], value) if name in joined else value
    return joined


def _with_type(headers: Iterable[tuple[bytes, bytes]], content_type: bytes) -> Headers:
    """A list of the same, and of this content type unless they name one."""
    given = list(headers)
    for name, _ in given:
        if name == b"content-type":
            return given
    given.append((b"content-type", content_type))
    return given
