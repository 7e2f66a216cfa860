"""What the gateway connects to, whoever wrote the address and however; with real sockets."""

import contextlib
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from gateway.lifecycle import session
from gateway.outbound import NEVER, NOT_PUBLIC, ConnectionRefusedHereError, OutboundGuard, networks_in, refusal
from gateway.settings import GatewaySettings
from hypothesis import given
from hypothesis import strategies as st
from lisa.settings import SettingsError

from tests.gateway.account import Account, account
from tests.gateway.conftest import PROVIDER_KEY, settings
from tests.gateway.fake_control_plane import FakeControlPlane
from tests.gateway.fake_openai import FakeOpenAi
from tests.gateway.serving import eventually, serve_application, serve_gateway

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
CLOSED = OutboundGuard()
EVERYTHING = OutboundGuard(networks_in("0.0.0.0/0, ::/0"))
METADATA = (
    "169.254.169.254", "169.254.170.2", "169.254.0.1", "fd00:ec2::254", "fd00:ec2::23", "fe80::1", "fe80::1%eth0",
    "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1",
    "::169.254.169.254", "2600::5efe:a9fe:a9fe", "100.100.100.200", "168.63.129.16", "fd20:ce::254",
    "0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1",
)  # fmt: skip
PRIVATE = (
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "::1", "fc00::1", "fdff::1", "fec0::1",
    "2001::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "64:ff9b:1::a00:1", "::ffff:10.0.0.1", "::ffff:7f00:1",
    "64:ff9b::127.0.0.1", "2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1", "2600::5efe:a00:1", "4000::1",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "52.94.133.131", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
    "169.253.255.255", "169.255.0.1", "223.255.255.255", "2606:4700::1111", "2600:1f18::1", "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8", "2002:808:808::1",
)  # fmt: skip


@pytest.mark.parametrize("address", METADATA)
def test_some_addresses_are_refused_whatever_is_allowed(address: str) -> None:
    assert not CLOSED.permits(address)
    assert not EVERYTHING.permits(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused_unless_allowed(address: str) -> None:
    assert not CLOSED.permits(address)
    assert EVERYTHING.permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_reached(address: str) -> None:
    assert CLOSED.permits(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "1.1.1.1 ", "1.1.1.1:80"]
)
def test_only_numeric_addresses_as_resolvers_write_them_are_known(text: str) -> None:
    assert not EVERYTHING.permits(text)


def test_allowed_networks_open_themselves_and_nothing_else() -> None:
    guard = OutboundGuard(networks_in("10.0.0.0/16, fd12::/16,"))
    assert [guard.permits(text) for text in ("10.0.255.1", "::ffff:10.0.0.1", "fd12::1")] == [True] * 3
    assert [guard.permits(text) for text in ("10.1.0.1", "192.168.0.1", "fd13::1", "127.0.0.1")] == [False] * 4


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "everything", "10.0.0.0/8;11.0.0.0/8"])
def test_setting_that_is_no_list_of_networks_stops_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS_TABLE", "models")
    monkeypatch.setenv("ALLOWED_NETWORKS", text)
    GatewaySettings.load.cache_clear()
    with pytest.raises(SettingsError, match="ALLOWED_NETWORKS"):
        GatewaySettings.load()
    GatewaySettings.load.cache_clear()


V4 = st.builds(ipaddress.IPv4Address, st.integers(0, 2**32 - 1))
NOT_REACHED_V4 = st.sampled_from([n for n in (*NEVER, *NOT_PUBLIC) if isinstance(n, ipaddress.IPv4Network)]).flatmap(
    lambda network: st.builds(
        ipaddress.IPv4Address,
        st.integers(int(network.network_address), int(network.broadcast_address)),
    )
)


def _spellings(address: ipaddress.IPv4Address) -> list[str]:
    """An IPv4 address in the ways that operating systems and routers understand."""
    number, parts = int(address), str(address).split(".")
    clothes = [
        0xFFFF << 32 | number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80 | 1,
        0x2002 << 112 | number << 80,
        0x2600 << 112 | 0x5EFE << 32 | number,
        0x2600 << 112 | 0x2005EFE << 32 | number,
    ]
    names = [
        str(number),
        hex(number),
        oct(number).replace("0o", "0"),
        ".".join(hex(int(part)) for part in parts),
        ".".join(f"0{int(part):o}" for part in parts),
        f"{parts[0]}.{number & 0xFFFFFF}",
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
    ]
    resolved = [socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)[0][4][0] for name in names]
    texts = [text for one in clothes for text in (str(ipaddress.IPv6Address(one)), ipaddress.IPv6Address(one).exploded)]
    return [str(address), *map(str, resolved), *texts, f"::ffff:{address}", f"64:ff9b::{address}"]


