"""What people read when a document fails."""

import json

import pytest
from lisa.documents.schemas import DocumentStatus
from lisa.ingestion.reasons import is_fault, reason_of
from lisa.ingestion.schemas import StepError

STATUS = DocumentStatus.INGESTION_IN_PROGRESS


def step(kind: str, message: str = "", name: str | None = None) -> StepError:
    return StepError(
        error=name or kind, cause=json.dumps({"errorType": kind, "errorMessage": message, "stackTrace": ["x"]})
    )


@pytest.mark.parametrize("kind", ["EmptyDocumentError", "TooLargeError", "NotFoundError", "ConflictError"])
def test_message_written_for_people_is_told_as_it_is(kind: str) -> None:
    error = step(kind, "The file is empty (0 bytes).")
    assert (reason_of(error, STATUS), is_fault(error)) == ("The file is empty (0 bytes).", False)


def test_model_out_of_reach_is_told_and_is_an_operators_business() -> None:
    error = step("UnavailableError", "Model m is not available.")
    assert (reason_of(error, STATUS), is_fault(error)) == ("Model m is not available.", True)


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (step("KeyError", "'secret'"), "KeyError"),
        (StepError(error="States.Timeout"), "longer than a step"),
        (StepError(error="States.Timeout", cause="not JSON"), "longer than a step"),
        (step("", "2026 abc Task timed out after 300.00 seconds", "Lambda.Unknown"), "longer than a step"),
        (StepError(error="Lambda.TooManyRequestsException", cause="[]"), "Too many"),
        (StepError(), "unknown error"),
    ],
)
def test_trouble_of_ours_is_named_without_its_details(error: StepError, part: str) -> None:
    reason = reason_of(error, STATUS)
    assert part in reason
    assert "secret" not in reason
    assert is_fault(error)
    assert "deletion" in reason_of(error, DocumentStatus.DELETE_IN_PROGRESS)
