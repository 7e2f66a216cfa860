"""Failures at the gateway, in a body that satisfies OpenAI's or Anthropic's SDKs and LISA's one shape alike.

AppError (lisa.errors)
├── MethodNotAllowedError   405 method_not_allowed
├── RequestTimeoutError     408 request_timeout
├── ModelNotFoundError      404 model_not_found
├── GuardrailTriggeredError 400 guardrail_triggered
├── UpstreamTimeoutError    504 upstream_timeout
├── UnreadableAnswerError   502 upstream_failed
├── DrainingError           503 shutting_down
└── AnsweredError           the status and code that somebody else gave
    └── LimitExceededError  429 rate_limit_exceeded | budget_exceeded
ClientLeftError             nobody is there to be answered
"""

from collections.abc import Iterable
from typing import Any

import orjson
from lisa import errors
from lisa.errors import AppError, NotFoundError, UnavailableError, UpstreamError

from gateway.operations import Operation, Protocol


class MethodNotAllowedError(AppError):
    status, code = 405, "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"Use {allowed} here.")
        self.allowed = allowed


class RequestTimeoutError(AppError):
    status, code = 408, "request_timeout"


class ModelNotFoundError(NotFoundError):
    code = "model_not_found"

    def __init__(self, model_id: str) -> None:
        super().__init__(
            f"The model `{model_id[:128]}` does not exist or you may not use it. GET /v1/models lists yours."
        )


class GuardrailTriggeredError(AppError):
    """A guardrail blocked a text; `message` is what it wants to be answered in its place."""

    status, code = 400, "guardrail_triggered"


class UpstreamTimeoutError(UpstreamError):
    status, code = 504, "upstream_timeout"


class UnreadableAnswerError(AppError):
    """An upstream answered, but its answer cannot be translated. No UpstreamError: the same answer would come again."""

    status, code = 502, "upstream_failed"


class DrainingError(UnavailableError):
    code = "shutting_down"


class AnsweredError(AppError):
    """Another service answered with an error that the caller can act on; `headers` (say, Retry-After) go with it."""

    def __init__(self, status: int, code: str, message: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(message)
        self.given_status = status
        self.given_code = code
        self.headers = tuple(headers)

    @property
    def retry_after(self) -> float | None:
        """Seconds until it is worth trying again, where that was said."""
        wait = dict(self.headers).get(b"retry-after", b"")
        return float(wait) if wait.isdigit() else None


class LimitExceededError(AnsweredError):
    """A rate limit or a budget does not allow the call; it may before `retry_after` seconds have passed."""

    def __init__(self, code: str, message: str, retry_after: int) -> None:
        super().__init__(429, code, message, [(b"retry-after", str(retry_after).encode())])


class ClientLeftError(Exception):
    """The client closed the connection before its answer was complete."""


_OPENAI = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_ANTHROPIC = {
    **_OPENAI,
    402: "billing_error",
    404: "not_found_error",
    413: "request_too_large",
    503: "overloaded_error",
    504: "timeout_error",
}


def status_of(error: AppError) -> int:
    return error.given_status if isinstance(error, AnsweredError) else error.status


def error_body(error: AppError, request_id: str, protocol: Protocol = Protocol.OPENAI) -> bytes:
    """`{"error": {message, type, code, param}, code, message, requestId, details?}`, as the protocol's SDK reads it."""
    return orjson.dumps(_shape(error, request_id, protocol), default=str)


def _shape(error: AppError, request_id: str, protocol: Protocol) -> dict[str, Any]:
    status = status_of(error)
    shape = errors.body(error, request_id)
    if isinstance(error, AnsweredError):
        shape["code"] = error.given_code
    shape["message"] = error.message.encode(errors="replace").decode()  # half a character is no JSON
    inner = {"message": shape["message"], "code": shape["code"], "param": None}
    if protocol is Protocol.ANTHROPIC:
        kind = _ANTHROPIC.get(status) or ("invalid_request_error" if status < 500 else "api_error")
        return {"type": "error", "error": {**inner, "type": kind}, "request_id": request_id, **shape}
    kind = _OPENAI.get(status) or ("invalid_request_error" if status < 500 else "server_error")
    return {"error": {**inner, "type": kind}, **shape}


def error_event(error: AppError, request_id: str, operation: Operation | None = None) -> bytes:
    """The last event of a stream that could not be completed."""
    protocol = operation.protocol if operation else Protocol.OPENAI
    shape = _shape(error, request_id, protocol)
    if operation is None or not operation.names_events:
        return b"data: " + orjson.dumps(shape, default=str) + b"\n\n"
    return b"event: error\ndata: " + orjson.dumps({"type": "error", **shape}, default=str) + b"\n\n"
