"""Documents through their API: uploads, lists, downloads, deletions and jobs, and who may do what."""

import json
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.fixtures.control_plane import ADA, ADMIN, BOB, Person
from tests.fixtures.ingestion import BUCKET, Library

LIBRARIAN = Person("lib", ("rag-admin", "physics"))
STRANGER = Person("str", ("rag-admin", "biology"))
PHYSICIST = Person("cleo", ("physics",))
BASE = "/repository/docs"


@pytest.fixture(autouse=True)
def repository(library: Library) -> None:
    library.add_repository()


def bulk(library: Library, keys: list[str], person: Person = ADA, query: str = "", **fields: Any) -> dict[str, Any]:
    answer = library.call("POST", f"{BASE}/bulk{query}", person, {"keys": keys} | fields)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def ingested(
    library: Library, name: str = "note.txt", person: Person = ADA, body: bytes = b"Words.", **fields: Any
) -> Any:
    """Uploads a file and lets it be indexed; returns what bulk said of it."""
    [job] = bulk(library, [library.upload(name, body, person)], person, **fields)["jobs"]
    library.deliver(library.created(job["s3Path"].removeprefix(f"s3://{BUCKET}/")))
    library.work()
    return job


def test_form_names_a_place_that_only_the_caller_has(library: Library) -> None:
    answer = library.cloud.call(
        "functions.documents.api", "POST", "/repository/presigned-url", ADA, "C:\\tmp\\my é.pdf"
    )
    form = answer.body["response"]
    user, upload, name = form["fields"]["key"].removeprefix("uploads/").split("/")
    assert (user, len(upload), name) == ("ada", 36, "my é.pdf")
    assert form["fields"]["x-amz-meta-user"] == "ada"
    assert {"policy", "x-amz-signature", "x-amz-algorithm"} <= form["fields"].keys()
    assert form["url"].startswith("https://")


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("tool.exe", 415, "pdf"),
        ("noextension", 415, "pdf"),
        ("", 400, "name"),
        ("a/", 400, "name"),
        ("x" * 300 + ".txt", 400, "long"),
    ],
)
def test_form_is_refused_for_what_would_not_be_read(library: Library, name: str, status: int, said: str) -> None:
    answer = library.cloud.call("functions.documents.api", "POST", "/repository/presigned-url", ADA, name.encode())
    assert (answer.status, said in answer.body["message"]) == (status, True)


def test_upload_becomes_the_callers_document(library: Library) -> None:
    key = library.upload("note é.txt", b"Hedgehogs hibernate.", ADA)
    answer = bulk(
        library,
        [key],
        embeddingModel={"modelName": "minilm"},
        chunkingStrategy={"type": "fixed", "size": 200, "overlap": 20},
        metadata={"tags": ["x"], "customFields": {"year": 2020, "rate": 0.5}},
    )
    [job] = answer["jobs"]
    assert (answer["collectionId"], answer["collectionName"]) == ("minilm", "Default")
    target = "docs/minilm/ada/note é.txt"
    assert (job["status"], job["s3Path"]) == ("INGESTION_PENDING", f"s3://{BUCKET}/{target}")
    before = library.row(target)
    assert (before["status"], before["username"], before["job_id"]) == ("INGESTION_PENDING", "ada", job["jobId"])
    library.deliver(library.created(target))
    library.work()
    row = library.call("GET", f"{BASE}/{job['documentId']}", ADA).body
    assert (row["status"], row["ingestion_type"], row["username"]) == ("INGESTION_COMPLETED", "manual", "ada")
    assert (row["chunk_strategy"]["size"], row["metadata"]) == (200, {"year": 2020, "rate": 0.5, "tags": ["x"]})
    assert (row["pk"], row["source"], row["job_id"]) == ("docs#minilm", job["s3Path"], job["jobId"])
    [listed] = library.call("GET", f"{BASE}/jobs", ADA).body["jobs"]
    assert (listed["id"], listed["status"], listed["auto"]) == (job["jobId"], "INGESTION_COMPLETED", False)
    [indexed] = library.index.documents.values()
    assert indexed.metadata["year"] == 2020


def test_uploading_the_same_name_again_replaces_the_document(library: Library) -> None:
    first = ingested(library, body=b"old")
    second = ingested(library, body=b"new", metadata={"tags": ["later"]})
    assert first["documentId"] == second["documentId"]
    assert library.index.texts() == ["new"]
    assert library.call("GET", f"{BASE}/document", ADA).body["totalDocuments"] == 1


