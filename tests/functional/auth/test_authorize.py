"""The authorizer as API Gateway calls it: real signatures, keys over HTTP, rows and secrets in moto."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from lisa.api_tokens.schemas import hash_of

from functions.auth.authorize import handler
from tests.fixtures.control_plane import Cloud, Context, forget
from tests.fixtures.identity import CLIENT_ID, EC, Provider, running_provider, token

ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef01/prod/GET/session"
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/pool"


@dataclass
class World:
    cloud: Cloud
    provider: Provider
    table: Any
    secrets: Any

    def configure_provider(self, **settings: str) -> None:
        document = {"issuer": ISSUER, "clientId": CLIENT_ID, "jwksUrl": f"{self.provider.url}/keys", **settings}
        boto3.client("ssm").put_parameter(Name="/lisa/auth", Value=json.dumps(document), Type="String", Overwrite=True)
        forget()


@pytest.fixture
def world(cloud: Cloud) -> Iterator[World]:
    cloud.configure(AUTH_PARAMETER="/lisa/auth", API_TOKENS_TABLE="tokens", MANAGEMENT_KEY_SECRET="key")
    table = cloud.table(
        "tokens", "token", indexes={"username-index": ("username", ""), "uuid-index": ("tokenUUID", "")}
    )
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="key", SecretString="first-key")
    with running_provider() as provider:
        made = World(cloud, provider, table, secrets)
        made.configure_provider()
        yield made


def authorize(**headers: str) -> dict[str, Any]:
    event = {
        "type": "REQUEST",
        "methodArn": ARN,
        "resource": "/session",
        "path": "/session",
        "httpMethod": "GET",
        "headers": {"Host": "x", **headers},
        "queryStringParameters": {},
        "requestContext": {"stage": "prod", "requestId": "r"},
    }
    return handler(event, Context())  # type: ignore[arg-type]


def effect(answer: dict[str, Any]) -> str:
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Resource"] == "arn:aws:execute-api:us-east-1:123456789012:abcdef01/prod/*"
    return str(statement["Effect"])


def test_signed_in_person_is_allowed_everywhere_in_the_stage(world: World) -> None:
    answer = authorize(Authorization=f"Bearer {token(ISSUER)}")
    assert effect(answer) == "Allow"
    assert answer["context"] == {"username": "ada", "groups": '["user"]', "authType": "jwt"}


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
def test_every_kind_of_credential_works_with_and_without_bearer(world: World, prefix: str) -> None:
    row = {"token": hash_of("raw"), "tokenUUID": "u", "tokenExpiration": int(time.time()) + 99, "username": "bot"}
    world.table.put_item(Item={**row, "groups": ["api"]})
    kinds = [
        authorize(Authorization=prefix + credential)["context"]["authType"]
        for credential in (token(ISSUER), token(ISSUER, EC, "ES256"), "raw", "first-key")
    ]
    assert kinds == ["jwt", "jwt", "api_token", "management"]


def test_api_key_header_works_too(world: World) -> None:
    assert authorize(**{"Api-Key": "first-key"})["context"]["username"] == "lisa-management-token"


def test_previous_management_key_works_after_a_rotation(world: World) -> None:
    world.secrets.put_secret_value(SecretId="key", SecretString="second-key")
    for key in ("first-key", "second-key"):
        assert effect(authorize(Authorization=key)) == "Allow"


@pytest.mark.parametrize(
    "credential",
    ["unknown", "x" * 20_000, "", "Basic YTpi", "a\x00b", token(ISSUER, exp=1), token("https://evil.example")],
)
def test_bad_credential_is_the_unauthorized_that_api_gateway_knows(world: World, credential: str) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(Authorization=credential)


def test_request_without_headers_is_unauthorized(world: World) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler({"type": "REQUEST", "methodArn": ARN, "headers": None}, Context())  # type: ignore[arg-type]


def test_person_outside_the_user_group_is_denied(world: World) -> None:
    world.cloud.configure(USER_GROUP="staff")
    answer = authorize(Authorization=token(ISSUER))
    assert effect(answer) == "Deny"
    assert "context" not in answer


def test_keys_are_fetched_once_for_many_requests(world: World) -> None:
    for number in range(5):
        authorize(Authorization=token(ISSUER, sub=str(number)))
    assert [path for path, _ in world.provider.asked] == ["/keys"]


def test_keys_are_found_by_discovery_when_no_address_is_set(world: World) -> None:
    issuer = world.provider.url
    world.provider.documents["/.well-known/openid-configuration"] = {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
    world.configure_provider(issuer=issuer, jwksUrl="")
    assert effect(authorize(Authorization=token(issuer))) == "Allow"


def test_groups_come_from_userinfo_when_the_token_has_none(world: World) -> None:
    world.provider.documents["/me"] = {"sub": "sub-1", "realm_access": {"roles": ["physicists"]}}
    world.configure_provider(userinfoUrl=f"{world.provider.url}/me", groupsClaim="realm_access.roles")
    signed = token(ISSUER)
    for _ in range(3):
        assert authorize(Authorization=signed)["context"]["groups"] == '["physicists"]'
    assert world.provider.asked.count(("/me", f"Bearer {signed}")) == 1


def test_token_is_not_carried_along_a_redirect(world: World) -> None:
    world.provider.documents["/me"] = f"{world.provider.url}/thief"
    world.configure_provider(userinfoUrl=f"{world.provider.url}/me", groupsClaim="roles")
    with pytest.raises(Exception, match="answered 302"):
        authorize(Authorization=token(ISSUER))
    assert "/thief" not in [path for path, _ in world.provider.asked]


@pytest.mark.parametrize("answer", [500, b"not json", b"[]", b" " * 2_000_000])
def test_broken_provider_is_our_trouble_not_the_callers(world: World, answer: Any) -> None:
    world.provider.documents["/keys"] = answer
    with pytest.raises(Exception) as failure:
        authorize(Authorization=token(ISSUER))
    assert str(failure.value) != "Unauthorized"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "http://127.0.0.1:9/keys"])
def test_only_web_addresses_are_read(world: World, url: str) -> None:
    world.configure_provider(jwksUrl=url)
    with pytest.raises(Exception) as failure:
        authorize(Authorization=token(ISSUER))
    assert str(failure.value) != "Unauthorized"


def test_headers_and_tokens_stay_out_of_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    signed = token(ISSUER)
    authorize(Authorization=signed)
    for bad in (f"{signed}x", "unknown-secret"):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            authorize(Authorization=bad)
    written = "".join(str(vars(record)) for record in caplog.records)
    assert "credential refused" in written
    assert signed not in written
    assert "unknown-secret" not in written
