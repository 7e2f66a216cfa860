"""The edge of every HTTP function: routing, validation, one error shape, security headers, the caller."""

import binascii
import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.shared.json_encoder import Encoder
from pydantic import ValidationError

from lisa.auth.schemas import AuthType, Caller, GroupSettings, caller_of
from lisa.errors import AppError, BadRequestError, InvalidError, TooLargeError, UnauthorizedError, body

MAX_BODY_BYTES = 6 * 1024 * 1024  # what Lambda itself accepts
MAX_DEPTH = 100
CONTENT_TYPE = "content-type"
HEADERS = {
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NULL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # not the text backslash-u0000, whose backslash is doubled
logger = Logger()


class JsonResolver(APIGatewayRestResolver):
    """Reads every body as JSON, whatever its content type claims: the original never looked at it."""

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        headers = {name: value for name, value in (event.get("headers") or {}).items() if name.lower() != CONTENT_TYPE}
        return super().resolve({**event, "headers": {**headers, CONTENT_TYPE: "application/json"}}, context)


def to_json(value: Any) -> str:
    """Text in its own characters: escapes would double the size of, say, Chinese (a function answers 6 MB at most)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), cls=Encoder)


def parse_json(text: str) -> Any:
    """A body as JSON that can be stored and sent back: valid Unicode, finite numbers, no abyss of brackets.

    Raises: TooLargeError, BadRequestError.
    """
    if len(text) > MAX_BODY_BYTES:
        raise TooLargeError(f"The body is over {MAX_BODY_BYTES // 1024 // 1024} MB. Send less at once.")
    if "\x00" in text or _NULL_ESCAPE.search(text):
        raise BadRequestError("The body has null characters. Remove them.")
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise BadRequestError(f"The body is not JSON: {error.msg} at character {error.pos}.") from error
    except (RecursionError, ValueError) as error:  # ValueError: an integer of over 4300 digits
        raise BadRequestError("The body is nested too deeply, or has a number that is too long.") from error
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value)
    if "\\ud" in text.lower():
        _check_unicode(value)
    return value


def _refuse_constant(name: str) -> None:
    raise BadRequestError(f"The body has {name}, which is not JSON. Send a number or null.")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        containers = [part for part in level if isinstance(part, dict | list)]
        if not containers:
            return
        level = [inner for part in containers for inner in (part.values() if isinstance(part, dict) else part)]
    raise BadRequestError(f"The body is nested more than {MAX_DEPTH} levels deep.")


def _check_unicode(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadRequestError("The body has half of a character (an unpaired surrogate). Send valid text.") from error


def api() -> APIGatewayRestResolver:
    """A resolver that validates by type hints and answers every error as {code, message, requestId, details?}."""
    app = JsonResolver(enable_validation=True, serializer=to_json, json_body_deserializer=parse_json)

    def answer(status: int, shape: dict[str, Any]) -> Response[str]:
        return Response(status, content_types.APPLICATION_JSON, json.dumps(shape), headers=dict(HEADERS))

    def request_id() -> str:
        return str(app.current_event.request_context.request_id or "")

    @app.exception_handler(AppError)
    def on_app_error(error: AppError) -> Response[str]:
        return answer(error.status, body(error, request_id()))

    @app.exception_handler([RequestValidationError, ValidationError])
    def on_invalid(error: RequestValidationError | ValidationError) -> Response[str]:
        details = [{"field": ".".join(map(str, e["loc"])), "problem": e["msg"]} for e in error.errors()]
        first = details[0] if details else {"field": "body", "problem": "is not valid"}
        invalid = InvalidError(f"{first['field']}: {first['problem']}", details)
        return answer(invalid.status, body(invalid, request_id()))

    @app.exception_handler([UnicodeDecodeError, binascii.Error])
    def on_bytes(_: Exception) -> Response[str]:
        refusal = BadRequestError("The body is not UTF-8 text.")
        return answer(refusal.status, body(refusal, request_id()))

    @app.exception_handler(ServiceError)
    def on_service_error(error: ServiceError) -> Response[str]:
        code = HTTPStatus(error.status_code).name.lower()
        return answer(error.status_code, {"code": code, "message": error.msg, "requestId": request_id()})

    @app.exception_handler(Exception)
    def on_bug(error: Exception) -> Response[str]:
        logger.exception("unexpected failure", error_type=type(error).__name__)
        return answer(
            500,
            body(
                AppError("Something went wrong on our side. Try again, or give an administrator the request id."),
                request_id(),
            ),
        )

    @app.not_found
    def on_unknown_route(_: Exception) -> Response[str]:
        return answer(404, {"code": "not_found", "message": "No such route.", "requestId": request_id()})

    app.use(middlewares=[_secure])
    return app


def _secure(app: APIGatewayRestResolver, call_next: Callable[[APIGatewayRestResolver], Response[Any]]) -> Response[Any]:
    response = call_next(app)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def json_string(text: str) -> Response[str]:
    """A JSON string as the body: the resolver sends a bare `str` as it is, without quotes."""
    return Response(200, content_types.APPLICATION_JSON, json.dumps(text, ensure_ascii=False))


def caller(app: APIGatewayRestResolver) -> Caller:
    """The caller, as the authorizer told API Gateway. Raises: UnauthorizedError when there was no authorizer."""
    context = app.current_event.request_context.authorizer.raw_event or {}
    if not context.get("username"):
        raise UnauthorizedError("Sign in, or send an API token in the Authorization header.")
    groups = json.loads(context.get("groups") or "[]")
    return caller_of(context["username"], groups, AuthType(context["authType"]), GroupSettings.load())
