"""From a change in the bucket to the index: once, in order, and never without an end."""

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from lisa.documents.schemas import document_id_of
from lisa.errors import UpstreamError
from lisa.ingestion import sweeping
from lisa.schemas import now

from tests.fixtures import documents as files
from tests.fixtures.ingestion import BUCKET, Library, invoke

KEY = "docs/minilm/letters/a b+ü.txt"


@pytest.fixture(autouse=True)
def repository(library: Library) -> None:
    library.add_repository(metadata={"tags": ["all"], "customFields": {"source_system": "s3", "level": 1}})


def test_file_that_is_put_becomes_indexed(library: Library) -> None:
    library.deliver(library.put(KEY, b"The night ferry leaves at 23:40."))
    row = library.row(KEY)
    assert (row["status"], row["stage"], row["username"]) == ("INGESTION_PENDING", "queued", "system")
    library.work()
    row = library.row(KEY)
    assert (row["status"], row["stage"], row["chunks"]) == ("INGESTION_COMPLETED", "done", 1)
    assert (row["document_name"], row["ingestion_type"]) == ("a b+ü.txt", "auto")
    assert row["document_id"] == document_id_of(f"s3://{BUCKET}/{KEY}")
    assert library.job(row["job_id"])["status"] == "INGESTION_COMPLETED"
    assert library.index.texts() == ["The night ferry leaves at 23:40."]
    [indexed] = library.index.documents.values()
    assert (indexed.metadata["tags"], indexed.metadata["level"]) == (["all"], 1)
    assert "open" not in library.documents.scan()["Items"][0]


def test_execution_is_told_ids_only(library: Library) -> None:
    library.deliver(library.put(KEY, b"secret words"))
    [task] = library.executions("ingest_document")
    assert set(task) == {"repositoryId", "collectionId", "documentId", "jobId", "sequencer"}


def test_pages_and_batches_survive_the_way(library: Library) -> None:
    library.add_collection("small", chunkingStrategy={"type": "fixed", "size": 100, "overlap": 10})
    key = "docs/small/big.pdf"
    pages = ["\n".join(f"Line {line} of page {page} tells of ferries" for line in range(30)) for page in range(12)]
    library.deliver(library.put(key, files.pdf(*pages)))
    library.work()
    row = library.row(key)
    [chunks] = library.index.held.values()
    assert (row["status"], row["chunks"]) == ("INGESTION_COMPLETED", len(chunks))
    assert len(chunks) > 64
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert all(f"page {(chunk.page or 0) - 1}" in chunk.text for chunk in chunks)


def test_every_order_of_the_same_events_ends_the_same(library: Library) -> None:
    for number, order in enumerate(itertools.permutations(range(3))):
        key = f"docs/minilm/{number}.txt"
        events = [library.put(key, b"first"), library.put(key, b"second"), library.put(key, b"third")]
        for index in order:
            assert library.deliver(events[index], events[index]) == []
        library.work()
        assert library.row(key)["status"] == "INGESTION_COMPLETED", order
    assert library.index.texts() == ["third"] * 6
    jobs = library.jobs.scan()["Items"]
    statuses = {(job["status"], "Replaced" in (job.get("error_message") or "")) for job in jobs}
    assert statuses <= {("INGESTION_COMPLETED", False), ("INGESTION_FAILED", True)}


def test_deleted_file_leaves_index_and_list_and_stays_away(library: Library) -> None:
    made = library.put(KEY, b"Clove auctions")
    library.deliver(made)
    library.work()
    gone = library.remove(KEY)
    library.deliver(gone, gone)
    assert library.row(KEY)["status"] == "DELETE_PENDING"
    library.work()
    assert library.row(KEY) == {}
    assert library.index.texts() == []
    document_id = document_id_of(f"s3://{BUCKET}/{KEY}")
    assert library.call("GET", f"/repository/docs/{document_id}").status == 404
    library.deliver(made)
    library.work()
    assert library.row(KEY) == {}
    [tombstone] = library.documents.scan()["Items"]
    assert (tombstone["status"], "expires_at" in tombstone) == ("DELETE_COMPLETED", True)
    library.deliver(library.put(KEY, b"Back again"))
    library.work()
    assert library.index.texts() == ["Back again"]
    assert "expires_at" not in library.documents.scan()["Items"][0]


