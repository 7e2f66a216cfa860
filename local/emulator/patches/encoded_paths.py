"""A REST API's path stays as the client encoded it, as on AWS: `%2F` in a name is no slash, and functions decode it."""

from typing import Any


def install() -> None:
    """Route by the raw path; ministack takes the server's, which is decoded."""
    from ministack import app

    original = app._handle_execute_api_request

    async def handle(host: str, path: str, *more: Any, raw_path: str | None = None, **options: Any) -> Any:
        return await original(host, raw_path or path, *more, raw_path=raw_path, **options)

    app._handle_execute_api_request = handle
