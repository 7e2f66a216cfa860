"""Collections through the handlers: rows, pages, objects and executions as AWS has them."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from functions.collections import delete_collection_documents, drop_collection
from tests.fixtures.control_plane import ADA, ADMIN, BOB, Answer, Context, Person
from tests.fixtures.shelf import NoTime, Shelf

BASE = "/repository/docs/collection"
LIBRARIAN = Person("lib", ("rag-admin", "physics"))
STRANGER = Person("str", ("rag-admin", "biology"))
PHYSICIST = Person("cleo", ("physics",))


def call(shelf: Shelf, method: str, path: str, person: Person = ADMIN, body: Any = None) -> Answer:
    return shelf.cloud.call("functions.collections.api", method, path, person, body)


def create(shelf: Shelf, name: str = "Papers", base: str = BASE, **fields: Any) -> dict[str, Any]:
    answer = call(shelf, "POST", base, body={"name": name} | fields)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_collection_takes_the_model_of_its_repository(shelf: Shelf) -> None:
    shelf.add_repository()
    made = create(shelf, allowedGroups=None, metadata=None, multiModal=True)
    assert (made["embeddingModel"], made["repositoryId"], made["createdBy"]) == ("minilm", "docs", "root")
    assert (made["status"], made["default"], made["allowChunkingOverride"]) == ("ACTIVE", False, True)
    assert call(shelf, "GET", f"{BASE}/{made['collectionId']}", ADA).body == made


def test_plural_paths_are_the_same(shelf: Shelf) -> None:
    shelf.add_repository()
    made = create(shelf, base="/repository/docs/collections")
    item = f"/repository/docs/collections/{made['collectionId']}"
    assert call(shelf, "GET", item).body == made
    assert call(shelf, "PUT", item, body={"description": "x"}).body["description"] == "x"
    assert len(call(shelf, "GET", "/repository/docs/collections").body["collections"]) == 2
    assert call(shelf, "DELETE", item).status == 200


def test_name_is_unique_in_a_repository(shelf: Shelf) -> None:
    shelf.add_repository()
    shelf.add_repository("other")
    create(shelf, "Papers")
    create(shelf, "Papers", base="/repository/other/collection")
    for name in ("Papers", " Papers ", "Default"):
        assert call(shelf, "POST", BASE, body={"name": name}).status == 409
    second = create(shelf, "Letters")
    path = f"{BASE}/{second['collectionId']}"
    assert call(shelf, "PUT", path, body={"name": "Papers"}).status == 409
    assert call(shelf, "PUT", path, body={"name": "Post"}).body["name"] == "Post"
    create(shelf, "Letters")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "a/b"}, 422),
        ({"name": ""}, 422),
        ({"name": None}, 422),
        ({"embeddingModel": "nope"}, 400),
        ({"embeddingModel": "chat"}, 400),
        ({"chunkingStrategy": {"type": "fixed", "size": 99}}, 422),
        ({"chunkingStrategy": {"type": "fixed", "size": 100, "overlap": 51}}, 422),
        ({"chunkingStrategy": {"type": "semantic"}}, 422),
        ({"metadata": {"tags": ["x" * 51]}}, 422),
    ],
)
def test_bad_collection_is_refused(shelf: Shelf, change: dict[str, Any], status: int) -> None:
    shelf.add_repository()
    assert call(shelf, "POST", BASE, body={"name": "Papers"} | change).status == status
    assert shelf.collections.scan()["Items"] == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"chunkingStrategy": {"type": "fixed", "size": 1000, "overlap": 100}}, ("fixed", 1000, 100)),
        ({"chunkingStrategy": {"chunkSize": 1000, "chunkOverlap": 10}}, ("fixed", 1000, 10)),
        ({"chunkSize": 1000, "chunkOverlap": 100}, ("fixed", 1000, 100)),
        ({"chunkSize": 100}, ("fixed", 100, 10)),
        ({"chunkingStrategy": {"type": "NONE"}}, ("none", 512, 51)),
    ],
)
def test_chunking_is_read_in_every_vocabulary(shelf: Shelf, sent: dict[str, Any], kept: tuple[Any, ...]) -> None:
    shelf.add_repository()
    assert tuple(create(shelf, **sent)["chunkingStrategy"].values()) == kept


def test_repository_without_a_model_needs_one_at_the_collection(shelf: Shelf) -> None:
    shelf.add_repository(embeddingModelId=None)
    assert call(shelf, "POST", BASE, body={"name": "Papers"}).status == 400
    assert create(shelf, embeddingModel="titan:0")["embeddingModel"] == "titan:0"
    assert [c["name"] for c in call(shelf, "GET", BASE).body["collections"]] == ["Papers"]


def test_default_collection_is_there_and_the_same_each_time(shelf: Shelf) -> None:
    repository = shelf.add_repository(embeddingModelId="titan:0")
    first, second = (call(shelf, "GET", f"{BASE}/{quote('titan:0')}", ADA) for _ in range(2))
    assert first.body == second.body
    assert (first.body["default"], first.body["collectionId"]) == (True, "titan:0")
    assert first.body["createdAt"] == repository.created_at
    listed = call(shelf, "GET", BASE, ADA).body["collections"]
    assert [(c["collectionId"], c["default"]) for c in listed] == [("titan:0", True)]
    assert call(shelf, "PUT", f"{BASE}/titan:0", body={"description": "x"}).status == 400


def test_groups_of_repository_and_collection_are_enforced(shelf: Shelf) -> None:
    shelf.add_repository(allowedGroups=["physics", "user"])
    shelf.add_repository("closed", allowedGroups=["physics"])
    made = create(shelf, allowedGroups=["physics"])
    path = f"{BASE}/{made['collectionId']}"
    assert call(shelf, "GET", path, ADA).status == 403
    assert call(shelf, "GET", path, PHYSICIST).status == 200
    assert [c["name"] for c in call(shelf, "GET", BASE, ADA).body["collections"]] == ["Default"]
    assert len(call(shelf, "GET", BASE, PHYSICIST).body["collections"]) == 2
    assert call(shelf, "GET", "/repository/closed/collection", ADA).status == 403
    assert {c["repositoryId"] for c in call(shelf, "GET", "/repository/collections", ADA).body["collections"]} == {
        "docs"
    }
    assert call(shelf, "GET", "/repository/nope/collection").status == 404
    assert call(shelf, "GET", f"{BASE}/nope").status == 404
    assert call(shelf, "GET", f"{BASE}/{quote('name#Papers')}").status == 404


def test_rag_admins_of_the_repository_manage_collections(shelf: Shelf) -> None:
    shelf.add_repository(allowedGroups=["physics"])
    made = call(shelf, "POST", BASE, LIBRARIAN, {"name": "Mine"}).body
    path = f"{BASE}/{made['collectionId']}"
    for person in (PHYSICIST, STRANGER):
        assert call(shelf, "POST", BASE, person, {"name": "Yours"}).status == 403
        assert call(shelf, "PUT", path, person, {"description": "x"}).status == 403
        assert call(shelf, "DELETE", path, person).status == 403
    assert call(shelf, "PUT", path, LIBRARIAN, {"description": "x"}).status == 200
    assert call(shelf, "DELETE", path, LIBRARIAN).status == 200


def test_update_changes_what_it_names(shelf: Shelf) -> None:
    shelf.add_repository()
    made = create(shelf, description="old", allowedGroups=["physics"])
    path = f"{BASE}/{made['collectionId']}"
    change = {"allowedGroups": [], "status": "ARCHIVED", "metadata": {"tags": ["t"]}, "chunkSize": 300, "name": None}
    changed = call(shelf, "PUT", path, body=change).body
    assert (changed["name"], changed["description"], changed["status"]) == ("Papers", "old", "ARCHIVED")
    assert (changed["allowedGroups"], changed["chunkingStrategy"]["size"]) == ([], 300)
    assert changed["updatedAt"] > made["updatedAt"]


@pytest.mark.parametrize(
    ("change", "status"),
    [({}, 422), ({"embeddingModel": "titan:0"}, 400), ({"embeddingModel": "minilm", "description": "x"}, 200)]
    + [({"status": state}, 422) for state in ("DELETE_IN_PROGRESS", "DELETED")],
)
def test_what_cannot_be_changed_is_refused(shelf: Shelf, change: dict[str, Any], status: int) -> None:
    shelf.add_repository()
    made = create(shelf)
    assert call(shelf, "PUT", f"{BASE}/{made['collectionId']}", body=change).status == status


@pytest.mark.parametrize("order", ["asc", "desc", "DESC"])
@pytest.mark.parametrize("sort_by", ["name", "createdAt", "updatedAt"])
def test_pages_hold_every_collection_once_in_order(shelf: Shelf, sort_by: str, order: str) -> None:
    shelf.add_repository()
    for number in range(5):
        create(shelf, f"c{number}")
    query = f"pageSize=2&sortBy={sort_by}&sortOrder={order}"
    by_number = [call(shelf, "GET", f"{BASE}?{query}&page={page}").body for page in (1, 2, 3)]
    by_key = []
    more = ""
    while True:
        page = call(shelf, "GET", f"{BASE}?{query}{more}").body
        by_key.append(page)
        last = page["lastEvaluatedKey"]
        if not last:
            break
        more = f"&lastEvaluatedKeyCollectionId={last['collectionId']}"
    names = [[c["name"] for c in page["collections"]] for page in by_number]
    assert names == [[c["name"] for c in page["collections"]] for page in by_key]
    flat = [name for page in names for name in page]
    assert len(set(flat)) == len(flat) == 6
    if sort_by == "name":
        assert flat == sorted(flat, key=str.casefold, reverse=order != "asc")
    assert [(p["hasPreviousPage"], p["hasNextPage"]) for p in by_key] == [(False, True), (True, True), (True, False)]
    assert by_key[1]["pagination"] == {"totalCount": 6, "currentPage": 2, "totalPages": 3}


@pytest.mark.parametrize("name", ["filter", "filterText"])
def test_filters_work_in_both_vocabularies(shelf: Shelf, name: str) -> None:
    shelf.add_repository()
    create(shelf, "Papers", description="about Whales")
    made = create(shelf, "Letters")
    call(shelf, "PUT", f"{BASE}/{made['collectionId']}", body={"status": "ARCHIVED"})

    def names(query: str) -> list[str]:
        return [c["name"] for c in call(shelf, "GET", f"{BASE}?{query}").body["collections"]]

    assert names(f"{name}=whaLES") == ["Papers"]
    assert names(f"{name}=nothing") == []
    for status in ("status", "statusFilter"):
        assert names(f"{status}=archived&{name}=") == ["Letters"]
    assert call(shelf, "GET", f"{BASE}?status=LOST").status == 422
    assert call(shelf, "GET", f"{BASE}?pageSize=many").status == 422
    assert call(shelf, "GET", f"{BASE}?sortBy=size").status == 422


def test_page_after_a_collection_that_is_gone_continues_at_its_place(shelf: Shelf) -> None:
    shelf.add_repository()
    made = [create(shelf, f"c{number}") for number in range(4)]
    last = call(shelf, "GET", f"{BASE}?pageSize=2").body["lastEvaluatedKey"]
    assert last["collectionId"] == made[2]["collectionId"]
    for row in (last["collectionId"], "name#c2"):
        shelf.collections.delete_item(Key={"repositoryId": "docs", "collectionId": row})
    place = f"lastEvaluatedKeyCollectionId={last['collectionId']}&lastEvaluatedKeyCreatedAt={quote(last['createdAt'])}"
    rest = call(shelf, "GET", f"{BASE}?pageSize=2&{place}").body["collections"]
    assert [c["name"] for c in rest] == ["c1", "c0"]
    assert call(shelf, "GET", f"{BASE}?lastEvaluatedKeyCollectionId=gone").status == 400


def test_collections_of_all_repositories_come_with_their_names(shelf: Shelf) -> None:
    shelf.add_repository(repositoryName="Documents")
    shelf.add_repository("other")
    create(shelf, "Papers")
    seen, more = [], ""
    while True:
        page = call(shelf, "GET", f"/repository/collections?pageSize=2&sortBy=name&sortOrder=asc{more}", ADA).body
        seen += [(c["repositoryName"], c["name"]) for c in page["collections"]]
        if not page["hasNextPage"]:
            break
        assert json.loads(page["lastEvaluatedKey"])["repositoryId"]
        more = f"&lastEvaluatedKey={quote(page['lastEvaluatedKey'])}"
    assert seen == [("Documents", "Default"), ("other", "Default"), ("Documents", "Papers")]
    for nonsense in ("{", "[]", '{"a":1}', "null"):
        answer = call(shelf, "GET", f"/repository/collections?lastEvaluatedKey={quote(nonsense)}")
        assert (answer.status, answer.body["code"]) == (400, "bad_request")


def finish(shelf: Shelf) -> None:
    """Runs the tasks as the machine does."""
    task = shelf.task("delete_collection")
    turn = delete_collection_documents.handler(task, NoTime())  # type: ignore[arg-type]
    assert turn == {"more": True, "round": 1}
    turn = delete_collection_documents.handler(task | {"round": 1}, Context())  # type: ignore[arg-type]
    assert turn == {"more": False, "round": 2}
    drop_collection.handler(task, None)
    drop_collection.handler(task, None)


def test_deletion_takes_documents_index_and_row(shelf: Shelf) -> None:
    shelf.add_repository()
    made, other = create(shelf, "Papers"), create(shelf, "Letters")
    for collection in (made, other):
        shelf.add_document("docs", collection["collectionId"], "a.txt")
    path = f"{BASE}/{made['collectionId']}"
    answer = call(shelf, "DELETE", path, body=None).body
    assert (answer["deletionType"], answer["status"]) == ("full", "DELETE_IN_PROGRESS")
    assert (answer["summary"]["lisaManagedDocuments"], answer["summary"]["userManagedDocuments"]) == (1, 0)
    job = shelf.jobs.get_item(Key={"id": answer["jobId"]})["Item"]
    assert (job["job_type"], job["owner_key"], job["document_name"]) == ("collection_deletion", "docs#root", "Papers")
    assert call(shelf, "GET", path).body["status"] == "DELETE_IN_PROGRESS"
    assert call(shelf, "DELETE", path).status == 409
    assert call(shelf, "PUT", path, body={"description": "x"}).status == 409
    finish(shelf)
    assert call(shelf, "GET", path).status == 404
    assert shelf.index.dropped == [("docs", made["collectionId"])]
    assert {key.split("/")[1] for key in shelf.versions()} == {other["collectionId"]}
    assert [row["pk"] for row in shelf.documents.scan()["Items"]] == [f"docs#{other['collectionId']}"]
    create(shelf, "Papers")


@pytest.mark.parametrize("path", [f"{BASE}/minilm", f"{BASE}/default?embeddingName=minilm"])
def test_deletion_of_the_default_collection_is_partial(shelf: Shelf, path: str) -> None:
    shelf.add_repository()
    shelf.add_document("docs", "minilm", "a.txt")
    assert call(shelf, "DELETE", path).body["deletionType"] == "partial"
    task = shelf.task("delete_collection")
    assert task["default"] is True
    delete_collection_documents.handler(task, Context())  # type: ignore[arg-type]
    drop_collection.handler(task, None)
    assert shelf.index.dropped == [("docs", "minilm")]
    assert shelf.versions() == []
    assert call(shelf, "GET", f"{BASE}/minilm", BOB).status == 200


def test_deletion_that_cannot_start_can_be_tried_again(shelf: Shelf) -> None:
    shelf.add_repository()
    made = create(shelf)
    shelf.cloud.configure(DELETE_COLLECTION_MACHINE=shelf.machines["delete_collection"] + "-gone")
    assert call(shelf, "DELETE", f"{BASE}/{made['collectionId']}").status == 503
    assert call(shelf, "GET", f"{BASE}/{made['collectionId']}").body["status"] == "DELETE_FAILED"
    (job,) = shelf.jobs.scan()["Items"]
    assert job["status"] == "DELETE_FAILED"
    shelf.cloud.configure(DELETE_COLLECTION_MACHINE=shelf.machines["delete_collection"])
    assert call(shelf, "DELETE", f"{BASE}/{made['collectionId']}").status == 200


def test_repository_that_goes_takes_no_collection(shelf: Shelf) -> None:
    shelf.add_repository(status="DELETE_IN_PROGRESS")
    assert call(shelf, "POST", BASE, body={"name": "Papers"}).status == 409
