"""Rules of serving the page: which file, which variant, how long it may be kept, what it may load."""

import json
import re
from collections.abc import Callable
from typing import Protocol
from urllib.parse import unquote

from lisa import errors
from lisa.errors import AppError, NotFoundError, UnavailableError
from lisa.memory import Remembered
from lisa.site.schemas import Manifest, SiteAnswer, SiteFile, SiteRequest

INDEX = "index.html"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))  # the better one first
MANIFEST_SECONDS = 5.0
MEMORY_BYTES = 48 * 1024 * 1024
HASHED = re.compile(r"^assets/")  # Vite puts a digest into these names
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


class SiteStore(Protocol):
    def manifest(self) -> Manifest: ...
    def read(self, key: str) -> bytes: ...


class Site:
    """Serves one published page; files stay in memory between requests, at most MEMORY_BYTES of them."""

    def __init__(self, store: SiteStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._manifest = Remembered(store.manifest, clock)
        self._memory: dict[tuple[str, str], bytes] = {}
        self._held = 0

    def answer(self, request: SiteRequest, request_id: str) -> SiteAnswer:
        """Never raises for what a caller can send: trouble is an answer in the one JSON shape of errors."""
        try:
            return self._find(request)
        except AppError as error:
            body = json.dumps(errors.body(error, request_id)).encode()
            headers = {"Content-Type": "application/json", "Cache-Control": "no-store", **SECURITY_HEADERS}
            return SiteAnswer(status=error.status, headers=headers, body=body)

    def _find(self, request: SiteRequest) -> SiteAnswer:
        manifest = self._manifest.get(MANIFEST_SECONDS)
        if INDEX not in manifest.files:
            raise UnavailableError("The page is not published yet. Deploy the stack, then reload.")
        path = unquote(request.path).removeprefix("/") or INDEX
        file = manifest.files.get(path)
        if file is None:
            if _is_navigation(path, request):
                return _to_the_page(path)
            raise NotFoundError("No such route.")
        return self._file(path, file, manifest, request)

    def _file(self, path: str, file: SiteFile, manifest: Manifest, request: SiteRequest) -> SiteAnswer:
        encoding, suffix = _best_encoding(file, request.headers.get("accept-encoding", ""))
        tag = f'"{file.digest[:32]}{suffix}"'
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if HASHED.match(path) else "no-cache",
            "Content-Type": file.content_type,
            "ETag": tag,
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": content_security_policy(manifest.connect_sources),
            **SECURITY_HEADERS,
        }
        if _matches(request.headers.get("if-none-match", ""), tag):
            return SiteAnswer(status=304, headers=headers)
        if encoding:
            headers["Content-Encoding"] = encoding
        return SiteAnswer(status=200, headers=headers, body=self._read(path + suffix, file.digest))

    def _read(self, key: str, digest: str) -> bytes:
        known = self._memory.get((key, digest))
        if known is not None:
            return known
        body = self._store.read(key)
        if self._held + len(body) > MEMORY_BYTES:
            self._memory.clear()
            self._held = 0
        self._memory[key, digest] = body
        self._held += len(body)
        return body


def content_security_policy(connect_sources: list[str]) -> str:
    """Scripts only from our own files. Cloudscape sets style attributes, hence 'unsafe-inline' for styles alone."""
    connect = " ".join(["'self'", *connect_sources])
    return (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"font-src 'self' data:; connect-src {connect}; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _is_navigation(path: str, request: SiteRequest) -> bool:
    wants_html = "text/html" in request.headers.get("accept", "")
    return wants_html and "." not in path.rpartition("/")[2]


def _to_the_page(path: str) -> SiteAnswer:
    """The page's own addresses are relative and its routes lie behind a `#`: it works at its root only."""
    location = "../" * path.count("/") or "./"
    return SiteAnswer(status=302, headers={"Location": location, "Cache-Control": "no-store", **SECURITY_HEADERS})


def _best_encoding(file: SiteFile, accepted: str) -> tuple[str, str]:
    offers = [offer.replace(" ", "").lower().partition(";") for offer in accepted.split(",")]
    names = {name for name, _, weight in offers if not re.fullmatch(r"q=0(\.0*)?", weight)}
    return next(((n, suffix) for n, suffix in ENCODINGS if n in file.encodings and n in names), ("", ""))


def _matches(condition: str, tag: str) -> bool:
    known = {candidate.strip().removeprefix("W/") for candidate in condition.split(",")}
    return tag in known or "*" in known
