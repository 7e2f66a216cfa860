"""What a deploy uploads, in which order, and what it takes away."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from lisa.errors import BadRequestError
from lisa.site.custom_resource import fulfil
from lisa.site.publishing import LARGEST_FILE, content_type, origin_of, publish, withdraw
from lisa.site.schemas import Manifest


class MemoryStore:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.current = Manifest()
        self.log: list[str] = []

    def manifest(self) -> Manifest:
        return self.current

    def write_manifest(self, manifest: Manifest) -> None:
        self.current = manifest
        self.log.append("manifest")

    def write(self, key: str, body: bytes, content_type: str) -> None:
        self.files[key] = body
        self.log.append(f"+{key}")

    def delete(self, keys: list[str]) -> None:
        for key in keys:
            del self.files[key]
            self.log.append(f"-{key}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "app-1.js").write_text("console.log(1);" * 500)
    (tmp_path / "assets" / "app-1.js.map").write_text("{}")
    (tmp_path / "assets" / "font.woff2").write_bytes(bytes(range(256)) * 20)
    (tmp_path / ".DS_Store").write_text("x")
    return tmp_path


def test_files_go_up_before_the_page_and_the_manifest_last(folder: Path) -> None:
    store = MemoryStore()
    assert publish(store, folder, {"clientId": "c"}, []) == 4
    assert store.log[-2:] == ["+index.html", "manifest"]
    assert set(store.files) == {
        "index.html",
        "config.json",
        "assets/app-1.js",
        "assets/app-1.js.gz",
        "assets/font.woff2",
    }
    assert gzip.decompress(store.files["assets/app-1.js.gz"]) == store.files["assets/app-1.js"]
    assert json.loads(store.files["config.json"]) == {"clientId": "c"}


def test_second_deploy_of_the_same_page_uploads_nothing(folder: Path) -> None:
    store = MemoryStore()
    publish(store, folder, {"clientId": "c"}, [])
    store.log.clear()
    assert publish(store, folder, {"clientId": "c"}, []) == 0
    assert store.log == ["manifest"]
    assert publish(store, folder, {"clientId": "d"}, []) == 1


def test_files_of_the_former_deploy_go_after_the_new_manifest(folder: Path) -> None:
    store = MemoryStore()
    publish(store, folder, {}, [])
    store.log.clear()
    (folder / "assets" / "app-1.js").rename(folder / "assets" / "app-2.js")
    publish(store, folder, {}, [])
    assert store.log == [
        "+assets/app-2.js",
        "+assets/app-2.js.gz",
        "manifest",
        "-assets/app-1.js",
        "-assets/app-1.js.gz",
    ]


def test_variants_of_the_build_are_taken_and_not_listed_as_files(folder: Path) -> None:
    (folder / "assets" / "app-1.js.br").write_bytes(b"small")
    store = MemoryStore()
    publish(store, folder, {}, [])
    assert store.current.files["assets/app-1.js"].encodings == ["br", "gzip"]
    assert "assets/app-1.js.br" not in store.current.files
    assert store.files["assets/app-1.js.br"] == b"small"


def test_origins_of_the_configuration_may_be_called(folder: Path) -> None:
    store = MemoryStore()
    config = {"authority": "https://idp.example/realms/x", "logoutUrl": "http://localhost:4566/logout", "clientId": "c"}
    publish(store, folder, config, ["https://bucket.s3.amazonaws.com", "not an address"])
    assert store.current.connect_sources == [
        "http://localhost:4566",
        "https://bucket.s3.amazonaws.com",
        "https://idp.example",
    ]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.b:8443/x?y#z", "https://a.b:8443"),
        ("http://localhost", "http://localhost"),
        ("https://a.b; script-src *", None),
        ("https://user@evil/", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
    ],
)
def test_origin_is_scheme_host_and_port(url: Any, origin: str | None) -> None:
    assert origin_of(url) == origin


def test_withdrawn_page_leaves_nothing(folder: Path) -> None:
    store = MemoryStore()
    publish(store, folder, {}, [])
    withdraw(store)
    assert (store.files, store.current) == ({}, Manifest())


def test_artifact_without_a_page_is_refused(tmp_path: Path) -> None:
    store = MemoryStore()
    with pytest.raises(BadRequestError, match="Build the page"):
        publish(store, tmp_path, {}, [])
    assert store.log == []


def test_file_that_could_not_be_served_is_refused(folder: Path) -> None:
    (folder / "huge.js").write_bytes(b"x" * (LARGEST_FILE + 1))
    with pytest.raises(BadRequestError, match=r"huge\.js"):
        publish(MemoryStore(), folder, {}, [])


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.HTML", "text/html; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_content_type_does_not_depend_on_the_host(path: str, kind: str) -> None:
    assert content_type(path) == kind


@pytest.mark.parametrize("event", [{}, {"RequestType": "Nonsense"}, {"RequestType": "Create", "ResourceProperties": 3}])
def test_nonsense_from_cloudformation_is_answered_as_failed(event: dict[str, Any], tmp_path: Path) -> None:
    answer = fulfil(event, MemoryStore, tmp_path)
    assert answer["Status"] == "FAILED"
    assert 0 < len(answer["Reason"]) <= 1000
