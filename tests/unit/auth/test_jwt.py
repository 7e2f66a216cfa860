"""Which tokens of the identity provider are accepted, and what they prove."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey
from lisa.auth.jwt import JwtVerifier, groups_in
from lisa.auth.schemas import OidcProvider
from lisa.auth.signing_keys import SigningKeys
from lisa.errors import UnauthorizedError

from tests.fixtures.identity import CLIENT_ID, EC, OTHER_RSA, RSA, public, token

ISSUER = "https://idp.example/pool"
KEYS = SigningKeys(lambda: public(RSA, EC), time.time)


def verifier(userinfo: Mapping[str, Any] | Exception | None = None, **settings: str) -> JwtVerifier:
    def fetch(_url: str, _token: str) -> Mapping[str, Any]:
        if userinfo is None or isinstance(userinfo, Exception):
            raise userinfo or AssertionError("nobody asked for userinfo")
        return userinfo

    provider = OidcProvider.model_validate({"issuer": ISSUER, "client_id": CLIENT_ID, **settings})
    return JwtVerifier(lambda: provider, KEYS, fetch, time.time)


def part(data: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def test_id_token_names_its_user_and_groups() -> None:
    identity = verifier().verify(token(ISSUER))
    assert (identity.username, sorted(identity.groups)) == ("ada", ["user"])
    assert 200 < identity.expires_at - time.time() <= 300


def test_access_token_of_our_client_gives_the_same_identity() -> None:
    claims: dict[str, Any] = {
        "aud": None,
        "cognito:username": None,
        "client_id": CLIENT_ID,
        "token_use": "access",
        "username": "ada",
    }
    assert verifier().verify(token(ISSUER, **claims)).username == "ada"


def test_elliptic_curve_token_is_accepted() -> None:
    assert verifier().verify(token(ISSUER, EC, "ES256")).username == "ada"


@pytest.mark.parametrize(
    ("claims", "username"),
    [
        ({"username": "other"}, "ada"),
        ({"cognito:username": None, "username": "uma"}, "uma"),
        ({"cognito:username": None}, "sub-1"),
        ({"cognito:username": None, "preferred_username": "root"}, "sub-1"),
    ],
)
def test_username_comes_from_the_first_claim_that_nobody_can_choose(claims: dict[str, Any], username: str) -> None:
    assert verifier().verify(token(ISSUER, **claims)).username == username


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": float("nan")},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": [ISSUER]},
        {"aud": "someone-else"},
        {"aud": None},
        {"aud": None, "client_id": CLIENT_ID},
        {"aud": None, "client_id": "someone-else", "token_use": "access"},
        {"client_id": "someone-else", "token_use": "access"},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        {"sub": None, "cognito:username": None},
        {"cognito:username": "a\x00b"},
        {"cognito:username": "a\nb"},
        {"cognito:username": "a" * 300},
        {"cognito:username": ["ada"]},
    ],
    ids=lambda claims: "-".join(claims),  # no values: each worker collects at a time of its own
)
def test_token_with_a_wrong_claim_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(UnauthorizedError):
        verifier().verify(token(ISSUER, **claims))


def test_expired_token_says_so() -> None:
    with pytest.raises(UnauthorizedError, match="expired"):
        verifier().verify(token(ISSUER, exp=int(time.time()) - 3600))


def test_clocks_may_differ_a_little() -> None:
    moment = int(time.time())
    assert verifier().verify(token(ISSUER, exp=moment - 5, nbf=moment + 5, iat=moment + 5)).username == "ada"


def test_unsigned_token_is_refused() -> None:
    claims = token(ISSUER).split(".")[1]
    for alg in ("none", "None", "NONE", ""):
        with pytest.raises(UnauthorizedError):
            verifier().verify(f"{part({'alg': alg, 'kid': 'rsa-1'})}.{claims}.")


def test_token_signed_with_the_public_key_as_a_secret_is_refused() -> None:
    head, claims = part({"alg": "HS256", "kid": "rsa-1", "typ": "JWT"}), token(ISSUER).split(".")[1]
    for secret in (RSA.as_pem(private=False), json.dumps(RSA.as_dict(private=False)).encode()):
        mac = hmac.digest(secret, f"{head}.{claims}".encode(), hashlib.sha256)
        with pytest.raises(UnauthorizedError):
            verifier().verify(f"{head}.{claims}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


def test_forged_signature_and_changed_claims_are_refused() -> None:
    head, claims, signature = token(ISSUER).split(".")
    forged = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged["cognito:groups"] = ["admin"]
    for bad in (
        token(ISSUER, OTHER_RSA),
        f"{head}.{part(forged)}.{signature}",
        f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
    ):
        with pytest.raises(UnauthorizedError):
            verifier().verify(bad)


def test_key_of_another_kind_or_curve_is_refused() -> None:
    stranger = ECKey.generate_key("P-384", parameters={"kid": "ec-1"})
    for bad in (token(ISSUER, stranger, "ES384"), token(ISSUER, EC, "ES256", header={"kid": "rsa-1"})):
        with pytest.raises(UnauthorizedError):
            verifier().verify(bad)


def test_key_published_for_one_algorithm_serves_no_other() -> None:
    published = {**RSA.as_dict(private=False), "alg": "RS256"}
    keys = SigningKeys(lambda: {"keys": [published]}, time.time)
    provider = OidcProvider(issuer=ISSUER, client_id=CLIENT_ID)
    strict = JwtVerifier(lambda: provider, keys, lambda _url, _token: {}, time.time)
    assert strict.verify(token(ISSUER)).username == "ada"
    with pytest.raises(UnauthorizedError):
        strict.verify(token(ISSUER, alg="RS512"))


def test_key_inside_the_token_is_not_believed() -> None:
    own = OTHER_RSA.as_dict(private=False)
    for header in ({"jwk": own, "kid": None}, {"jwk": own}, {"jku": "https://evil.example/keys"}):
        with pytest.raises(UnauthorizedError):
            verifier().verify(token(ISSUER, OTHER_RSA, header=header))


def test_logout_token_signs_nobody_in() -> None:
    with pytest.raises(UnauthorizedError):
        verifier().verify(token(ISSUER, header={"typ": "logout+jwt"}))


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=200))
def test_nonsense_is_refused_whatever_it_is(text: str) -> None:
    for bad in (text, f"eyJ{text}.{text}.{text}", f"{part({'alg': 'RS256', 'kid': text})}.{part(text)}.{text}"):
        with pytest.raises(UnauthorizedError):
            verifier().verify(bad)


@pytest.mark.parametrize(
    "header",
    [[], "x", 3, None, {"alg": 5}, {"alg": ["RS256"]}, {"alg": "RS256", "kid": {}}, {"alg": "RS256", "crit": ["x"]}],
)
def test_odd_header_is_refused(header: Any) -> None:
    with pytest.raises(UnauthorizedError):
        verifier().verify(f"{part(header)}.{part({})}.AAAA")


def test_deeply_nested_token_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 5000).rstrip(b"=").decode()
    with pytest.raises(UnauthorizedError):
        verifier().verify(f"{deep}.{deep}.AAAA")


@pytest.mark.parametrize(
    ("claims", "path", "groups"),
    [
        ({"cognito:groups": ["a", "b"]}, "cognito:groups", {"a", "b"}),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"https://my.app/groups": ["a"]}, "https://my.app/groups", {"a"}),
        ({"a.b": ["literal"], "a": {"b": ["nested"]}}, "a.b", {"literal"}),
        ({"groups": "single"}, "groups", {"single"}),
        ({"groups": ["a", 3, None, {"x": 1}]}, "groups", {"a"}),
        ({"groups": []}, "groups", set()),
        ({"groups": {"a": 1}}, "groups", None),
        ({"realm_access": "x"}, "realm_access.roles", None),
        ({}, "groups", None),
    ],
)
def test_groups_are_found_by_name_or_path(claims: dict[str, Any], path: str, groups: set[str] | None) -> None:
    assert groups_in(claims, path) == groups


def test_userinfo_tells_the_groups_that_the_token_does_not() -> None:
    profile = {"sub": "sub-1", "realm_access": {"roles": ["physicists"]}}
    checked = verifier(profile, userinfo_url="https://idp.example/me", groups_claim="realm_access.roles")
    assert checked.verify(token(ISSUER)).groups == {"physicists"}


def test_userinfo_is_not_asked_when_the_token_tells_the_groups() -> None:
    assert verifier(userinfo_url="https://idp.example/me").verify(token(ISSUER)).groups == {"user"}


def test_userinfo_about_somebody_else_is_refused() -> None:
    checked = verifier({"sub": "sub-2", "groups": ["admin"]}, userinfo_url="https://i/me", groups_claim="groups")
    with pytest.raises(UnauthorizedError):
        checked.verify(token(ISSUER))


def test_person_whose_token_userinfo_refuses_has_no_groups() -> None:
    checked = verifier(UnauthorizedError("no"), userinfo_url="https://i/me", groups_claim="groups")
    assert checked.verify(token(ISSUER)).groups == frozenset()


def test_symmetric_key_in_the_published_set_is_not_used() -> None:
    secret = OctKey.generate_key(256, parameters={"kid": "oct-1"})
    keys = SigningKeys(lambda: {"keys": [secret.as_dict(), *public(RSA)["keys"]]}, time.time)
    provider = OidcProvider(issuer=ISSUER, client_id=CLIENT_ID)
    with pytest.raises(UnauthorizedError):
        JwtVerifier(lambda: provider, keys, lambda _u, _t: {}, time.time).verify(token(ISSUER, secret, "HS256"))
