"""Attacks by credentials: of one kind in the place of another, forged, doubled, hidden; on every route."""

import base64
import hashlib
import hmac
import json
import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.gateway.account import MANAGEMENT_KEY
from tests.gateway.attacks import (
    GUARDED,
    raw,
    statuses,
)
from tests.gateway.conftest import World


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def signed_with_a_secret(claims: dict[str, Any], secret: bytes) -> str:
    """By hand: a library would not sign with a public key."""
    start = unsigned({"alg": "HS256", "kid": "k1"}, claims).rpartition(".")[0]
    signature = hmac.new(secret, start.encode(), "sha256").digest()
    return f"{start}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def access_token(world: World, client_id: str) -> str:
    """As Cognito makes them: `client_id` in the place of `aud`."""
    claims = {
        "iss": "https://issuer.example", "client_id": client_id, "token_use": "access", "exp": 4_102_444_800,
        "iat": 1_700_000_000, "sub": "eve", "cognito:groups": ["user", "admin"],
    }  # fmt: skip
    return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, world.control_plane.key)


def misused(world: World) -> dict[str, str]:
    """Credentials of one kind in the place of another, and forged ones."""
    control, ada = world.control_plane, world.token("ada")
    claims = {
        "iss": "https://issuer.example", "aud": "client-1", "token_use": "id", "exp": 4_102_444_800,
        "iat": 1_700_000_000, "sub": "eve", "cognito:groups": ["admin"],
    }  # fmt: skip
    mine = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
    public = control.key.as_pem(private=False)
    numbers = control.key.as_dict(private=False)
    der = rsa.RSAPublicNumbers(
        int.from_bytes(base64.urlsafe_b64decode(str(numbers["e"]) + "==")),
        int.from_bytes(base64.urlsafe_b64decode(str(numbers["n"]) + "==")),
    ).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # fmt: skip
    good = control.token(sub="eve", **{"cognito:groups": ["user"]})
    head, middle, tail = good.split(".")
    found = {
        "hash of an API token": sha256(ada),
        "name of an API token": "uuid-ada",
        "API token in the shape of a JWT": f"eyJ{ada}.{ada}.{ada}",
        "API token with another letter": ada[:-1] + "1",
        "API token twice": f"{ada}{ada}",
        "management key in the shape of a JWT": f"eyJ.{MANAGEMENT_KEY}.x",
        "hash of the management key": sha256(MANAGEMENT_KEY),
        "name of the management user": "lisa-management-token",
        "part of the management key": MANAGEMENT_KEY[:-1],
        "random": str(uuid.uuid4()),
        "access token of another client": access_token(world, "client-2"),
        "id token of another client": control.token(aud="client-2", sub="eve", **{"cognito:groups": ["admin"]}),
        "id token of another issuer": control.token(iss="https://other.example", sub="eve"),
        "id token of an issuer whose name begins alike": control.token(iss="https://issuer.example.evil", sub="eve"),
        "expired": control.token(exp=1_700_000_001, sub="eve"),
        "without an end": control.token(exp="never", sub="eve"),
        "logout": control.token(sub="eve", events={"http://schemas.openid.net/event/backchannel-logout": {}}),
        "nobody's": control.token(sub=""),
        "claims changed": f"{head}.{unsigned({}, claims).split('.')[1]}.{tail}",
        "signature of nothing": f"{head}.{middle}.",
        "signed with a key of one's own": jwt.encode({"alg": "RS256", "kid": "k1"}, claims, mine),
        "key of one's own in the header": jwt.encode(
            {"alg": "RS256", "kid": "k1", "jwk": mine.as_dict(private=False)}, claims, mine
        ),
    }
    for alg in ("none", "None", "NONE", "nOnE", "", None, "RS256 ", "HS256"):
        found[f"alg {alg!r}"] = unsigned({"alg": alg, "kid": "k1", "typ": "JWT"}, claims)
    for name, secret in {"PEM": public, "stripped PEM": public.strip(), "DER": der, "empty": b"\x00"}.items():
        found[f"HS256 with the public key as {name}"] = signed_with_a_secret(claims, secret)
    for kid in (
        "../../../../dev/null",
        "/dev/null",
        "k1' UNION SELECT 'x",
        "k1\x00",
        "http://evil.example/jwks",
        ["k1"],
        1,
    ):
        found[f"kid {kid!r}"] = unsigned({"alg": "RS256", "kid": kid}, claims, b"x" * 256)
    evil = f"{world.url}/health"  # any address that a test would notice to be asked
    for name, value in (("jku", evil), ("x5u", evil), ("x5c", ["MIIB"]), ("crit", ["exp"]), ("zip", "DEF")):
        extra = {"alg": "RS256", "kid": "k2", name: value}
        found[f"header {name}"] = unsigned(extra, claims, b"x" * 256)
    return found


@pytest.mark.usefixtures("untouched")
def test_no_misused_or_forged_credential_opens_any_route(world: World) -> None:
    with world.http(None) as http:
        for name, credential in misused(world).items():
            for headers in (
                {"Authorization": f"Bearer {credential}"},
                {"Api-Key": credential},
                {"x-api-key": credential},
            ):
                answer = http.get("/v1/models", headers=headers)
                assert answer.status_code == 401, name
        for name, credential in misused(world).items():
            for method, path in GUARDED:
                answer = http.request(method, path.replace("{id}", "echo"), headers={"Authorization": credential})
                assert answer.status_code == 401, (name, path)


def test_right_credentials_open_what_they_should(world: World) -> None:
    """So that the test above does not pass because nothing does."""
    token, access = world.control_plane.token, access_token(world, "client-1")
    with world.http(None) as http:
        for credential in (
            world.token("ada"),
            MANAGEMENT_KEY,
            token(sub="eve", **{"cognito:groups": ["user"]}),
            access,
        ):
            for header in ("Authorization", "Api-Key", "x-api-key"):
                answer = http.get("/v1/models", headers={header: credential})
                assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("first", ["nonsense", "Bearer nonsense", "Basic cm9vdDpyb290"])
def test_second_credential_opens_nothing(world: World, first: str) -> None:
    token = world.token("root")
    for name in ("Authorization", "authorization", "AUTHORIZATION"):
        for pair in ((first, f"Bearer {token}"), (f"Bearer {token}", first)):
            lines = "".join(f"{name}: {value}\r\n" for value in pair)
            request = f"GET /v1/models HTTP/1.1\r\nHost: x\r\n{lines}Connection: close\r\n\r\n"
            assert statuses(raw(world, request.encode())) == [401]
    lines = f"Authorization: {first}\r\nApi-Key: {token}\r\n"
    request = f"GET /v1/models HTTP/1.1\r\nHost: x\r\n{lines}Connection: close\r\n\r\n"
    assert statuses(raw(world, request.encode())) == [401]


@pytest.mark.parametrize("place", ["?api_key={}", "?token={}", "?access_token={}", "?Authorization=Bearer%20{}"])
def test_credential_in_the_address_opens_nothing(world: World, place: str) -> None:
    with world.http(None) as http:
        assert http.get("/v1/models" + place.format(world.token("root"))).status_code == 401
        assert http.get("/v1/models", headers={"Cookie": f"token={world.token('root')}"}).status_code == 401
