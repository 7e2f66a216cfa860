"""One call of an upstream: what is sent, what comes back, and what becomes of the connection."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from gateway.relay.upstream import Reply, Upstreams
from yarl import URL

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer key"}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Peer:
    """A server that says what it is told to, byte by byte, and remembers what it was sent."""

    def __init__(self, *answers: bytes, reads_body: bool = True, hangs_up: bool = False) -> None:
        self.answers = list(answers)
        self.reads_body = reads_body
        self.hangs_up = hangs_up
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.lost = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                if self.reads_body:
                    self.bodies.append(await reader.readexactly(self._length()))
                writer.write(self.answers.pop(0))
                await writer.drain()
                if self.hangs_up:
                    return
            await reader.read()  # until the other side closes
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.lost.set()
            writer.close()

    def _length(self) -> int:
        lines = self.heads[-1].lower().split(b"\r\n")
        return next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)


@contextlib.asynccontextmanager
async def listening(
    peer: Serve, own: ssl.SSLContext | None = None, trusted: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Upstreams, URL]]:
    """`own`: the server speaks TLS; `trusted`: whom the client believes, where not the usual authorities."""
    server = await asyncio.start_server(peer, "127.0.0.1", 0, ssl=own)
    connector = aiohttp.TCPConnector(ssl=trusted or True)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        port = server.sockets[0].getsockname()[1]
        yield Upstreams(session), URL(f"http{'s' if own else ''}://127.0.0.1:{port}/v1/chat?v=1")
    server.close()


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For a server, a certificate that nobody knows, and for a client that knows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "upstream")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both = folder / "both.pem"
    both.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(both)
    return own, ssl.create_default_context(cafile=both)


async def ask(upstreams: Upstreams, address: URL, body: bytes = b"{}", method: str = "POST") -> Reply:
    async with asyncio.timeout(60):
        return await upstreams.send(method, address, HEADERS, body)


async def whole(reply: Reply) -> bytes:
    async with asyncio.timeout(60):
        return await reply.content.read()


def is_connected(upstreams: Upstreams) -> bool:
    """Whether the pool has a connection whose end it does not know of yet."""
    connector = upstreams._session.connector
    assert connector is not None
    return any(protocol.is_connected() for kept in connector._conns.values() for protocol, _ in kept)


async def test_request_is_written_as_it_is_given() -> None:
    peer = Peer(OK, OK)
    async with listening(peer) as (upstreams, address):
        await whole(await ask(upstreams, address, b'{"a":1}'))
        await whole(await ask(upstreams, address, b"", "GET"))
    first, second = peer.heads
    assert first.split(b"\r\n") == [
        b"POST /v1/chat?v=1 HTTP/1.1",
        f"Host: 127.0.0.1:{address.port}".encode(),
        b"Content-Type: application/json",
        b"Authorization: Bearer key",
        b"Content-Length: 7",
        b"",
        b"",
    ]
    assert peer.bodies == [b'{"a":1}', b""]
    assert second.startswith(b"GET /v1/chat?v=1 HTTP/1.1\r\n")
    assert b"Content-Length" not in second


async def test_answer_has_status_headers_and_body() -> None:
    sent = b"HTTP/1.1 429 Slow down\r\nRetry-After: 3\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 4\r\n\r\nbusy"
    async with listening(Peer(sent)) as (upstreams, address):
        reply = await ask(upstreams, address)
        assert reply.status == 429
        assert reply.headers["retry-after"] == "3"
        assert [value for name, value in reply.raw_headers if name.lower() == b"x-two"] == [b"a", b"b"]
        assert await whole(reply) == b"busy"


async def test_connection_is_used_again_after_a_whole_answer() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    peer = Peer(OK, chunked, OK)
    async with listening(peer) as (upstreams, address):
        for _ in range(3):
            reply = await ask(upstreams, address)
            assert await whole(reply) == b"hi"
            reply.close()  # changes nothing any more
    assert peer.connections == 1


async def test_calls_are_encrypted_and_connections_kept_over_tls(tmp_path: Path) -> None:
    peer = Peer(OK, OK)
    own, trusted = certified(tmp_path)
    async with listening(peer, own, trusted) as (upstreams, address):
        for _ in range(2):
            assert await whole(await ask(upstreams, address, b"x" * 200_000)) == b"hi"
    assert peer.connections == 1
    assert [len(body) for body in peer.bodies] == [200_000] * 2


async def test_server_that_cannot_prove_who_it_is_gets_nothing(tmp_path: Path) -> None:
    peer = Peer(OK)
    own, _ = certified(tmp_path)
    async with listening(peer, own) as (upstreams, address):
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await ask(upstreams, address)
    assert peer.heads == []


async def test_connection_of_an_answer_that_was_left_is_closed() -> None:
    peer = Peer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    async with listening(peer) as (upstreams, address):
        (await ask(upstreams, address)).close()
        async with asyncio.timeout(60):
            await peer.lost.wait()


async def test_connection_of_a_call_that_was_cancelled_is_closed() -> None:
    peer = Peer(b"")
    async with listening(peer) as (upstreams, address):
        call = asyncio.create_task(ask(upstreams, address))
        while not peer.bodies:  # noqa: ASYNC110 - the server's task sets it
            await asyncio.sleep(0.005)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(60):
            await peer.lost.wait()


async def test_answer_without_a_length_ends_with_its_connection() -> None:
    peer = Peer(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", hangs_up=True)
    async with listening(peer) as (upstreams, address):
        assert await whole(await ask(upstreams, address)) == b"until the end"


async def test_announcements_before_the_answer_are_passed_over() -> None:
    sent = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK
    async with listening(Peer(sent)) as (upstreams, address):
        reply = await ask(upstreams, address)
        assert (reply.status, await whole(reply)) == (200, b"hi")


async def test_answer_cut_short_is_an_error_of_its_body() -> None:
    peer = Peer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", hangs_up=True)
    async with listening(peer) as (upstreams, address):
        reply = await ask(upstreams, address)
        with pytest.raises(aiohttp.ClientPayloadError):
            await whole(reply)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "half a line", "another protocol", "an upgrade", "no status", "a header too long"],
)
async def test_what_is_no_answer_is_a_client_error(answer: bytes) -> None:
    async with listening(Peer(answer, hangs_up=True)) as (upstreams, address):
        with pytest.raises(aiohttp.ClientError):
            await ask(upstreams, address)


async def test_nobody_there_is_a_client_error() -> None:
    async with listening(Peer()) as (upstreams, address):
        pass
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(Upstreams(session), address)
    with pytest.raises(aiohttp.ClientError, match="closed"):
        await ask(upstreams, address)


async def test_connection_that_the_server_closed_meanwhile_is_not_used() -> None:
    peer = Peer(OK, OK, hangs_up=True)
    async with listening(peer) as (upstreams, address):
        await whole(await ask(upstreams, address))
        async with asyncio.timeout(60):
            await peer.lost.wait()
        while is_connected(upstreams):  # noqa: ASYNC110 - the kernel tells
            await asyncio.sleep(0.005)
        assert await whole(await ask(upstreams, address)) == b"hi"
    assert peer.connections == 2


async def test_connection_whose_question_was_not_read_to_its_end_is_not_used_again() -> None:
    peer = Peer(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig", OK, reads_body=False)
    async with listening(peer) as (upstreams, address):
        reply = await ask(upstreams, address, b"x" * 20_000_000)
        assert (reply.status, await whole(reply)) == (413, b"big")
        peer.reads_body = True
        assert await whole(await ask(upstreams, address)) == b"hi"
    assert peer.connections == 2
