"""Nonsense of every sort gets a clear JSON error, never a 5xx, on every route."""

from typing import Any

import pytest
import requests

from tests.e2e.clients import Api, Library

NONSENSE: list[Any] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"[[[[[[[[[[]]]]]]]]]]",
    b'{"a":' * 500 + b"1" + b"}" * 500,
    b'{"keys": 5, "messages": {}, "name": [], "query": {}, "modelId": null, "topK": "many"}',
    '{"query": "\u0000", "name": "\U0001f4a9"}'.encode(),
    b"\xff\xfe\x00binary",
]
ROUTES = [
    ("POST", "/models"),
    ("PUT", "/models/nope"),
    ("PUT", "/session/s-1"),
    ("PUT", "/session/s-1/name"),
    ("POST", "/api-tokens"),
    ("POST", "/api-tokens/ada"),
    ("PUT", "/configuration/global"),
    ("POST", "/repository"),
    ("PUT", "/repository/{id}"),
    ("POST", "/repository/{id}/collection"),
    ("PUT", "/repository/{id}/collection/nope"),
    ("POST", "/repository/{id}/bulk"),
    ("DELETE", "/repository/{id}/document"),
    ("POST", "/repository/{id}/similaritySearch"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nonsense_body_is_a_4xx_in_our_shape(admin: Api, library: Library, method: str, path: str) -> None:
    for body in NONSENSE:
        answer = admin.request(
            method, path.format(id=library.id), data=body, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500, (body[:40], answer.status_code, answer.text[:300])
        shape = answer.json()
        assert shape["code"] and shape["message"], shape


@pytest.mark.parametrize(
    "path",
    [
        "/models/nope",
        "/session/nope",
        "/api-tokens/nope",
        "/repository/nope",
        "/repository/{id}/7f1b6a0e-0000-4000-8000-000000000000",
        "/repository/{id}/collection/nope",
        "/repository/nope/similaritySearch?query=x",
        "/repository/nope/document",
    ],
)
def test_unknown_id_is_404_in_our_shape(admin: Api, library: Library, path: str) -> None:
    answer = admin.get(path.format(id=library.id))
    assert answer.status_code == 404, answer.text
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_at_the_gateway_is_a_4xx_that_the_sdk_can_read(stack: dict[str, Any], body: bytes) -> None:
    answer = requests.post(
        f"{stack['serve_url']}/v1/chat/completions",
        data=body,
        headers={"Authorization": f"Bearer {stack['api_token']}", "Content-Type": "application/json"},
        timeout=30,
    )
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]
