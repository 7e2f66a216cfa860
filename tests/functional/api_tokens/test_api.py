"""API tokens through the handler, rows in DynamoDB."""

import hashlib
import time
from typing import Any

import pytest

from tests.fixtures.control_plane import ADA, ADMIN, BOB, Answer, Cloud, Person

API_USER = Person("ada", ("api", "physicists"))
DAY = 24 * 3600


@pytest.fixture
def table(cloud: Cloud) -> Any:
    cloud.configure(API_TOKENS_TABLE="tokens")
    return cloud.table("tokens", "token", indexes={"username-index": ("username", ""), "uuid-index": ("tokenUUID", "")})


def call(cloud: Cloud, method: str, path: str, person: Person | None, body: Any = None) -> Answer:
    return cloud.call("functions.api_tokens.api", method, path, person, body)


def test_own_token_has_the_groups_of_its_owner_and_is_kept_as_a_hash(cloud: Cloud, table: Any) -> None:
    answer = call(cloud, "POST", "/api-tokens", API_USER, {"name": "laptop"})
    made = answer.body
    assert answer.status == 200
    assert (made["username"], made["groups"], made["isSystemToken"]) == ("ada", ["api", "physicists"], False)
    assert len(made["token"]) == 128
    assert abs(made["tokenExpiration"] - time.time() - 90 * DAY) < 60
    (row,) = table.scan()["Items"]
    assert row["token"] == hashlib.sha256(made["token"].encode()).hexdigest()
    assert made["token"] not in str(row)


def test_own_token_needs_the_api_group(cloud: Cloud, table: Any) -> None:
    answer = call(cloud, "POST", "/api-tokens", ADA, {"name": "laptop"})
    assert (answer.status, answer.body["code"]) == (403, "forbidden")
    assert not table.scan()["Items"]


def test_own_token_cannot_choose_its_groups(cloud: Cloud, table: Any) -> None:
    made = call(cloud, "POST", "/api-tokens", API_USER, {"name": "x", "groups": ["admin"], "isSystemToken": True}).body
    assert (made["groups"], made["isSystemToken"]) == (["api", "physicists"], False)


def test_second_valid_token_is_refused(cloud: Cloud, table: Any) -> None:
    call(cloud, "POST", "/api-tokens", API_USER, {"name": "one"})
    assert call(cloud, "POST", "/api-tokens", API_USER, {"name": "two"}).status == 400
    assert call(cloud, "POST", "/api-tokens/ada", ADMIN, {"name": "two"}).status == 400
    assert len(table.scan()["Items"]) == 1


def test_expired_token_does_not_stand_in_the_way(cloud: Cloud, table: Any) -> None:
    table.put_item(Item={"token": "h", "tokenUUID": "u", "tokenExpiration": 1, "username": "ada", "name": "old"})
    assert call(cloud, "POST", "/api-tokens", API_USER, {"name": "new"}).status == 200


def test_admin_makes_any_number_of_system_tokens(cloud: Cloud, table: Any) -> None:
    body = {"name": "ci", "groups": ["api"], "isSystemToken": True, "tokenExpiration": int(time.time()) + DAY}
    for _ in range(2):
        made = call(cloud, "POST", "/api-tokens/robot@example.com", ADMIN, body)
        assert made.status == 200
        assert (made.body["username"], made.body["groups"]) == ("robot@example.com", ["api"])
    assert {row["createdBy"] for row in table.scan()["Items"]} == {"root"}


def test_encoded_username_in_the_path_is_decoded(cloud: Cloud, table: Any) -> None:
    assert call(cloud, "POST", "/api-tokens/a%40b.c", ADMIN, {"name": "x"}).body["username"] == "a@b.c"


