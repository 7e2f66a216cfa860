"""Repositories through the handlers: rows, objects and executions as AWS has them."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from lisa.errors import UnavailableError
from lisa.repositories.transitions import LIMIT
from lisa.schemas import now

from functions.repositories import create_schema, delete_repository_documents, drop_schema
from tests.fixtures.control_plane import ADA, ADMIN, BOB, Answer, Context, Person
from tests.fixtures.shelf import NoTime, Shelf

DOCS = {"repositoryId": "docs", "repositoryName": "Docs", "type": "pgvector", "embeddingModelId": "minilm"}
LIBRARIAN = Person("lib", ("rag-admin", "physics"))
STRANGER = Person("str", ("rag-admin", "biology"))
RDS = {"dbHost": "db.example", "passwordSecretId": "lisa/repositories/db"}


def call(shelf: Shelf, method: str, path: str, person: Person = ADMIN, body: Any = None) -> Answer:
    return shelf.cloud.call("functions.repositories.api", method, path, person, body)


def status_of(shelf: Shelf, repository_id: str = "docs") -> str:
    return str(shelf.repositories.get_item(Key={"repositoryId": repository_id})["Item"]["status"])


def test_creation_writes_the_row_and_starts_the_machine(shelf: Shelf) -> None:
    answer = call(
        shelf, "POST", "/repository", body=DOCS | {"repositoryType": "x", "pipelines": None, "metadata": None}
    )
    assert answer.status == 200
    assert answer.body["status"] == "success"
    assert ":execution:create_repository:" in answer.body["executionArn"]
    assert status_of(shelf) == "CREATE_IN_PROGRESS"
    task = shelf.task("create_repository")
    create_schema.handler(task, None)
    create_schema.handler(task, None)
    assert shelf.index.made == {"docs"}
    shown = call(shelf, "GET", "/repository/docs", ADA).body
    assert (shown["repositoryId"], shown["createdBy"], shown["embeddingModelId"]) == ("docs", "root", "minilm")


def test_taken_id_is_a_conflict(shelf: Shelf) -> None:
    shelf.add_repository()
    answer = call(shelf, "POST", "/repository", body=DOCS)
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert status_of(shelf) == "CREATE_COMPLETE"


@pytest.mark.parametrize("kind", ["opensearch", "bedrock_knowledge_base"])
def test_type_of_a_later_version_is_refused_with_those_that_work(shelf: Shelf, kind: str) -> None:
    answer = call(shelf, "POST", "/repository", body=DOCS | {"type": kind, "opensearchConfig": {"dataNodes": 2}})
    assert answer.status == 422
    assert "pgvector" in answer.body["message"]


@pytest.mark.parametrize("model", ["nope", "chat"])
def test_embedding_model_must_be_one(shelf: Shelf, model: str) -> None:
    answer = call(shelf, "POST", "/repository", body=DOCS | {"embeddingModelId": model})
    assert answer.status == 400
    assert answer.body["details"] == [{"field": "embeddingModelId", "allowed": ["minilm", "titan:0"]}]


@pytest.mark.parametrize(
    "change",
    [
        {"repositoryId": "status"},
        {"repositoryId": "uploads"},
        {"repositoryId": "Docs"},
        {"repositoryId": "a/b"},
        {"repositoryId": "x" * 21},
        {"repositoryId": "..."},
        {"metadata": {"tags": ["a b"]}},
        {"metadata": {"customFields": {"a": "x" * 20_000}}},
        {"pipelines": [{"s3Bucket": "bucket", "s3Prefix": "p", "trigger": "hourly"}]},
        {"rdsConfig": {"dbHost": "db", "passwordSecretId": "x", "dbPort": 99_999}},
        {"rdsConfig": {"dbHost": "db/../x", "passwordSecretId": "x"}},
        {"type": "abacus"},
    ],
)
def test_bad_repository_is_refused(shelf: Shelf, change: dict[str, Any]) -> None:
    assert call(shelf, "POST", "/repository", body=DOCS | change).status == 422
    assert shelf.repositories.scan()["Items"] == []


@pytest.mark.parametrize("trigger", ["event", "daily", "schedule", "EVENT"])
def test_pipelines_are_kept_in_both_vocabularies(shelf: Shelf, trigger: str) -> None:
    old = {"s3Bucket": "bucket", "s3Prefix": "a/", "trigger": trigger, "chunkSize": 1000, "chunkOverlap": 100}
    new = {
        "s3Bucket": "bucket",
        "s3Prefix": "b/",
        "trigger": trigger,
        "chunkingStrategy": {"type": "FIXED", "size": 200},
    }
    assert call(shelf, "POST", "/repository", body=DOCS | {"pipelines": [old, new]}).status == 200
    pipelines = call(shelf, "GET", "/repository/docs").body["pipelines"]
    assert [p["chunkingStrategy"] for p in pipelines] == [
        {"type": "fixed", "size": 1000, "overlap": 100},
        {"type": "fixed", "size": 200, "overlap": 20},
    ]
    assert {p["trigger"] for p in pipelines} == {trigger.lower()}


def test_list_is_a_list_of_the_callers_repositories(shelf: Shelf) -> None:
    shelf.add_repository("open")
    shelf.add_repository("closed", allowedGroups=["physics"])
    listed = {
        p.username: [r["repositoryId"] for r in call(shelf, "GET", "/repository", p).body]
        for p in (ADA, LIBRARIAN, ADMIN)
    }
    assert listed == {"ada": ["open"], "lib": ["closed", "open"], "root": ["closed", "open"]}
    assert call(shelf, "GET", "/repository/closed", ADA).status == 403
    assert call(shelf, "GET", "/repository/nope", ADA).status == 404


def test_statuses_are_for_admins(shelf: Shelf) -> None:
    shelf.add_repository("one")
    assert call(shelf, "GET", "/repository/status").body == {"one": "CREATE_COMPLETE"}
    assert call(shelf, "GET", "/repository/status", ADA).status == 403


def test_database_address_is_shown_to_those_who_manage_it(shelf: Shelf) -> None:
    shelf.add_repository(rdsConfig=RDS)
    assert call(shelf, "GET", "/repository/docs", ADMIN).body["rdsConfig"]["dbHost"] == "db.example"
    assert call(shelf, "GET", "/repository/docs", ADA).body["rdsConfig"] is None
    assert "db.example" not in str(call(shelf, "GET", "/repository", BOB).body)


def test_only_admins_create_and_delete(shelf: Shelf) -> None:
    shelf.add_repository("one", allowedGroups=[])
    assert call(shelf, "POST", "/repository", LIBRARIAN, DOCS).status == 403
    assert call(shelf, "DELETE", "/repository/one", LIBRARIAN).status == 403


def test_admin_changes_everything_that_may_change(shelf: Shelf) -> None:
    shelf.add_repository(description="old", allowedGroups=["physics"])
    change = {"repositoryName": "New", "description": "", "allowedGroups": [], "metadata": {"tags": ["a"]}}
    changed = call(shelf, "PUT", "/repository/docs", body=change | {"type": "opensearch"}).body
    assert (changed["repositoryName"], changed["description"], changed["allowedGroups"]) == ("New", None, [])
    assert changed["metadata"] == {"tags": ["a"], "customFields": {}}
    assert (changed["type"], changed["status"]) == ("pgvector", "CREATE_COMPLETE")


def test_null_leaves_groups_as_they_are(shelf: Shelf) -> None:
    shelf.add_repository(allowedGroups=["physics"])
    change = {"allowedGroups": None, "description": "x"}
    assert call(shelf, "PUT", "/repository/docs", body=change).body["allowedGroups"] == ["physics"]


def test_rag_admins_change_pipelines_of_their_groups_only(shelf: Shelf) -> None:
    shelf.add_repository(allowedGroups=["physics"])
    pipelines = {"pipelines": [{"s3Bucket": "bucket", "s3Prefix": "p", "trigger": "daily"}]}
    assert call(shelf, "PUT", "/repository/docs", LIBRARIAN, pipelines).status == 200
    assert call(shelf, "PUT", "/repository/docs", LIBRARIAN, {"allowedGroups": ["physics"]} | pipelines).status == 200
    assert call(shelf, "PUT", "/repository/docs", LIBRARIAN, {"repositoryName": "Mine"}).status == 403
    assert call(shelf, "PUT", "/repository/docs", LIBRARIAN, {"allowedGroups": []}).status == 403
    assert call(shelf, "PUT", "/repository/docs", STRANGER, pipelines).status == 403
    assert call(shelf, "PUT", "/repository/docs", Person("ada", ("physics",)), pipelines).status == 403


def test_pipelines_come_and_go_but_do_not_change(shelf: Shelf) -> None:
    shelf.add_repository()
    first = {"s3Bucket": "bucket", "s3Prefix": "a/", "trigger": "event"}
    second = first | {"s3Prefix": "b/"}

    def put(*pipelines: dict[str, Any]) -> int:
        return call(shelf, "PUT", "/repository/docs", body={"pipelines": list(pipelines)}).status

    assert [put(first), put(first, second), put(second), put(second | {"chunkSize": 300})] == [200, 200, 200, 200]
    assert put(second | {"trigger": "daily"}) == 400
    assert put() == 200


def test_documents_of_a_former_default_model_stay_reachable(shelf: Shelf) -> None:
    shelf.add_repository()
    assert call(shelf, "PUT", "/repository/docs", body={"embeddingModelId": "nope"}).status == 400
    assert call(shelf, "PUT", "/repository/docs", body={"embeddingModelId": "titan:0"}).status == 200
    kept = shelf.collections.get_item(Key={"repositoryId": "docs", "collectionId": "minilm"})["Item"]
    assert kept["embeddingModel"] == "minilm"
    assert kept["name"].startswith("Default until ")


def test_repository_that_is_being_made_is_neither_changed_nor_deleted(shelf: Shelf) -> None:
    call(shelf, "POST", "/repository", body=DOCS)
    assert call(shelf, "PUT", "/repository/docs", body={"description": "x"}).status == 409
    assert call(shelf, "DELETE", "/repository/docs").status == 409


def test_creation_that_was_interrupted_shows_as_failed_and_can_be_deleted(shelf: Shelf) -> None:
    old = (now() - LIMIT - timedelta(seconds=1)).isoformat()
    shelf.add_repository(status="CREATE_IN_PROGRESS", updatedAt=old)
    assert call(shelf, "GET", "/repository/docs").body["status"] == "CREATE_FAILED"
    assert call(shelf, "GET", "/repository/status").body == {"docs": "CREATE_FAILED"}
    assert call(shelf, "DELETE", "/repository/docs").status == 200


def test_deletion_takes_all_that_the_repository_has_and_nothing_else(shelf: Shelf) -> None:
    for repository_id in ("docs", "docs2"):
        shelf.add_repository(repository_id)
        shelf.collections.put_item(Item={"repositoryId": repository_id, "collectionId": "c1", "name": "Papers"})
        shelf.collections.put_item(Item={"repositoryId": repository_id, "collectionId": "name#Papers"})
        for collection_id in ("minilm", "c1", "forgotten"):
            shelf.add_document(repository_id, collection_id, "a.txt")
    shelf.bucket.Object("docs/minilm/a.txt").delete()  # leaves a marker
    answer = call(shelf, "DELETE", "/repository/docs")
    assert (answer.status, answer.body["status"]) == (200, "success")
    assert status_of(shelf) == "DELETE_IN_PROGRESS"
    task = shelf.task("delete_repository")
    assert delete_repository_documents.handler(task, Context()) == {"more": False, "round": 1}  # type: ignore[arg-type]
    drop_schema.handler(task, None)
    assert shelf.index.dropped == [("docs",)]
    assert {key.split("/")[0] for key in shelf.versions()} == {"docs2"}
    assert {row["pk"].split("#")[0] for row in shelf.documents.scan()["Items"]} == {"docs2"}
    assert {row["repository_id"] for row in shelf.jobs.scan()["Items"]} == {"docs2"}
    assert {row["repositoryId"] for row in shelf.collections.scan()["Items"]} == {"docs2"}


def out_of_reach(_: object) -> Any:
    raise UnavailableError("The database is out of reach.")


@pytest.mark.parametrize(
    ("status", "query", "abandons"),
    [("CREATE_COMPLETE", "", False), ("CREATE_COMPLETE", "?force=true", True), ("CREATE_FAILED", "", True)],
)
def test_database_out_of_reach_stops_a_deletion_unless_it_is_forced_or_nothing_was_made(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, status: str, query: str, abandons: bool
) -> None:
    shelf.add_repository(status=status)
    call(shelf, "DELETE", f"/repository/docs{query}")
    monkeypatch.setattr(drop_schema, "vector_store", out_of_reach)
    task = shelf.task("delete_repository")
    assert task["abandonIndex"] is abandons
    with nullcontext() if abandons else pytest.raises(UnavailableError):
        drop_schema.handler(task, None)


def test_deletion_without_time_left_asks_for_another_turn(shelf: Shelf) -> None:
    shelf.add_repository()
    shelf.add_document("docs", "minilm", "a.txt")
    call(shelf, "DELETE", "/repository/docs")
    task = shelf.task("delete_repository")
    turn = delete_repository_documents.handler(task, NoTime())  # type: ignore[arg-type]
    assert turn == {"more": True, "round": 1}
    assert shelf.versions()
    turn = delete_repository_documents.handler(task | {"round": 1}, Context())  # type: ignore[arg-type]
    assert turn == {"more": False, "round": 2}


def test_tasks_leave_a_repository_alone_that_is_not_being_deleted(shelf: Shelf) -> None:
    shelf.add_repository()
    shelf.add_document("docs", "minilm", "a.txt")
    task = {"repositoryId": "docs", "changedAt": "x"}
    for handler in (delete_repository_documents.handler, drop_schema.handler, create_schema.handler):
        with pytest.raises(Exception, match="meanwhile"):
            handler(task, Context())  # type: ignore[arg-type]
    assert shelf.versions()


def test_work_that_cannot_be_started_leaves_a_failed_repository(shelf: Shelf) -> None:
    shelf.cloud.configure(CREATE_REPOSITORY_MACHINE=shelf.machines["create_repository"] + "-gone")
    assert call(shelf, "POST", "/repository", body=DOCS).status == 503
    assert status_of(shelf) == "CREATE_FAILED"
