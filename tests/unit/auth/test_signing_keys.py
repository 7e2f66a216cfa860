"""How rarely the identity provider is asked for its keys, and what happens while it is down."""

from typing import Any

import pytest
from lisa.auth.signing_keys import REFRESH_SECONDS, UNKNOWN_KEY_PAUSE_SECONDS, SigningKeys
from lisa.errors import UnauthorizedError, UnavailableError

from tests.fixtures.identity import EC, RSA, public


class Idp:
    """A provider on a clock that the test moves."""

    def __init__(self, *keys: Any) -> None:
        self.document: Any = public(*keys)
        self.fetches = 0
        self.time = 1000.0
        self.keys = SigningKeys(self.fetch, lambda: self.time)

    def fetch(self) -> dict[str, Any]:
        self.fetches += 1
        if self.document is None:
            raise UnavailableError("down")
        return dict(self.document)


def test_keys_are_fetched_once() -> None:
    idp = Idp(RSA, EC)
    assert [idp.keys.find(kid).kid for kid in ("rsa-1", "ec-1", "rsa-1")] == ["rsa-1", "ec-1", "rsa-1"]
    assert idp.fetches == 1


def test_unknown_key_is_looked_for_once_a_minute_at_most() -> None:
    idp = Idp(RSA)
    for _ in range(50):
        with pytest.raises(UnauthorizedError):
            idp.keys.find("forged")
    assert idp.fetches == 1
    idp.time += UNKNOWN_KEY_PAUSE_SECONDS
    for _ in range(50):
        with pytest.raises(UnauthorizedError):
            idp.keys.find("forged")
    assert idp.fetches == 2


def test_new_key_is_found_after_the_pause() -> None:
    idp = Idp(RSA)
    idp.keys.find("rsa-1")
    idp.document = public(RSA, EC)
    idp.time += UNKNOWN_KEY_PAUSE_SECONDS
    assert idp.keys.find("ec-1").kid == "ec-1"


def test_known_keys_stay_good_while_the_provider_is_down() -> None:
    idp = Idp(RSA)
    idp.keys.find("rsa-1")
    idp.document = None
    idp.time += 10 * REFRESH_SECONDS
    assert idp.keys.find("rsa-1").kid == "rsa-1"
    assert idp.fetches == 2


def test_withdrawn_key_is_forgotten_within_the_hour() -> None:
    idp = Idp(RSA, EC)
    idp.keys.find("ec-1")
    idp.document = public(RSA)
    idp.time += REFRESH_SECONDS
    with pytest.raises(UnauthorizedError):
        idp.keys.find("ec-1")


def test_provider_that_was_never_reached_is_unavailable_and_asked_again_soon() -> None:
    idp = Idp()
    idp.document = None
    for _ in range(10):
        with pytest.raises(UnavailableError):
            idp.keys.find("rsa-1")
    assert idp.fetches == 1
    idp.document = public(RSA)
    idp.time += 3
    assert idp.keys.find("rsa-1").kid == "rsa-1"


def test_only_key_serves_tokens_that_name_none() -> None:
    assert Idp(RSA).keys.find(None).kid == "rsa-1"
    with pytest.raises(UnauthorizedError):
        Idp(RSA, EC).keys.find(None)


@pytest.mark.parametrize("bad", [None, 3, "x", {}, {"kty": "RSA"}, {"kty": "RSA", "n": 5, "e": None}, {"kty": "PQC"}])
def test_malformed_key_does_not_lock_anybody_out(bad: Any) -> None:
    idp = Idp(RSA)
    idp.document = {"keys": [bad, *public(RSA)["keys"]]}
    assert idp.keys.find("rsa-1").kid == "rsa-1"


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": []}])
def test_odd_document_is_as_no_keys(document: Any) -> None:
    idp = Idp(RSA)
    idp.document = document
    with pytest.raises(UnavailableError):
        idp.keys.find("rsa-1")


def test_key_for_encryption_verifies_nothing() -> None:
    idp = Idp(RSA, EC)
    idp.document["keys"][1]["use"] = "enc"
    with pytest.raises(UnauthorizedError):
        idp.keys.find("ec-1")
