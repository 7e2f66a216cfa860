"""Keeps other web pages out: whoever can call the emulator can run code on this machine."""

from typing import Any

REFUSAL = b"This page may not call the local stack."


def allowed_origins(page: str, port: int) -> frozenset[str]:
    """The page, and the emulator's own sign-in form, under both names of the loopback."""
    own = f"http://localhost:{port}"
    return frozenset(name.replace("localhost", host) for name in (page, own) for host in ("localhost", "127.0.0.1"))


def guarded(application: Any, origins: frozenset[str]) -> Any:
    """An ASGI application that refuses browsers on other pages, and names that somebody's DNS points here."""

    async def for_known_pages(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or is_welcome(dict(scope["headers"]), origins):
            await application(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": REFUSAL})

    return for_known_pages


def is_welcome(headers: dict[bytes, bytes], origins: frozenset[str]) -> bool:
    """Programs send no Origin; browsers do, and cannot choose the Host."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    host = headers.get(b"host", b"localhost").decode("latin-1").split(":")[0]
    is_ours = host in ("localhost", "127.0.0.1") or host.endswith((".localhost", ".amazonaws.com"))
    return is_ours and (not origin or origin in origins)
