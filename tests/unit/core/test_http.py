"""The edge of the HTTP functions: one error shape, whatever goes wrong."""

import base64
import json
from typing import Annotated, Any

import pytest
from aws_lambda_powertools.event_handler.openapi.params import Body
from lisa.errors import AppError, NotFoundError, body
from lisa.http import HEADERS, MAX_BODY_BYTES, api, caller
from lisa.schemas import Schema


class Note(Schema):
    note_text: str


app = api()


@app.post("/notes")
def add(note: Annotated[Note, Body()]) -> Note:
    return note


@app.get("/me")
def me() -> dict[str, Any]:
    person = caller(app)
    return {"username": person.username, "groups": sorted(person.groups), "admin": person.is_admin}


@app.get("/missing")
def missing() -> Note:
    raise NotFoundError("There is no such note.")


@app.get("/bug")
def bug() -> Note:
    raise KeyError("secret detail")


def call(method: str, path: str, content: str | None = None, **context: Any) -> tuple[int, Any, dict[str, Any]]:
    return call_raw(method, path, content.encode() if content is not None else None, **context)


def call_raw(
    method: str, path: str, content: bytes | None, content_type: str = "application/json", **context: Any
) -> tuple[int, Any, dict[str, Any]]:
    answer = app.resolve(
        {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": {"Content-Type": content_type},
            "multiValueHeaders": {"Content-Type": [content_type]},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "pathParameters": None,
            "requestContext": {"requestId": "r-1", "authorizer": context, "path": path, "stage": "prod"},
            "body": base64.b64encode(content).decode() if content is not None else None,
            "isBase64Encoded": content is not None,
        },
        None,  # type: ignore[arg-type]
    )
    return answer["statusCode"], json.loads(answer["body"]), answer["multiValueHeaders"]


def test_body_is_camel_case_outside() -> None:
    assert call("POST", "/notes", '{"noteText": "hi"}')[:2] == (200, {"noteText": "hi"})


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [("{", 400, "bad_request"), ('{"noteText": 3}', 422, "invalid"), ("[]", 422, "invalid"), (None, 422, "invalid")],
)
def test_bad_body_is_refused_in_the_one_shape(content: str | None, status: int, code: str) -> None:
    answered, shape, _ = call("POST", "/notes", content)
    assert (answered, shape["code"], shape["requestId"]) == (status, code, "r-1")
    assert shape["message"]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"[" * 9000,
        b"[" * 101 + b"]" * 101,
        b'{"noteText": NaN}',
        b'{"noteText": %s}' % (b"9" * 5000),
        b'{"noteText": "%s"}' % (b"a" * MAX_BODY_BYTES),
        b'{"noteText": "\\u0000"}',
        b'{"noteText": "\\ud83d"}',
    ],
)
def test_hostile_bytes_are_a_client_error(raw: bytes) -> None:
    assert call_raw("POST", "/notes", raw)[0] in (400, 413)


def test_text_that_only_looks_hostile_is_kept() -> None:
    for text in ("\\u0000", "\U0001f4a9", "\\\\u0000", "[" * 200, "漢字"):
        assert call("POST", "/notes", json.dumps({"noteText": text}))[:2] == (200, {"noteText": text})


def test_body_is_json_whatever_its_content_type_says() -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert call_raw("POST", "/notes", b'{"noteText": "hi"}', kind)[0] == 200


def test_null_characters_are_refused() -> None:
    assert call("POST", "/notes", '{"noteText": "a\x00b"}')[0] == 400


def test_app_error_keeps_its_status_and_message() -> None:
    status, shape, _ = call("GET", "/missing")
    assert (status, shape) == (404, {"code": "not_found", "message": "There is no such note.", "requestId": "r-1"})


def test_bug_is_a_500_that_tells_nothing_of_itself() -> None:
    status, shape, _ = call("GET", "/bug")
    assert (status, shape["code"]) == (500, "internal")
    assert "secret" not in json.dumps(shape)


def test_unknown_route_is_404_in_the_one_shape() -> None:
    assert call("GET", "/nowhere")[1]["code"] == "not_found"


def test_every_answer_has_the_security_headers() -> None:
    for path in ("/me", "/missing", "/bug", "/nowhere"):
        headers = call("GET", path, username="ada", groups="[]", authType="jwt")[2]
        assert {name: headers[name] for name in HEADERS} == {name: [value] for name, value in HEADERS.items()}


def test_caller_is_who_the_authorizer_says(monkeypatch: pytest.MonkeyPatch) -> None:
    _, person, _ = call("GET", "/me", username="ada", groups='["admin", "x"]', authType="jwt")
    assert person == {"username": "ada", "groups": ["admin", "x"], "admin": True}


def test_call_without_authorizer_is_unauthorized() -> None:
    assert call("GET", "/me")[0] == 401


def test_error_body_has_details_only_when_there_are_some() -> None:
    assert "details" not in body(AppError("m"), "r")
    assert body(AppError("m", [{"field": "f"}]), "r")["details"] == [{"field": "f"}]