def test_delete_that_comes_before_its_create_wins(library: Library) -> None:
    made = library.put(KEY, b"Clove auctions")
    gone = library.remove(KEY)
    library.deliver(gone)
    library.deliver(made)
    library.work()
    assert (library.row(KEY), library.index.texts()) == ({}, [])


def test_delete_during_an_ingestion_wins(library: Library) -> None:
    library.deliver(library.put(KEY, b"Clove auctions"))
    [task] = library.executions("ingest_document")
    parsed = invoke("parse_document", task)
    library.deliver(library.remove(KEY))
    library.work()
    shared = {name: task[name] for name in ("documentId", "jobId", "sequencer")}
    invoke("embed_chunks", {**shared, "embeddingModel": parsed["embeddingModel"], "batch": 0})
    with pytest.raises(Exception, match="took over"):
        invoke("index_document", {**task, "batches": [0]})
    outcome = invoke("fail_document", {**task, "error": {"Error": "SupersededError", "Cause": "{}"}})
    assert outcome["failed"] is False
    assert (library.row(KEY), library.index.texts()) == ({}, [])
    assert library.job(task["jobId"])["status"] == "INGESTION_FAILED"


def test_old_version_that_is_purged_changes_nothing(library: Library) -> None:
    first = library.put(KEY, b"first")
    second = library.put(KEY, b"second")
    library.deliver(first, second)
    library.work()
    old = first["detail"]["object"]["version-id"]
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=KEY, VersionId=old)
    library.deliver(library.event("Object Deleted", KEY, old, "Permanently Deleted"))
    library.work()
    assert library.index.texts() == ["second"]
    assert library.row(KEY)["status"] == "INGESTION_COMPLETED"


def test_removed_delete_marker_brings_the_document_back(library: Library) -> None:
    library.deliver(library.put(KEY, b"first"))
    gone = library.remove(KEY)
    library.deliver(gone)
    library.work()
    marker = gone["detail"]["object"]["version-id"]
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=KEY, VersionId=marker)
    library.deliver(library.event("Object Deleted", KEY, marker, "Permanently Deleted"))
    library.work()
    assert library.index.texts() == ["first"]


@pytest.mark.parametrize("key", ["docs/", "docs/minilm/", "docs/minilm/folder/", "other/minilm/a.txt", "loose.txt"])
def test_object_that_is_no_document_makes_no_row(library: Library, key: str) -> None:
    assert library.deliver(library.put(key, b"x"), library.remove(key)) == []
    assert library.documents.scan()["Items"] == []
    assert library.jobs.scan()["Items"] == []


def test_unknown_collection_makes_a_failed_row_that_an_admin_sees(library: Library) -> None:
    key = "docs/nowhere/a.txt"
    library.deliver(library.put(key))
    row = library.row(key)
    assert row["status"] == "INGESTION_FAILED"
    assert "nowhere" in row["error_message"]
    assert library.job(row["job_id"])["error_message"] == row["error_message"]
    assert library.executions("ingest_document") == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"status": "ARCHIVED"}, "INGESTION_FAILED"), ({"status": "DELETE_IN_PROGRESS"}, "INGESTION_FAILED")],
)
def test_closed_collection_takes_no_documents(library: Library, fields: dict[str, Any], status: str) -> None:
    library.add_collection("closed", **fields)
    library.deliver(library.put("docs/closed/a.txt"))
    assert library.row("docs/closed/a.txt")["status"] == status


def test_bad_event_fails_alone(library: Library) -> None:
    good = library.put(KEY)
    assert library.deliver({"detail": None}, good, {"detail-type": "Object Created", "detail": {}}) == ["m0", "m2"]
    assert library.row(KEY)["status"] == "INGESTION_PENDING"


