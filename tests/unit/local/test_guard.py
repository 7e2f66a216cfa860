"""Only the stack's own page may reach the emulator from a browser."""

import pytest

from local.emulator.guard import allowed_origins, guarded, is_welcome

ORIGINS = allowed_origins("http://localhost:8080", 4566)


@pytest.mark.parametrize(
    ("headers", "welcome"),
    [
        ({b"host": b"localhost:4566"}, True),
        ({b"host": b"documents.localhost:4566"}, True),
        ({b"host": b"127.0.0.1:4566", b"origin": b"http://localhost:8080"}, True),
        ({b"host": b"localhost:4566", b"origin": b"http://127.0.0.1:4566"}, True),
        ({b"host": b"localhost:4566", b"origin": b"https://evil.example"}, False),
        ({b"host": b"localhost:4566", b"origin": b"http://localhost:8081"}, False),
        ({b"host": b"localhost:4566", b"origin": b"null"}, False),
        ({b"host": b"evil.example:4566"}, False),
        ({b"host": b"evil.example"}, False),
        ({b"host": b"localhost.evil.example"}, False),
    ],
)
def test_who_is_welcome(headers: dict[bytes, bytes], welcome: bool) -> None:
    assert is_welcome(headers, ORIGINS) is welcome


async def test_a_stranger_is_answered_without_the_application() -> None:
    sent = []

    async def application(*_: object) -> None:
        pytest.fail("the emulator was reached")

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"host", b"evil.example")]}
    await guarded(application, ORIGINS)(scope, None, send)
    assert sent[0]["status"] == 403
