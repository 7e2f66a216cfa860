"""The published page: which files it has, and what a browser asks for."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from lisa.schemas import Schema


class SiteFile(Schema):
    """A published file; `encodings` are the compressed variants that lie beside it: `gzip`, `br`."""

    digest: str = Field(description="SHA-256 of the uncompressed bytes, in hex")
    content_type: str
    encodings: list[str] = []


class Manifest(Schema):
    """Written last by a deploy: a file that it does not list is not served."""

    files: dict[str, SiteFile] = {}
    connect_sources: list[str] = Field([], description="origins that the page may call beside its own")


class SiteRequest(Schema):
    """A GET. Header names are in lower case."""

    path: str
    headers: dict[str, str] = {}

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "SiteRequest":
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        return cls(path=event.get("path") or "/", headers=headers)


class SiteAnswer(Schema):
    status: int
    headers: dict[str, str]
    body: bytes = b""
