"""Which addresses a model may have."""

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lisa.models.endpoints import checked_url, forbidden_among, is_forbidden


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "http://127.0.0.1:8082/v1",
        "http://localhost:11434/v1",
        "http://10.0.3.4/v1",
        "http://[::1]:8080/v1",
        "https://internal-lisa-123.us-east-1.elb.amazonaws.com",
    ],
)
def test_ordinary_endpoints_are_kept(url: str) -> None:
    assert checked_url(url) == url
    assert checked_url(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://169.254.170.2/v2/credentials",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://metadata.google.internal/",
        "http://METADATA.google.internal./",
    ],
)
def test_addresses_that_tell_credentials_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="link-local or metadata"):
        checked_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://models.example/v1",
        "file:///etc/passwd",
        "models.example/v1",
        "http://",
        "http://[::1",
        "http://models.example:port/v1",
        "http://user:secret@models.example/v1",
        "http://models.example/v1?key=1",
        "http://models.example/v1#x",
        "http://models.example/a b",
    ],
)
def test_what_is_no_base_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        checked_url(url)


@given(st.integers(0, 0xFFFF))
def test_no_way_of_writing_a_link_local_address_passes(low: int) -> None:
    address = ipaddress.IPv4Address((169 << 24) + (254 << 16) + low)
    for host in (str(address), str(int(address)), hex(int(address)), f"[::ffff:{address}]"):
        with pytest.raises(ValueError):
            checked_url(f"http://{host}/v1")


@given(st.text())
def test_any_text_is_accepted_or_refused_but_never_crashes(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert "://" in checked_url(text)


def test_a_name_that_leads_to_a_forbidden_address_is_found() -> None:
    assert forbidden_among(["10.0.0.1", "169.254.169.254"])
    assert forbidden_among(["fe80::1%eth0"])
    assert not forbidden_among(["127.0.0.1", "2600::1"])
    assert not forbidden_among([])
    assert is_forbidden(ipaddress.ip_address("224.0.0.1"))
