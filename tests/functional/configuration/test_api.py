"""The configuration through the handler, versions in DynamoDB."""

from typing import Any

import pytest

from tests.fixtures.control_plane import ADA, ADMIN, Answer, Cloud, Person

DOCUMENT = {
    "enabledComponents": {"showRagLibrary": False, "somethingNew": True},
    "systemBanner": {"isEnabled": True, "text": "Maintenance at 5", "textColor": "#fff", "backgroundColor": "red"},
    "global": {"defaultModel": "smollm2-135m"},
    "maxProjectsPerUser": 7,
    "announcement": {"isEnabled": False, "message": ""},
    "customRatio": 0.25,
}


@pytest.fixture
def table(cloud: Cloud) -> Any:
    cloud.configure(CONFIGURATION_TABLE="configuration")
    return cloud.table("configuration", "configScope", "versionId:N")


def read(cloud: Cloud, query: str = "?configScope=global", person: Person = ADA) -> Answer:
    return cloud.call("functions.configuration.api", "GET", f"/configuration{query}", person)


def save(cloud: Cloud, scope: str = "global", person: Person = ADMIN, **changes: Any) -> Answer:
    body = {"configScope": "global", "changeReason": "test", "configuration": DOCUMENT, **changes}
    return cloud.call("functions.configuration.api", "PUT", f"/configuration/{scope}", person, body)


def test_nothing_saved_shows_the_default(cloud: Cloud, table: Any) -> None:
    (first,) = read(cloud).body
    assert (first["configScope"], first["versionId"]) == ("global", 0)
    assert first["configuration"]["global"] == {"defaultModel": None}
    assert first["configuration"]["maxProjectsPerUser"] == 50
    assert len(first["configuration"]["enabledComponents"]) == 22
    assert read(cloud, "?configScope=other").body == []


@pytest.mark.parametrize("query", ["", "?configScope=", "?other=global"])
def test_scope_is_mandatory(cloud: Cloud, table: Any, query: str) -> None:
    answer = read(cloud, query)
    assert (answer.status, answer.body["code"]) == (400, "bad_request")


def test_saved_document_comes_back_first_with_keys_that_only_its_client_knows(cloud: Cloud, table: Any) -> None:
    assert save(cloud).body == {"status": "ok", "versionId": 1}
    assert save(cloud, versionId=2).body == {"status": "ok", "versionId": 2}
    newest, older = read(cloud).body
    assert (newest["versionId"], older["versionId"]) == (2, 1)
    assert (newest["changedBy"], newest["changeReason"]) == ("root", "test")
    assert float(newest["created_at"]) > 1_700_000_000
    for key in ("systemBanner", "global", "maxProjectsPerUser", "announcement", "customRatio"):
        assert newest["configuration"][key] == DOCUMENT[key]
    components = newest["configuration"]["enabledComponents"]
    assert (components["showRagLibrary"], components["somethingNew"], components["modelLibrary"]) == (False, True, True)


def test_client_of_the_original_counts_from_the_default(cloud: Cloud, table: Any) -> None:
    assert save(cloud, versionId=read(cloud).body[0]["versionId"] + 1).status == 200


@pytest.mark.parametrize("stale", [0, 1, 2])
def test_save_over_an_unseen_version_is_a_conflict(cloud: Cloud, table: Any, stale: int) -> None:
    save(cloud)
    save(cloud)
    answer = save(cloud, versionId=stale)
    assert answer.status == 409
    assert "Reload" in answer.body["message"]
    assert len(read(cloud).body) == 2


def test_changed_by_is_the_caller_whatever_the_body_says(cloud: Cloud, table: Any) -> None:
    save(cloud, changedBy="somebody else")
    assert read(cloud).body[0]["changedBy"] == "root"


@pytest.mark.parametrize("scope", ["global", "ada"])
def test_only_admins_save_whatever_the_scope(cloud: Cloud, table: Any, scope: str) -> None:
    assert save(cloud, scope, ADA, configScope=scope).status == 403
    assert not table.scan()["Items"]


def test_path_and_body_must_name_the_same_scope(cloud: Cloud, table: Any) -> None:
    assert save(cloud, "other").status == 400
    assert save(cloud, "other", configScope=None).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"configuration": None},
        {"configuration": {"systemBanner": {"isEnabled": "perhaps"}}},
        {"configuration": {"maxProjectsPerUser": -1}},
        {"configuration": {"announcement": {"message": "x" * 2001}}},
        {"versionId": "new"},
        {"versionId": -1},
    ],
)
def test_bad_document_is_refused(cloud: Cloud, table: Any, changes: dict[str, Any]) -> None:
    assert save(cloud, **changes).status == 422


def test_document_beyond_the_size_of_a_row_is_refused(cloud: Cloud, table: Any) -> None:
    assert save(cloud, configuration={"notes": "x" * 400_000}).status == 413