def test_two_uploads_in_one_breath_keep_their_own_settings(library: Library) -> None:
    keys = [library.upload("n.txt", text, ADA) for text in (b"one", b"two")]
    [first] = bulk(library, keys[:1], metadata={"customFields": {"n": 1}})["jobs"]
    early = library.created("docs/minilm/ada/n.txt")
    [second] = bulk(library, keys[1:], metadata={"customFields": {"n": 2}})["jobs"]
    late = library.created("docs/minilm/ada/n.txt")
    library.deliver(late, early)
    library.work()
    row = library.row("docs/minilm/ada/n.txt")
    assert (row["metadata"], row["job_id"], library.index.texts()) == ({"n": 2}, second["jobId"], ["two"])
    assert "Replaced" in library.job(first["jobId"])["error_message"]


@pytest.mark.parametrize(
    ("fixed", "query", "fields", "size"),
    [
        (False, "", {}, 300),
        (False, "?chunkSize=512&chunkOverlap=51", {}, 300),
        (False, "?chunkSize=400&chunkOverlap=40&collectionId=own", {}, 400),
        (False, "", {"chunkingStrategy": {"type": "fixed", "size": 500}}, 500),
        (True, "", {"chunkingStrategy": {"type": "fixed", "size": 500}}, 300),
    ],
)
def test_chunking_is_the_collections_unless_it_may_be_chosen(
    library: Library, fixed: bool, query: str, fields: dict[str, Any], size: int
) -> None:
    strategy = {"type": "fixed", "size": 300, "overlap": 30}
    library.add_collection("own", chunkingStrategy=strategy, allowChunkingOverride=not fixed)
    bulk(library, [library.upload("n.txt", b"x", ADA)], query=query, collectionId="own", **fields)
    assert library.row("docs/own/ada/n.txt")["chunk_strategy"]["size"] == size


def test_only_ones_own_uploads_are_taken_up(library: Library) -> None:
    key = library.upload("n.txt", b"x", ADA)
    inner = ingested(library)["s3Path"].removeprefix(f"s3://{BUCKET}/")
    for wanted in (key, inner, "uploads/ada/../bob/x.txt", "uploads/bob", "docs/minilm/x.txt"):
        answer = library.call("POST", f"{BASE}/bulk", BOB, {"keys": [wanted]})
        assert answer.status == 403, wanted
    assert library.call("POST", f"{BASE}/bulk", ADA, {"keys": ["uploads/ada/none/x.txt"]}).status == 404
    assert library.call("POST", f"{BASE}/bulk", ADA, {"keys": ["uploads/ada/none/x.exe"]}).status == 415


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"keys": []}, 422),
        ({"keys": ["x"] * 101}, 422),
        ({}, 422),
        (None, 422),
        ("nonsense", 400),
        ({"keys": ["uploads/ada/a/b.txt"], "collectionId": "nope"}, 404),
        ({"keys": ["uploads/ada/a/b.txt"], "embeddingModel": {"modelName": "nope"}}, 404),
        ({"keys": ["uploads/ada/a/b.txt"], "chunkingStrategy": {"type": "fixed", "size": 5}}, 422),
    ],
)
def test_bad_request_is_refused(library: Library, body: Any, status: int) -> None:
    assert library.call("POST", f"{BASE}/bulk", ADA, body).status == status
    assert library.documents.scan()["Items"] == []


def test_repository_that_is_not_ready_takes_nothing(library: Library) -> None:
    library.add_repository("early", status="CREATE_IN_PROGRESS")
    key = library.upload("n.txt", b"x", ADA)
    assert library.call("POST", "/repository/early/bulk", ADA, {"keys": [key]}).status == 409