def test_two_hundred_files_each_start_one_execution(library: Library) -> None:
    events = [library.put(f"docs/minilm/many/{number:03}.txt", b"part") for number in range(60)]
    for start in range(0, len(events), 10):
        assert library.deliver(*events[start : start + 10], events[0]) == []
    assert len({task["documentId"] for task in library.executions("ingest_document")}) == 60


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("empty.txt", lambda: b"", "empty"),
        ("locked.pdf", lambda: files.pdf("hidden", password="x"), "password"),
        ("scan.pdf", files.scanned_pdf, "OCR"),
        ("bomb.docx", lambda: files.bomb_word(600), "unpacks"),
        ("tool.exe", lambda: b"MZ" + b"\x00" * 99, "not supported"),
    ],
)
def test_bad_file_ends_failed_with_its_reason(
    library: Library, name: str, body: Callable[[], bytes], reason: str
) -> None:
    key = f"docs/minilm/{name}"
    library.deliver(library.put(key, body()))
    library.work()
    row = library.row(key)
    assert row["status"] == "INGESTION_FAILED"
    assert reason in row["error_message"]
    assert library.job(row["job_id"])["error_message"] == row["error_message"]


def test_unforeseen_failure_tells_no_stack_trace(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("internal detail")

    monkeypatch.setattr("lisa.ingestion.parsing.process.parse", broken)
    library.deliver(library.put(KEY))
    library.work()
    message = library.row(KEY)["error_message"]
    assert "KeyError" in message
    assert "Retry" in message
    assert "internal detail" not in message
    assert "secret line" not in message


def test_failure_says_whose_it_is(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.deliver(library.put("docs/minilm/empty.txt", b""), library.put(KEY))
    tasks = library.executions("ingest_document")
    assert library.run_ingestion(tasks[0])["fault"] is False

    def refuse(*_: Any) -> None:
        raise UpstreamError("Model minilm refused: 400.")

    monkeypatch.setattr("lisa.serve_client.embed", refuse)
    assert library.run_ingestion(tasks[1])["fault"] is True
    assert library.row(KEY)["error_message"] == "Model minilm refused: 400."


def test_overwriting_keeps_the_old_text_until_the_new_is_indexed(library: Library) -> None:
    library.deliver(library.put(KEY, b"old"))
    library.work()
    library.deliver(library.put(KEY, b""))
    library.work()
    row = library.row(KEY)
    assert (row["status"], row["chunks"], library.index.texts()) == ("INGESTION_FAILED", 1, ["old"])


def test_answer_of_a_finished_task_that_was_lost_is_given_again(library: Library) -> None:
    library.deliver(library.put(KEY, b"words"))
    [task] = library.executions("ingest_document")
    library.run_ingestion(task)
    assert invoke("index_document", {**task, "batches": [0]}) == {"chunkCount": 1}
    library.deliver(library.remove(KEY))
    [task] = library.executions("delete_document")
    invoke("remove_document", task)
    invoke("remove_document", task)
    assert library.row(KEY) == {}


def test_failed_deletion_says_so_and_is_tried_again(library: Library) -> None:
    library.deliver(library.put(KEY, b"words"))
    library.work()
    library.deliver(library.remove(KEY))
    library.index.broken = True
    library.work()
    row = library.row(KEY)
    assert (row["status"], row["error_message"]) == ("DELETE_FAILED", "The database did not answer.")
    library.index.broken = False
    answer = library.call("POST", f"/repository/docs/{row['document_id']}/retry")
    assert answer.body["status"] == "DELETE_PENDING"
    library.work()  # the object is gone, so no event comes: the API has started the machine itself
    assert library.row(KEY) == {}
    assert library.job(answer.body["jobId"])["status"] == "DELETE_COMPLETED"


def test_sweeper_fails_what_went_silent_but_not_what_runs(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.deliver(library.put(KEY), library.put("docs/minilm/dead.txt"))
    invoke("on_schedule", {})
    assert library.row(KEY)["status"] == "INGESTION_PENDING"
    client = boto3.client("stepfunctions")
    for execution in client.list_executions(stateMachineArn=library.machines["ingest_document"])["executions"]:
        told = json.loads(client.describe_execution(executionArn=execution["executionArn"])["input"])
        if told["documentId"] == library.row("docs/minilm/dead.txt")["document_id"]:
            client.stop_execution(executionArn=execution["executionArn"])
    later = now() + sweeping.SILENCE + timedelta(minutes=1)
    monkeypatch.setattr("functions.ingestion.on_schedule.now", lambda: later)
    invoke("on_schedule", {})
    assert library.row(KEY)["status"] == "INGESTION_PENDING"
    row = library.row("docs/minilm/dead.txt")
    assert row["status"] == "INGESTION_FAILED"
    assert "went silent" in row["error_message"]
    assert library.job(row["job_id"])["status"] == "INGESTION_FAILED"
