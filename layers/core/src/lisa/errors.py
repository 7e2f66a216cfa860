"""Every failure a caller can act on.

AppError                    500 internal
├── BadRequestError         400 bad_request
├── UnauthorizedError       401 unauthorized
├── ForbiddenError          403 forbidden
├── NotFoundError           404 not_found
├── ConflictError           409 conflict
├── TooLargeError           413 too_large
├── UnsupportedTypeError    415 unsupported_type
├── InvalidError            422 invalid
├── TooManyRequestsError    429 too_many_requests
├── UpstreamError           502 upstream_failed
└── UnavailableError        503 unavailable
"""

from typing import Any, ClassVar


class AppError(Exception):
    """`message` says what happened and what to do; `details` is JSON for programs."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str, details: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadRequestError(AppError):
    status, code = 400, "bad_request"


class UnauthorizedError(AppError):
    status, code = 401, "unauthorized"


class ForbiddenError(AppError):
    status, code = 403, "forbidden"


class NotFoundError(AppError):
    status, code = 404, "not_found"


class ConflictError(AppError):
    status, code = 409, "conflict"


class TooLargeError(AppError):
    status, code = 413, "too_large"


class UnsupportedTypeError(AppError):
    status, code = 415, "unsupported_type"


class InvalidError(AppError):
    status, code = 422, "invalid"


class TooManyRequestsError(AppError):
    status, code = 429, "too_many_requests"


class UpstreamError(AppError):
    status, code = 502, "upstream_failed"


class UnavailableError(AppError):
    status, code = 503, "unavailable"


def body(error: AppError, request_id: str) -> dict[str, Any]:
    """The one JSON shape of an error, at the control plane and at the gateway."""
    shape: dict[str, Any] = {"code": error.code, "message": error.message, "requestId": request_id}
    if error.details:
        shape["details"] = error.details
    return shape