def test_copy_that_fails_ends_the_job_and_leaves_the_document(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingested(library, body=b"old")
    before = library.row("docs/minilm/ada/note.txt")
    key = library.upload("note.txt", b"new", ADA)
    other = library.upload("other.txt", b"new", ADA)
    problem = ClientError({"Error": {"Code": "SlowDown", "Message": "x"}}, "CopyObject")

    def refuse(**_: Any) -> None:
        raise problem

    from lisa import aws

    monkeypatch.setattr(aws.client("s3"), "copy_object", refuse)
    jobs = bulk(library, [key, other])["jobs"]
    assert [job["status"] for job in jobs] == ["INGESTION_FAILED"] * 2
    assert "SlowDown" in library.job(jobs[0]["jobId"])["error_message"]
    assert library.row("docs/minilm/ada/note.txt") == before
    assert library.row("docs/minilm/ada/other.txt") == {}


def test_download_is_a_link_that_never_opens_as_a_page(library: Library) -> None:
    job = ingested(library, "my note.html", body=b"<html><p>hello</html>")
    answer = library.call("GET", f"{BASE}/{job['documentId']}/download", ADA)
    assert answer.status == 200
    assert isinstance(answer.body, str)
    assert answer.body.startswith("https://")
    assert "X-Amz-Expires=300" in answer.body
    assert "attachment" in answer.body
    assert quote(quote("my note.html")) in answer.body


def test_pages_go_through_all_collections_that_the_caller_may_use(library: Library) -> None:
    library.add_collection("alpha")
    library.add_collection("closed", allowedGroups=["physics"])
    for folder in ("alpha", "closed", "minilm"):
        for number in range(3):
            library.deliver(library.put(f"docs/{folder}/{number}.txt"))
    seen: list[tuple[str, str]] = []
    query = "pageSize=2"
    for page_number in range(10):
        page = library.call("GET", f"{BASE}/document?{query}", ADA).body
        assert (page["totalDocuments"], page["hasPreviousPage"]) == (6, page_number > 0)
        seen += [(row["collection_id"], row["document_id"]) for row in page["documents"]]
        last = page["lastEvaluated"]
        assert page["hasNextPage"] == (last is not None)
        if last is None:
            break
        query = (
            f"pageSize=2&lastEvaluatedKeyPk={quote(last['pk'])}&lastEvaluatedKeyDocumentId={last['document_id']}"
            f"&lastEvaluatedKeyRepositoryId={last['repository_id']}"
        )
    assert (len(seen), len(set(seen))) == (6, 6)
    assert {folder for folder, _ in seen} == {"alpha", "minilm"}
    assert library.call("GET", f"{BASE}/document", PHYSICIST).body["totalDocuments"] == 9
    assert len(library.call("GET", f"{BASE}/document?pageSize=500&collectionId=alpha", ADA).body["documents"]) == 3


def test_nobody_reaches_past_repository_and_collection_groups(library: Library) -> None:
    library.add_repository("other")
    library.add_repository("private", allowedGroups=["physics"])
    library.add_collection("closed", allowedGroups=["physics"])
    events = [library.put(key) for key in ("docs/closed/a.txt", "private/minilm/b.txt", "docs/minilm/open.txt")]
    library.deliver(*events)
    library.work()
    closed, private, public = (
        library.row(key)["document_id"] for key in ("docs/closed/a.txt", "private/minilm/b.txt", "docs/minilm/open.txt")
    )
    for path in (
        f"{BASE}/{closed}",
        f"{BASE}/{closed}/download",
        f"{BASE}/document?collectionId=closed",
        f"/repository/private/{private}",
        f"/repository/private/{private}/download",
        "/repository/private/document",
        "/repository/private/jobs",
    ):
        assert library.call("GET", path, ADA).status == 403, path
        assert library.call("GET", path, PHYSICIST).status == 200, path
    for repository_id, document_id in (("other", public), ("docs", private), ("private", public), ("other", closed)):
        for path in (
            f"/repository/{repository_id}/{document_id}",
            f"/repository/{repository_id}/{document_id}/download",
        ):
            assert library.call("GET", path, PHYSICIST).status == 404, path
        body = {"documentIds": [document_id]}
        assert library.call("DELETE", f"/repository/{repository_id}/document", ADMIN, body).status == 404
        assert library.call("POST", f"/repository/{repository_id}/{document_id}/retry", ADMIN).status == 404
    for person, status in ((ADA, 403), (PHYSICIST, 403), (STRANGER, 403), (LIBRARIAN, 200)):
        body = {"documentIds": [private]}
        assert library.call("DELETE", "/repository/private/document", person, body).status == status
    assert library.call("POST", "/repository/private/bulk", ADA, {"keys": ["uploads/ada/a/b.txt"]}).status == 403
    for path in ("/repository/nope/document", "/repository/nope/jobs", f"/repository/nope/{public}", f"{BASE}/unknown"):
        assert library.call("GET", path, ADMIN).status == 404, path


def test_unknown_folder_is_shown_to_managers_only(library: Library) -> None:
    library.deliver(library.put("docs/nowhere/a.txt"))
    document_id = library.row("docs/nowhere/a.txt")["document_id"]
    assert library.call("GET", f"{BASE}/{document_id}", LIBRARIAN).status == 200
    assert library.call("GET", f"{BASE}/{document_id}", ADA).status == 404
    assert library.call("GET", f"{BASE}/document?collectionId=nowhere", ADA).status == 404
    gone = library.call("DELETE", f"{BASE}/document", LIBRARIAN, {"documentIds": [document_id]})
    assert gone.status == 200
    library.deliver(library.event("Object Deleted", "docs/nowhere/a.txt", deletion="Delete Marker Created"))
    library.work()
    assert library.row("docs/nowhere/a.txt") == {}


def test_owner_and_manager_delete_nobody_else(library: Library) -> None:
    first, second = ingested(library, "a.txt"), ingested(library, "b.txt")
    body = {"documentIds": [first["documentId"]]}
    assert library.call("DELETE", f"{BASE}/document", BOB, body).status == 403
    answer = library.call("DELETE", f"{BASE}/document?collectionId=minilm", ADA, body)
    [job] = answer.body["jobs"]
    assert set(job) == {"jobId", "documentId", "status", "s3Path"}
    assert (job["status"], job["s3Path"]) == ("DELETE_PENDING", first["s3Path"])
    again = library.call("DELETE", f"{BASE}/document", ADA, body).body["jobs"]
    assert again[0]["jobId"] == job["jobId"]
    key = first["s3Path"].removeprefix(f"s3://{BUCKET}/")
    with pytest.raises(ClientError):
        boto3.client("s3").head_object(Bucket=BUCKET, Key=key)
    library.deliver(library.event("Object Deleted", key, deletion="Delete Marker Created"))
    library.work()
    assert library.call("GET", f"{BASE}/{first['documentId']}", ADA).status == 404
    assert library.job(job["jobId"])["status"] == "DELETE_COMPLETED"
    assert library.call("DELETE", f"{BASE}/document", ADA, body).status == 404
    assert library.call("DELETE", f"{BASE}/document", ADMIN, {"documentIds": [second["documentId"]]}).status == 200


def test_delete_by_name_without_a_body(library: Library) -> None:
    ingested(library, "a.txt")
    path = f"{BASE}/document?collectionId=minilm&documentName=a.txt"
    assert library.call("DELETE", path, BOB).status == 403
    answer = library.call("DELETE", path, ADA)
    assert (answer.status, len(answer.body["jobs"])) == (200, 1)
    assert library.call("DELETE", f"{BASE}/document?documentName=none.txt", ADA).status == 404
    assert library.call("DELETE", f"{BASE}/document?collectionId=minilm", ADA).status == 400
    assert library.call("DELETE", f"{BASE}/document?collectionId=minilm", ADA, {"documentIds": []}).status == 400


def test_upload_waits_until_a_deletion_is_done(library: Library) -> None:
    job = ingested(library, "a.txt")
    library.call("DELETE", f"{BASE}/document", ADA, {"documentIds": [job["documentId"]]})
    [refused] = bulk(library, [library.upload("a.txt", b"new", ADA)])["jobs"]
    assert refused["status"] == "INGESTION_FAILED"
    assert "being deleted" in library.job(refused["jobId"])["error_message"]


def test_retry_begins_anew_what_failed(library: Library) -> None:
    job = ingested(library, "a.txt", body=b"")
    path = f"{BASE}/{job['documentId']}/retry"
    assert library.row("docs/minilm/ada/a.txt")["status"] == "INGESTION_FAILED"
    assert library.call("POST", path, BOB).status == 403
    answer = library.call("POST", path, ADMIN)
    assert (answer.status, answer.body["status"]) == (200, "INGESTION_PENDING")
    assert answer.body["jobId"] != job["jobId"]
    assert library.call("POST", path, ADA).status == 409
    library.deliver(library.created("docs/minilm/ada/a.txt"))
    library.work()
    row = library.row("docs/minilm/ada/a.txt")
    assert (row["status"], row["username"], row["job_id"]) == ("INGESTION_FAILED", "ada", answer.body["jobId"])
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="docs/minilm/ada/a.txt")
    gone = library.call("POST", path, ADA)
    assert (gone.status, "no longer there" in gone.body["message"]) == (404, True)


