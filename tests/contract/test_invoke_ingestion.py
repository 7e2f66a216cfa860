"""The samples of documents and ingestion work on the handlers that `sam local invoke` would run."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from lisa.errors import UnavailableError
from lisa.ingestion.errors import SupersededError

from tests.fixtures.control_plane import Context
from tests.fixtures.control_plane import cloud as cloud
from tests.fixtures.ingestion import Library
from tests.fixtures.ingestion import library as library

SAMPLES = Path(__file__).parents[2] / "events" / "invoke"


def invoke(module: str, sample: Path) -> Any:
    return importlib.import_module(f"functions.{module}").handler(json.loads(sample.read_text()), Context())


@pytest.mark.parametrize("sample", sorted((SAMPLES / "DocumentsFunction").glob("*.json")), ids=lambda path: path.stem)
def test_http_sample_is_answered(library: Library, sample: Path) -> None:
    assert invoke("documents.api", sample)["statusCode"] == (404 if "unknown" in sample.stem else 200)


def test_change_in_an_unknown_repository_is_no_failure(library: Library) -> None:
    sample = SAMPLES / "OnObjectChangeFunction" / "unknown_repository.json"
    assert invoke("ingestion.on_object_change", sample) == {"batchItemFailures": []}


def test_malformed_change_is_reported(library: Library) -> None:
    answer = invoke("ingestion.on_object_change", SAMPLES / "OnObjectChangeFunction" / "malformed.json")
    assert len(answer["batchItemFailures"]) == 1


@pytest.mark.parametrize("task", ["parse_document", "index_document", "remove_document"])
def test_task_of_a_document_that_is_gone_says_so(library: Library, task: str) -> None:
    function = "".join(part.capitalize() for part in task.split("_")) + "Function"
    with pytest.raises(SupersededError):
        invoke(f"ingestion.{task}", SAMPLES / function / "overtaken.json")


def test_batch_that_is_not_there_fails(library: Library) -> None:
    with pytest.raises(UnavailableError, match="Try the document again"):
        invoke("ingestion.embed_chunks", SAMPLES / "EmbedChunksFunction" / "missing_batch.json")


def test_failure_of_an_overtaken_attempt_is_none(library: Library) -> None:
    answer = invoke("ingestion.fail_document", SAMPLES / "FailDocumentFunction" / "overtaken.json")
    assert answer == {"failed": False, "fault": False, "status": None, "reason": ""}


def test_schedule_sweeps_nothing_of_nothing(library: Library) -> None:
    invoke("ingestion.on_schedule", SAMPLES / "SweepDocumentsFunction" / "schedule.json")
