"""One call of an upstream over a connection of aiohttp's pool.

aiohttp finds the address, connects with TLS under the outbound guard, keeps connections, and parses what comes back.
Its request and response objects are left out: nobody wants their cookies, redirects, compression and proxies here, and
they are a fifth of what a short call costs (docs/decisions/0012).
"""

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDictProxy
from yarl import URL

READ_BUFFER_BYTES = 64 * 1024
MAX_LINE_BYTES, MAX_HEADERS = 8190, 128  # of an answer
MAX_ORIGINS = 1000
SWITCHING_PROTOCOLS, MAX_STATUS = 101, 599


class Reply:
    """An answer that has begun. At the end of `content` the connection goes back by itself; `close` ends it before."""

    __slots__ = ("_connection", "content", "headers", "raw_headers", "status")

    def __init__(
        self,
        connection: aiohttp.connector.Connection,
        message: aiohttp.http.RawResponseMessage,
        content: aiohttp.StreamReader,
    ) -> None:
        self._connection: aiohttp.connector.Connection | None = connection
        self.status: int = message.code
        self.headers: CIMultiDictProxy[str] = message.headers
        self.raw_headers: tuple[tuple[bytes, bytes], ...] = message.raw_headers
        self.content = content
        content.on_eof(self._give_back)

    def _give_back(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.transport is None or connection.transport.get_write_buffer_size():
            connection.close()  # it answered before it had the whole question
        else:
            connection.release()

    def close(self) -> None:
        """Nothing happens at the end of the answer, or a second time."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Upstreams:
    """Calls through a session's connections; `session.timeout` has the time for connecting."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._doors: dict[tuple[str, str | None], aiohttp.ClientRequest] = {}  # the connector asks them where to

    async def send(self, method: str, address: URL, headers: Mapping[str, str], body: bytes) -> Reply:
        """The beginning of an answer. `headers` have no line breaks.

        Raises: aiohttp.ClientError when there is none: no connection, a broken one, or what is not HTTP.
        """
        connection = await self._connect(address)
        try:
            protocol, transport = connection.protocol, connection.transport
            if protocol is None or transport is None or transport.is_closing():
                raise aiohttp.ServerDisconnectedError
            protocol.set_response_params(
                read_until_eof=True,
                auto_decompress=False,
                read_bufsize=READ_BUFFER_BYTES,
                max_line_size=MAX_LINE_BYTES,
                max_field_size=MAX_LINE_BYTES,
                max_headers=MAX_HEADERS,
            )
            transport.write(_head(method, address, headers, len(body)) + body)
            while True:
                message, content = await protocol.read()
                if message.code == SWITCHING_PROTOCOLS:
                    raise aiohttp.ClientConnectionError("an upgrade that nobody asked for")
                if message.code > MAX_STATUS:
                    raise aiohttp.ClientConnectionError("a status that HTTP does not have")
                if message.code >= 200:  # before come announcements, as 100 and 103
                    return Reply(connection, message, content)
        except HttpProcessingError as error:
            connection.close()
            raise aiohttp.ClientConnectionError("not HTTP") from error
        except BaseException:
            connection.close()
            raise

    async def _connect(self, address: URL) -> aiohttp.connector.Connection:
        session = self._session
        connector = session.connector
        if connector is None:
            raise aiohttp.ClientConnectionError("the session is closed")
        origin = address.scheme, address.host_port_subcomponent
        door = self._doors.get(origin)
        if door is None:
            if len(self._doors) >= MAX_ORIGINS:
                self._doors.clear()
            loop = asyncio.get_running_loop()
            door = self._doors[origin] = aiohttp.ClientRequest("GET", address.origin(), loop=loop, session=session)
        try:
            return await connector.connect(door, [], session.timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError("the upstream cannot be connected to in time") from error


def _head(method: str, address: URL, headers: Mapping[str, str], length: int) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    measure = f"Content-Length: {length}\r\n" if length or method == "POST" else ""
    return (
        f"{method} {address.raw_path_qs} HTTP/1.1\r\nHost: {address.host_port_subcomponent}\r\n{lines}{measure}\r\n"
    ).encode()