def test_jobs_are_ones_own_or_all_for_managers_newest_first(library: Library) -> None:
    for person, name in ((ADA, "a.txt"), (ADA, "b.txt"), (BOB, "c.txt")):
        bulk(library, [library.upload(name, b"x", person)], person)
    assert {job["username"] for job in library.call("GET", f"{BASE}/jobs", ADA).body["jobs"]} == {"ada"}
    first = library.call("GET", f"{BASE}/jobs?pageSize=2&timeLimit=24", LIBRARIAN).body
    assert (len(first["jobs"]), first["hasNextPage"], first["hasPreviousPage"]) == (2, True, False)
    after = quote(json.dumps(first["lastEvaluatedKey"]))
    second = library.call("GET", f"{BASE}/jobs?pageSize=2&lastEvaluatedKey={after}", LIBRARIAN).body
    assert (len(second["jobs"]), second["hasNextPage"], second["hasPreviousPage"]) == (1, False, True)
    dates = [job["created_date"] for job in first["jobs"] + second["jobs"]]
    assert dates == sorted(dates, reverse=True)
    assert "owner_key" not in first["jobs"][0]
    for bad in ("nonsense", "[]", '{"id": 1}'):
        assert library.call("GET", f"{BASE}/jobs?lastEvaluatedKey={quote(bad)}", ADA).status == 400
    assert library.call("GET", f"{BASE}/jobs?timeLimit=0", ADA).status == 422
