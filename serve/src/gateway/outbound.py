"""Which addresses calls to models may reach: asked for each resolved address, right before a connection is made.

A name protects nothing: it may resolve to anything, and differently the next time (DNS rebinding). So what is checked
is what is connected to, whoever wrote it and however: literal, odd spelling, second answer, hop of a redirect.
"""

import errno
import ipaddress
import logging
import socket
from collections.abc import Iterable, Iterator
from typing import Any

from lisa.errors import UpstreamError

from gateway.logs import fields

logger = logging.getLogger(__name__)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


# No setting opens these: credentials of the machine are answered there, or nobody can be meant.
NEVER = _networks(
    *("0.0.0.0/8", "::/128"),  # "this host"
    *("169.254.0.0/16", "fe80::/10"),  # link-local: EC2's metadata and ECS's task credentials among them
    *("fd00:ec2::/32", "fd20:ce::254/128"),  # the same over IPv6, in AWS and at Google
    *("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),  # at Alibaba, Azure and Oracle
    *("224.0.0.0/4", "ff00::/8", "240.0.0.0/4"),  # multicast, reserved, broadcast
)
# IANA's special purpose registries: not the internet, so only where a setting says so.
NOT_PUBLIC = _networks(
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
    *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("2001::/23", "2001:db8::/32", "3fff::/20"),
)
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")  # whatever else there is of IPv6 is special: fc00::/7, ::1, fec0::/10 …
# An IPv4 address in IPv6 clothes is that address; the bits below it that are dropped.
_MAPPED = ((ipaddress.IPv6Network("::ffff:0:0/96"), 0), (ipaddress.IPv6Network("64:ff9b::/96"), 0))
_TUNNELLED = ((ipaddress.IPv6Network("2002::/16"), 80), (ipaddress.IPv6Network("::/96"), 0))
_ISATAP = (0x00005EFE, 0x02005EFE)  # the upper half of an interface id that ends with an IPv4 address


class AddressRefusedError(UpstreamError):
    """The model's address is none that this gateway may call."""

    code = "address_refused"

    def __init__(self) -> None:
        super().__init__(
            "The model's address lies in a network that Serve may not call. An administrator has to correct its"
            " modelUrl, or to allow the network (ALLOWED_NETWORKS)."
        )


class ConnectionRefusedHereError(PermissionError):
    """No connection was tried. An OSError, as clients expect one of a socket; it does not name the address."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "this network may not be called")


class OutboundGuard:
    """Lets through what is public, and what lies in `allowed` and is not in `NEVER`."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def permits(self, address: str) -> bool:
        """`address` is numeric, as a resolver answers; anything else is refused."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return self._permits(found)

    def _permits(self, address: Address) -> bool:
        if _is_in(address, NEVER):
            return False
        if isinstance(address, ipaddress.IPv6Address):
            for network, shift in _MAPPED:
                if address in network:
                    return self._permits(_inner(address, shift))
            inner = list(_tunnelled(address))
            if any(_is_in(one, NEVER) for one in inner):
                return False
            if _is_in(address, self._allowed):
                return True
            return address in PUBLIC_IPV6 and not _is_in(address, NOT_PUBLIC) and all(map(self._permits, inner))
        return _is_in(address, self._allowed) or not _is_in(address, NOT_PUBLIC)

    def check(self, address: str) -> None:
        """Raises: ConnectionRefusedHereError."""
        if not self.permits(address):
            raise ConnectionRefusedHereError

    def socket_for(self, address_info: Any) -> socket.socket:
        """aiohttp's `socket_factory`: called with each resolved address before it is connected to.

        Raises: ConnectionRefusedHereError.
        """
        family, kind, protocol, _, address = address_info
        self.check(str(address[0]))
        return socket.socket(family, kind, protocol)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _inner(address: ipaddress.IPv6Address, shift: int) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(address) >> shift & 0xFFFF_FFFF)


def _tunnelled(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """The IPv4 addresses that routers on the way could unpack."""
    for network, shift in _TUNNELLED:
        if address in network and not address.is_loopback:
            yield _inner(address, shift)
    if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP:
        yield _inner(address, 0)


def networks_in(text: str) -> tuple[Network, ...]:
    """The networks of a setting: CIDRs, separated by commas. Raises: ValueError."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def refusal(error: BaseException, model_id: str) -> AddressRefusedError | None:
    """What to tell when the guard stands behind a client's error, however deeply wrapped; None for other errors."""
    if not any(isinstance(one, ConnectionRefusedHereError) for one in _causes(error)):
        return None
    logger.warning("address of a model refused", extra=fields(model=model_id))
    return AddressRefusedError()


def _causes(error: BaseException | None, seen: frozenset[int] = frozenset()) -> Iterator[BaseException]:
    if error is None or id(error) in seen:
        return
    yield error
    seen |= {id(error)}
    os_error = getattr(error, "os_error", None)  # aiohttp's way to keep it
    for inner in (error.__cause__, error.__context__, os_error if isinstance(os_error, OSError) else None):
        yield from _causes(inner, seen)
