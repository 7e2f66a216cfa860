"""uvicorn's HTTP protocol with an end to headers and trailers: it would keep any number of them, of any length.

An idle connection and half a head have an end too, and there is no other protocol than HTTP to switch to.
"""

import asyncio
from collections.abc import Iterable

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADERS = 128
MAX_HEAD_BYTES = 64 * 1024  # what the load balancer lets through
HEAD_SECONDS = 60.0  # for a head, once it has begun
ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\ncache-control: no-store\r\n"
    b"connection: close\r\n\r\n"
)


class LimitedHttp(HttpToolsProtocol):
    """Answers 431 in place of the application, and hangs up."""

    _is_head = False
    _is_trailer = False
    _field_bytes = 0  # received since the head or the trailers began, with the whole piece that they began in
    _piece_bytes = 0
    _is_refused = False
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_timers()  # uvicorn lets its own run on when a connection breaks

    def data_received(self, data: bytes) -> None:
        """In place of uvicorn's, where any byte ends the wait for a request, be it the start of one or not."""
        try:
            for piece in _pieces(data):
                if self._is_refused:
                    return
                self._piece_bytes = len(piece)
                self._field_bytes += len(piece)
                self._feed(piece)
                if (self._is_head or self._is_trailer) and self._field_bytes > 2 * MAX_HEAD_BYTES:
                    self._refuse()  # a field that never ends is not told to us before it does
        except HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        if self._is_head and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.shutdown)  # an answer is not cut off by it

    def _feed(self, piece: bytes | memoryview) -> None:
        while True:
            try:
                self.parser.feed_data(piece)
            except HttpParserUpgrade as upgrade:
                self._ignore_upgrade()
                piece = memoryview(piece)[upgrade.args[0] :]
            else:
                return

    def _ignore_upgrade(self) -> None:
        """As RFC 9110, 7.8, lets a server. The parser took the head for the end of HTTP; another reads it without."""
        lines = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        start = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self.parser.feed_data(b"".join([start, *lines, b"\r\n"]))

    def on_message_begin(self) -> None:
        self._is_head = True
        self._field_bytes = self._piece_bytes
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if len(self.headers) > MAX_HEADERS or self._is_head_long():
            self._refuse()
            raise HttpParserError("too many headers, or too long ones")  # so that no request is made of them
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise HttpParserError("no proxy")
            return
        self._unset_timers()
        super().on_headers_complete()
        self._is_head = False
        self.headers = []  # trailers go here, and nowhere from here: one could name a caller, or never end

    def on_chunk_header(self) -> None:
        self._is_trailer = True  # unless the chunk's own bytes follow
        self._field_bytes = self._piece_bytes

    def on_body(self, body: bytes) -> None:
        self._is_trailer = False
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_trailer = False
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _is_head_long(self) -> bool:
        if self._field_bytes <= MAX_HEAD_BYTES:
            return False
        return len(self.url) + sum([len(name) + len(value) for name, value in self.headers]) > MAX_HEAD_BYTES

    def send_400_response(self, msg: str) -> None:
        if self._is_refused:
            return
        if self._is_unanswered():
            super().send_400_response(msg)
        self.transport.close()

    def _refuse(self) -> None:
        self._is_refused = True
        if self._is_unanswered():
            self.transport.write(ANSWER)
        self.transport.close()

    def _is_unanswered(self) -> bool:
        """Whether an answer to what is being read would not end up in another, or after it."""
        cycle = self.cycle  # of this message, or of the one before this head
        return cycle is None or (cycle.response_complete if self._is_head else not cycle.response_started)

    def _unset_timers(self) -> None:
        self._unset_keepalive_if_required()
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _pieces(data: bytes) -> Iterable[bytes | memoryview]:
    if len(data) <= MAX_HEAD_BYTES:
        return (data,)
    view = memoryview(data)
    return [view[start : start + MAX_HEAD_BYTES] for start in range(0, len(data), MAX_HEAD_BYTES)]