def test_only_admins_make_tokens_for_others(cloud: Cloud, table: Any) -> None:
    assert call(cloud, "POST", "/api-tokens/bob", API_USER, {"name": "x"}).status == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "tokenExpiration": 1},
        {"name": "x", "tokenExpiration": int(time.time() * 1000) + 10**12},
        {"name": "x", "tokenExpiration": "soon"},
        {"name": "x", "groups": "admin"},
    ],
)
def test_bad_request_is_refused_naming_the_field(cloud: Cloud, table: Any, body: Any) -> None:
    answer = call(cloud, "POST", "/api-tokens/bob", ADMIN, body)
    assert answer.status == 422
    assert answer.body["details"]


def test_list_shows_own_tokens_and_all_to_an_admin(cloud: Cloud, table: Any) -> None:
    for name in ("ada", "bob"):
        call(cloud, "POST", f"/api-tokens/{name}", ADMIN, {"name": "x"})
    mine = call(cloud, "GET", "/api-tokens", BOB).body["tokens"]
    assert [token["username"] for token in mine] == ["bob"]
    assert not any("token" in token for token in mine)
    assert {t["username"] for t in call(cloud, "GET", "/api-tokens", ADMIN).body["tokens"]} == {"ada", "bob"}


def test_list_reads_every_page(cloud: Cloud, table: Any) -> None:
    with table.batch_writer() as batch:
        for number in range(300):
            row = {"token": f"h{number}", "tokenUUID": f"u{number}", "tokenExpiration": 1, "username": "ada"}
            batch.put_item(Item={**row, "name": "x" * 6000})
    assert len(call(cloud, "GET", "/api-tokens", ADA).body["tokens"]) == 300
    assert len(call(cloud, "GET", "/api-tokens", ADMIN).body["tokens"]) == 300


def test_every_token_is_found_by_its_uuid(cloud: Cloud, table: Any) -> None:
    body = {"name": "x", "isSystemToken": True}
    uuids = [call(cloud, "POST", "/api-tokens/ada", ADMIN, body).body["tokenUUID"] for _ in range(5)]
    for token_uuid in uuids:
        found = call(cloud, "GET", f"/api-tokens/{token_uuid}", ADA)
        assert (found.status, found.body["tokenUUID"], found.body["isExpired"]) == (200, token_uuid, False)


def test_deleted_token_is_gone(cloud: Cloud, table: Any) -> None:
    token_uuid = call(cloud, "POST", "/api-tokens", API_USER, {"name": "x"}).body["tokenUUID"]
    deleted = call(cloud, "DELETE", f"/api-tokens/{token_uuid}", API_USER)
    assert (deleted.status, deleted.body["tokenUUID"]) == (200, token_uuid)
    assert call(cloud, "GET", f"/api-tokens/{token_uuid}", API_USER).status == 404


def test_tokens_of_others_do_not_exist_for_a_user(cloud: Cloud, table: Any) -> None:
    token_uuid = call(cloud, "POST", "/api-tokens/ada", ADMIN, {"name": "x"}).body["tokenUUID"]
    for method in ("GET", "DELETE"):
        assert call(cloud, method, f"/api-tokens/{token_uuid}", BOB).status == 404
    assert call(cloud, "GET", f"/api-tokens/{token_uuid}", ADMIN).status == 200


def test_row_of_an_old_release_is_shown_as_legacy_and_can_be_removed_by_an_admin(cloud: Cloud, table: Any) -> None:
    table.put_item(Item={"token": "old", "username": "ada"})
    (shown,) = call(cloud, "GET", "/api-tokens", ADMIN).body["tokens"]
    assert (shown["isLegacy"], shown["isExpired"]) == (True, True)
    assert call(cloud, "DELETE", f"/api-tokens/{shown['tokenUUID']}", ADA).status == 404
    assert call(cloud, "DELETE", f"/api-tokens/{shown['tokenUUID']}", ADMIN).status == 200


def test_nobody_comes_in_without_an_authorizer(cloud: Cloud, table: Any) -> None:
    assert call(cloud, "GET", "/api-tokens", None).status == 401
