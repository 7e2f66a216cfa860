"""Failures at the gateway, in a body that satisfies OpenAI's SDKs and LISA's one shape alike.

AppError (lisa.errors)
├── MethodNotAllowedError   405 method_not_allowed
├── RequestTimeoutError     408 request_timeout
├── ModelNotFoundError      404 model_not_found
├── UpstreamTimeoutError    504 upstream_timeout
├── DrainingError           503 shutting_down
└── AnsweredError           the status and code that somebody else gave
ClientLeftError             nobody is there to be answered
"""

from collections.abc import Iterable

import orjson
from lisa import errors
from lisa.errors import AppError, NotFoundError, UnavailableError, UpstreamError


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


class UpstreamTimeoutError(UpstreamError):
    status, code = 504, "upstream_timeout"


class DrainingError(UnavailableError):
    code = "shutting_down"


class AnsweredError(AppError):
    """Another service answered with an error that the caller can act on; `headers` (say, Retry-After) go with it."""

    def __init__(self, status: int, code: str, message: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(message)
        self.given_status = status
        self.given_code = code
        self.headers = tuple(headers)


class ClientLeftError(Exception):
    """The client closed the connection before its answer was complete."""


_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def status_of(error: AppError) -> int:
    return error.given_status if isinstance(error, AnsweredError) else error.status


def error_body(error: AppError, request_id: str) -> bytes:
    """`{"error": {message, type, code, param}, code, message, requestId, details?}`"""
    status = status_of(error)
    shape = errors.body(error, request_id)
    if isinstance(error, AnsweredError):
        shape["code"] = error.given_code
    kind = _TYPES.get(status) or ("invalid_request_error" if status < 500 else "server_error")
    inner = {"message": error.message, "type": kind, "code": shape["code"], "param": None}
    return orjson.dumps({"error": inner, **shape}, default=str)


def error_event(error: AppError, request_id: str) -> bytes:
    """The last event of a stream that could not be completed."""
    return b"data: " + error_body(error, request_id) + b"\n\n"