@given(NOT_REACHED_V4)
def test_no_spelling_opens_an_address(address: ipaddress.IPv4Address) -> None:
    assert [text for text in _spellings(address) if CLOSED.permits(text)] == []


@given(V4)
def test_every_spelling_means_the_same(address: ipaddress.IPv4Address) -> None:
    assert {CLOSED.permits(text) for text in _spellings(address)} == {CLOSED.permits(str(address))}


@given(st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address))
def test_any_ipv6_address_is_judged_as_python_judges_it(address: ipaddress.IPv6Address) -> None:
    if CLOSED.permits(str(address)):
        inner = address.ipv4_mapped
        assert (
            inner.is_global if inner else address.is_global and not address.is_multicast and not address.is_link_local
        )


@given(V4)
def test_any_ipv4_address_is_judged_as_python_judges_it(address: ipaddress.IPv4Address) -> None:
    if CLOSED.permits(str(address)):
        assert address.is_global and not address.is_multicast


class Names(AbstractResolver):
    """A DNS whose owner answers what he likes: per name a list of answers, the last of which stays."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = answers

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        known = self.answers[host.replace(".", "_")]
        addresses = known.pop(0) if len(known) > 1 else known[0]
        return [
            ResolveResult(hostname=host, host=text, port=port, family=socket.AF_INET, proto=0, flags=0)
            for text in addresses
        ]

    async def close(self) -> None:
        pass


class Inside:
    """A server that nobody outside may reach."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.application = web.Application()
        self.application.router.add_route("*", "/{path:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request.path)
        if request.path == "/redirect":
            return web.Response(status=302, headers={"Location": request.query["to"]})
        return web.json_response({"secret": "of the inside"})


@pytest.fixture
def inside() -> Iterator[tuple[Inside, str]]:
    server = Inside()
    with serve_application(server.application) as url:
        yield server, url.rsplit(":", 1)[1]


@pytest.fixture
async def closed() -> AsyncIterator[aiohttp.ClientSession]:
    short: dict[str, Any] = {"connect_seconds": 1}
    async with session(GatewaySettings.model_construct(**short), CLOSED) as client:
        yield client


def _with_names(guard: OutboundGuard, names: Names) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=names, use_dns_cache=False, force_close=True, socket_factory=guard.socket_for
    )
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(sock_connect=2))


async def _is_refused(client: aiohttp.ClientSession, url: str) -> bool:
    """Fails the test when the call ends in any other way than an answer or a refusal."""
    try:
        async with client.get(url) as reply:
            assert reply.status == 200
    except aiohttp.InvalidURL:
        raise
    except aiohttp.ClientError as error:
        assert refusal(error, "m") is not None, error
        assert "127" not in str(error.os_error) if isinstance(error, aiohttp.ClientConnectorError) else True
        return True
    return False


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "0.0.0.0",
        "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::7f00:1]",
        "169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "LOCALHOST", "①②⑦.⓪.⓪.①",
    ],
)  # fmt: skip
async def test_literals_are_refused_before_anything_is_sent(
    closed: aiohttp.ClientSession, inside: tuple[Inside, str], host: str
) -> None:
    server, port = inside
    with contextlib.suppress(ValueError, aiohttp.InvalidURL):  # a spelling that the client itself does not take
        assert await _is_refused(closed, f"http://{host}:{port}/")
    assert server.seen == []


async def test_names_are_refused_by_what_they_resolve_to(inside: tuple[Inside, str]) -> None:
    server, port = inside
    names = Names(
        inside_example=[["127.0.0.1"]], six_example=[["::ffff:127.0.0.1"]], meta_example=[["169.254.169.254"]]
    )
    async with _with_names(CLOSED, names) as client:
        for name in ("inside", "six", "meta"):
            assert await _is_refused(client, f"http://{name}.example:{port}/")
    assert server.seen == []


async def test_name_that_changes_its_mind_is_refused_the_second_time(inside: tuple[Inside, str]) -> None:
    server, port = inside
    guard = OutboundGuard(networks_in("127.0.0.1/32"))
    names = Names(rebinding_example=[["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1", "169.254.169.254"]])
    async with _with_names(guard, names) as client:
        assert not await _is_refused(client, f"http://rebinding.example:{port}/1")
        assert await _is_refused(client, f"http://rebinding.example:{port}/2")
        assert await _is_refused(client, f"http://rebinding.example:{port}/3")
    assert server.seen == ["/1"]


