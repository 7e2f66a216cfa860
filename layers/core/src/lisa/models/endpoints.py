"""Which addresses a model may have: never those by which a cloud tells its own credentials."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"})
METADATA_ADDRESSES = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "fd00:ec2::23", "100.100.100.200")))


def checked_url(url: str) -> str:
    """The address without a trailing slash.

    Loopback and private addresses are allowed: models run in the same network, locally on the same machine.
    Raises: ValueError with what to change.
    """
    parts = urlsplit(url)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("modelUrl has no valid port or host") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("modelUrl must be http://… or https://… with a host")
    if parts.username or parts.password:
        raise ValueError("modelUrl must not hold a user or password; send the key as `apiKey`")
    if parts.query or parts.fragment or any(character.isspace() for character in url):
        raise ValueError("modelUrl must be a base address without query, fragment or spaces")
    literal = _address_in(host)
    if host.rstrip(".").lower() in METADATA_NAMES or (literal is not None and is_forbidden(literal)):
        raise ValueError("modelUrl must not be a link-local or metadata address")
    return url.rstrip("/")


def is_forbidden(address: IpAddress) -> bool:
    """True for link-local, metadata, multicast and unspecified addresses, also when written as IPv6."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address == ipaddress.ip_address("255.255.255.255")
        or address in METADATA_ADDRESSES
    )


def forbidden_among(addresses: Iterable[str]) -> bool:
    """True when a name that resolves to these addresses leads to one that is forbidden."""
    return any(is_forbidden(ipaddress.ip_address(address.split("%")[0])) for address in addresses)


def resolve(host: str) -> list[str]:
    """The addresses of a name as this process sees it; [] when it sees none (a name of another network)."""
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def _address_in(host: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        pass
    try:
        # The forms that C libraries read as IPv4: 2852039166, 0xa9fea9fe, 169.254.43518.
        return ipaddress.ip_address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None
