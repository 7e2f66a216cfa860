"""uvicorn's HTTP protocol with an end to headers: it would read and keep any number of them, of any length.

Nor does it know another protocol than HTTP to switch to.
"""

import asyncio

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADERS = 128
MAX_HEAD_BYTES = 64 * 1024  # what the load balancer lets through
ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\ncache-control: no-store\r\n"
    b"connection: close\r\n\r\n"
)


class LimitedHttp(HttpToolsProtocol):
    """Answers 431 in place of the application, and hangs up."""

    _is_head = False
    _head_bytes = 0
    _is_refused = False

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        if not self._is_head:
            self._head_bytes = 0
        elif self._head_bytes > MAX_HEAD_BYTES:  # a header that never ends is not told to us before it does
            self._refuse()

    def _feed(self, data: bytes | memoryview) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                self._ignore_upgrade()
                data = memoryview(data)[upgrade.args[0] :]
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
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_head = False
        if len(self.headers) > MAX_HEADERS or self._is_head_long():
            self._refuse()
            raise HttpParserError("too many headers, or too long ones")  # so that no request is made of them
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise HttpParserError("no proxy")
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _is_head_long(self) -> bool:
        if self._head_bytes <= MAX_HEAD_BYTES:  # of all that was received since the head began
            return False
        return len(self.url) + sum([len(name) + len(value) for name, value in self.headers]) > MAX_HEAD_BYTES

    def send_400_response(self, msg: str) -> None:
        if not self._is_refused:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        self._is_refused = True
        transport: asyncio.Transport = self.transport
        if not transport.is_closing():
            transport.write(ANSWER)
            transport.close()
