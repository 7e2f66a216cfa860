"""Which file a browser gets, in which form, and how long it may keep it."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lisa.errors import UnavailableError
from lisa.site.schemas import Manifest, SiteAnswer, SiteFile, SiteRequest
from lisa.site.service import MANIFEST_SECONDS, Site

HTML = b"<!doctype html><title>LISA</title>"
SCRIPT = b"console.log(1);" * 200
PACKED = gzip.compress(SCRIPT)


class MemoryStore:
    def __init__(self) -> None:
        self.files = {
            "index.html": HTML,
            "config.json": b"{}",
            "assets/app-1a2b.js": SCRIPT,
            "assets/app-1a2b.js.gz": PACKED,
            "assets/app-1a2b.js.br": b"brotli",
            "secret.txt": b"not listed",
        }
        self.published: Manifest | None = Manifest(
            files={
                "index.html": SiteFile(digest="11", content_type="text/html; charset=utf-8"),
                "config.json": SiteFile(digest="22", content_type="application/json"),
                "assets/app-1a2b.js": SiteFile(
                    digest="33", content_type="text/javascript; charset=utf-8", encodings=["gzip", "br"]
                ),
            },
            connect_sources=["https://idp.example"],
        )
        self.reads: list[str] = []
        self.time = 0.0
        self.site = Site(self, lambda: self.time)

    def manifest(self) -> Manifest:
        self.reads.append("manifest")
        if self.published is None:
            raise UnavailableError("down")
        return self.published

    def read(self, key: str) -> bytes:
        self.reads.append(key)
        if key not in self.files:
            raise UnavailableError("being published")
        return self.files[key]

    def get(self, path: str, **headers: str) -> SiteAnswer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.site.answer(SiteRequest(path=path, headers=named), "request-1")


@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_page_is_checked_again_on_every_visit(path: str) -> None:
    answer = MemoryStore().get(path)
    assert (answer.status, answer.body) == (200, HTML)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_hashed_asset_is_kept_for_ever_and_the_configuration_never() -> None:
    store = MemoryStore()
    assert "immutable" in store.get("/assets/app-1a2b.js").headers["Cache-Control"]
    assert store.get("/config.json").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br; q=0.000, gzip;q=0", None),
        ("identity", None),
        ("", None),
    ],
)
def test_best_variant_that_the_browser_takes_is_sent(accepted: str, encoding: str | None) -> None:
    answer = MemoryStore().get("/assets/app-1a2b.js", accept_encoding=accepted)
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.body == {"br": b"brotli", "gzip": PACKED, None: SCRIPT}[encoding]
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_unchanged_file_is_not_sent_again() -> None:
    store = MemoryStore()
    tag = store.get("/").headers["ETag"]
    store.reads.clear()
    for condition in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = store.get("/", if_none_match=condition)
        assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", tag)
    assert store.get("/", if_none_match='"other"').status == 200
    assert store.reads == []


def test_variants_have_tags_of_their_own() -> None:
    store = MemoryStore()
    tags = {store.get("/assets/app-1a2b.js", accept_encoding=name).headers["ETag"] for name in ("", "gzip", "br")}
    assert len(tags) == 3


def test_navigation_to_an_unknown_place_leads_to_the_page() -> None:
    store = MemoryStore()
    for path, location in (("/chat", "./"), ("/chat/", "../"), ("/a/b", "../"), ("/a/b/c", "../../")):
        answer = store.get(path, accept="text/html,application/xhtml+xml")
        assert (answer.status, answer.headers["Location"]) == (302, location)


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/chat", "application/json"), ("/chat", ""), ("/missing.js", "text/html"), ("/assets/old-9f.js", "*/*")],
)
def test_everything_else_unknown_is_a_404_in_our_shape(path: str, accept: str) -> None:
    answer = MemoryStore().get(path, accept=accept)
    assert answer.status == 404
    assert json.loads(answer.body) == {"code": "not_found", "message": "No such route.", "requestId": "request-1"}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/../etc/passwd", "/%2e%2e/manifest.json", "/assets/../secret.txt", "/secret.txt", "//index.html", "/\x00"]
)
def test_only_listed_files_are_served(path: str) -> None:
    store = MemoryStore()
    assert store.get(path).status == 404
    assert store.reads == ["manifest"]


@given(st.text(max_size=60), st.sampled_from(["", "text/html"]))
def test_no_path_breaks_the_site(path: str, accept: str) -> None:
    answer = MemoryStore().get(path, accept=accept)
    assert answer.status in (200, 302, 404)
    assert answer.body in (HTML, b"{}", SCRIPT, b"") or answer.status == 404


def test_policy_allows_scripts_from_our_files_only_and_calls_to_the_listed_origins() -> None:
    policy = MemoryStore().get("/").headers["Content-Security-Policy"]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["script-src"] == "'self'"
    assert parts["connect-src"] == "'self' https://idp.example"
    assert parts["frame-ancestors"] == "'none'"


def test_file_is_read_once_until_it_changes() -> None:
    store = MemoryStore()
    for _ in range(3):
        store.get("/")
    assert store.reads == ["manifest", "index.html"]
    store.files["index.html"] = b"new"
    store.published = Manifest(files={"index.html": SiteFile(digest="44", content_type="text/html")})
    store.time += MANIFEST_SECONDS
    assert store.get("/").body == b"new"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lisa.site.service.MEMORY_BYTES", len(HTML) + 1)
    store = MemoryStore()
    for path in ("/", "/config.json", "/"):
        assert store.get(path).status == 200
    assert store.reads.count("index.html") == 2


def test_page_that_is_not_published_yet_says_so() -> None:
    store = MemoryStore()
    store.published = Manifest()
    answer = store.get("/")
    assert (answer.status, json.loads(answer.body)["code"]) == (503, "unavailable")


def test_page_stays_up_while_the_manifest_cannot_be_read() -> None:
    store = MemoryStore()
    store.get("/")
    store.published = None
    store.time += 100
    assert store.get("/").status == 200
