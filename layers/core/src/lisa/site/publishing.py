"""Rules of publishing the page: new files first, then the manifest, then the old files go."""

import gzip
import hashlib
import json
import mimetypes
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from lisa.errors import BadRequestError
from lisa.site.schemas import Manifest, SiteFile
from lisa.site.service import ENCODINGS, INDEX

CONFIG = "config.json"
TYPES = {  # not left to the host's own table
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
TEXT = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
SMALLEST_COMPRESSED = 1024
LARGEST_FILE = 4 * 1024 * 1024  # a function answers 6 MB at most, and base64 adds a third
ORIGIN = re.compile(r"(https?://[A-Za-z0-9.-]+(:\d+)?)(/|$)")
ADDRESSES = ("authority", "logoutUrl")  # of the configuration: what the page calls to sign in and out


class PublishingStore(Protocol):
    def manifest(self) -> Manifest: ...
    def write_manifest(self, manifest: Manifest) -> None: ...
    def write(self, key: str, body: bytes, content_type: str) -> None: ...
    def delete(self, keys: list[str]) -> None: ...


def publish(store: PublishingStore, folder: Path, config: Mapping[str, Any], connect_sources: list[str]) -> int:
    """Makes the bucket hold the folder's files and `config.json`; answers how many files were uploaded.

    Raises: BadRequestError when the folder holds no page, or a file that cannot be served.
    """
    contents = dict(_contents(folder))
    if INDEX not in contents:
        raise BadRequestError(f"The artifact has no site/{INDEX}. Build the page, then deploy again.")
    contents[CONFIG] = json.dumps(config, indent=1, sort_keys=True).encode()
    former = store.manifest()
    uploaded = 0
    files: dict[str, SiteFile] = {}
    for path in sorted(contents, key=lambda name: name == INDEX):  # the page goes after what it loads
        if path.endswith((".gz", ".br")) and path[:-3] in contents:
            continue
        variants = _variants(path, contents)
        files[path] = SiteFile(
            digest=hashlib.sha256(contents[path]).hexdigest(), content_type=content_type(path), encodings=list(variants)
        )
        if former.files.get(path) != files[path]:
            uploaded += 1
            store.write(path, contents[path], files[path].content_type)
            for encoding, body in variants.items():
                store.write(path + dict(ENCODINGS)[encoding], body, files[path].content_type)
    origins = {origin for url in [*connect_sources, *map(config.get, ADDRESSES)] if (origin := origin_of(url))}
    current = Manifest(files=files, connect_sources=sorted(origins))
    store.write_manifest(current)
    store.delete(sorted(_keys(former) - _keys(current)))
    return uploaded


def withdraw(store: PublishingStore) -> None:
    """Removes the page, if there is one."""
    former = store.manifest()
    if former.files:
        store.write_manifest(Manifest())
        store.delete(sorted(_keys(former)))


def content_type(path: str) -> str:
    kind = TYPES.get(Path(path).suffix.lower()) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def origin_of(url: object) -> str | None:
    """`https://host:port` of an address; anything else would widen the content security policy."""
    found = ORIGIN.match(url) if isinstance(url, str) else None
    return found[1] if found else None


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if not file.is_file() or path.endswith(".map") or any(part.startswith(".") for part in path.split("/")):
            continue
        body = file.read_bytes()
        if len(body) > LARGEST_FILE:
            raise BadRequestError(
                f"site/{path} is over {LARGEST_FILE // 1024 // 1024} MB. Split it, then deploy again."
            )
        yield path, body


def _variants(path: str, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Compressed forms that the build left beside a file, and gzip where it is worth the while."""
    body = contents[path]
    found = {encoding: contents[path + suffix] for encoding, suffix in ENCODINGS if path + suffix in contents}
    if "gzip" not in found and len(body) >= SMALLEST_COMPRESSED and content_type(path).startswith(TEXT):
        found["gzip"] = gzip.compress(body, mtime=0)
    return {encoding: packed for encoding, packed in found.items() if len(packed) < len(body)}


def _keys(manifest: Manifest) -> set[str]:
    suffixes = dict(ENCODINGS)
    variants = {path + suffixes[name] for path, file in manifest.files.items() for name in file.encodings}
    return set(manifest.files) | variants
