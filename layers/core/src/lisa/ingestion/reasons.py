"""A failed state becomes a sentence for the person who waits for the document."""

import json

from lisa.documents.schemas import DocumentStatus
from lisa.errors import AppError, TooManyRequestsError, UnavailableError, UpstreamError
from lisa.ingestion import errors as ingestion_errors
from lisa.ingestion.schemas import StepError

LIMIT = 1000


def _subclasses(kind: type[AppError]) -> set[str]:
    return {kind.__name__}.union(*(_subclasses(child) for child in kind.__subclasses__()))


# Every error whose message we wrote for people; naming the module makes its classes known.
WRITTEN_FOR_PEOPLE = _subclasses(AppError) | set(ingestion_errors.PARSING_ERRORS)
OPERATORS = {kind.__name__ for kind in (UnavailableError, UpstreamError, TooManyRequestsError)}
INFRASTRUCTURE = {
    "States.Timeout": "It took longer than a step may take.",
    "Sandbox.Timedout": "It took longer than a step may take.",
    "Lambda.TooManyRequestsException": "Too many documents came at once.",
    "States.DataLimitExceeded": "The document makes more parts than a run can hold.",
}


def is_fault(error: StepError) -> bool:
    """True when an operator has to look at it, because the document itself is not the reason."""
    kind, _ = _told(error)
    names = {kind, error.error}
    return not names & WRITTEN_FOR_PEOPLE or bool(names & OPERATORS)


def reason_of(error: StepError, status: DocumentStatus) -> str:
    """The message of an error that we raised, else what kind of trouble it was; never a stack trace."""
    kind, message = _told(error)
    if message and {kind, error.error} & WRITTEN_FOR_PEOPLE:
        return message[:LIMIT]
    if "Task timed out" in message:
        kind = "Sandbox.Timedout"
    what = "The deletion" if status.is_deletion else "The ingestion"
    known = INFRASTRUCTURE.get(kind) or INFRASTRUCTURE.get(error.error)
    why = known or f"It stopped with {kind or 'an unknown error'}, which is our fault, not the file's."
    return f"{what} did not finish. {why} Retry it; if that does not help, tell an administrator."


def _told(error: StepError) -> tuple[str, str]:
    """The class of the exception and its message, as Lambda wrote them into the cause."""
    try:
        cause = json.loads(error.cause)
    except ValueError:
        cause = {}
    cause = cause if isinstance(cause, dict) else {}
    return str(cause.get("errorType") or error.error), str(cause.get("errorMessage") or "")