async def test_permitted_address_is_used_beside_refused_ones(inside: tuple[Inside, str]) -> None:
    server, port = inside
    guard = OutboundGuard(networks_in("127.0.0.1/32"))
    async with _with_names(guard, Names(mixed_example=[["169.254.169.254", "127.0.0.2", "127.0.0.1"]])) as client:
        assert not await _is_refused(client, f"http://mixed.example:{port}/")
    assert server.seen == ["/"]


@pytest.mark.parametrize("target", ["http://127.0.0.2:{port}/x", "http://meta.example/x", "http://[::1]:{port}/x"])
async def test_each_hop_of_a_redirect_is_checked(inside: tuple[Inside, str], target: str) -> None:
    server, port = inside
    guard = OutboundGuard(networks_in("127.0.0.1/32"))
    names = Names(meta_example=[["169.254.169.254"]])
    async with _with_names(guard, names) as client:
        to = target.format(port=port)
        assert await _is_refused(client, f"http://127.0.0.1:{port}/redirect?to={to}")
    assert server.seen == ["/redirect"]


def test_refusal_is_found_however_deep_and_cycles_end() -> None:
    outer, inner = ValueError(), RuntimeError()
    outer.__cause__, inner.__context__ = inner, outer
    assert refusal(outer, "m") is None
    inner.__cause__ = ConnectionRefusedHereError()
    assert refusal(outer, "m") is not None


@pytest.fixture(scope="module")
def isolated() -> Iterator[tuple[str, Account, FakeOpenAi, FakeControlPlane]]:
    """A gateway that may reach the internet only, with models whose addresses lie on this machine."""
    upstream, control_plane = FakeOpenAi(), FakeControlPlane()
    with (
        serve_application(upstream.application) as upstream_url,
        serve_application(control_plane.application) as control_url,
        account(control_url) as cloud,
    ):
        cloud.issue("ada", "user")
        for model_id, name in (
            ("passed", "openai/echo"),
            ("anthropic", "anthropic/claude-sonnet-4-5"),
            ("azure", "azure/gpt"),
            ("converse", "bedrock/converse/anthropic.claude-3-haiku-20240307-v1:0"),
            ("invoke", "bedrock/invoke/anthropic.claude-3-haiku-20240307-v1:0"),
            ("titan", "bedrock/amazon.titan-embed-text-v2:0"),
            ("sagemaker", "sagemaker_chat/llama"),
            ("cohere", "cohere/command-r"),
            ("databricks", "databricks/dbrx"),
        ):
            kind = "embedding" if model_id == "titan" else "textgen"
            key = None if model_id in ("converse", "invoke", "titan", "sagemaker") else PROVIDER_KEY
            cloud.register(model_id, name, upstream_url, model_type=kind, api_key=key)
        with serve_gateway(settings(allowed_networks="", api_url=f"{control_url}/prod")) as url:
            eventually(lambda: httpx.get(f"{url}/health/readiness").status_code == 200)
            yield url, cloud, upstream, control_plane


@pytest.mark.usefixtures("litellm_imported")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "model", ["passed", "anthropic", "azure", "converse", "invoke", "titan", "sagemaker", "cohere", "databricks"]
)
def test_no_way_to_a_model_reaches_a_private_address(
    isolated: tuple[str, Account, FakeOpenAi, FakeControlPlane],
    caplog: pytest.LogCaptureFixture,
    model: str,
    stream: bool,
) -> None:
    url, cloud, upstream, _ = isolated
    route, body = "chat/completions", {"model": model, "messages": ASK, "stream": stream}
    if model == "titan":
        route, body = "embeddings", {"model": model, "input": "x"}
    with caplog.at_level(logging.WARNING, "gateway"):
        answer = httpx.post(f"{url}/v1/{route}", json=body, headers={"Api-Key": cloud.tokens["ada"]}, timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (502, "address_refused"), answer.text
    assert "127.0.0.1" not in answer.text
    told = [record for record in caplog.records if record.getMessage() == "address of a model refused"]
    assert told and {getattr(record, "fields", {})["model"] for record in told} == {model}
    assert upstream.seen.paths == []


def test_control_plane_is_reached_all_the_same(
    isolated: tuple[str, Account, FakeOpenAi, FakeControlPlane],
) -> None:
    url, cloud, _, control_plane = isolated
    body = {"model": "passed", "messages": ASK, "lisa": {"repositoryId": "demo"}}
    answer = httpx.post(f"{url}/v1/chat/completions", json=body, headers={"Api-Key": cloud.tokens["ada"]}, timeout=20)
    assert answer.json()["code"] == "address_refused"
    assert len(control_plane.seen.bodies) == 1
