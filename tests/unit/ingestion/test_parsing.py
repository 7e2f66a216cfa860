"""Each kind of file yields its text with pages and headings; each bad file a named reason, in the real child."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lisa.errors import AppError, TooLargeError, UnsupportedTypeError
from lisa.ingestion.errors import (
    CorruptDocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    ParsingTimeoutError,
    ScannedDocumentError,
)
from lisa.ingestion.parsing import process
from lisa.ingestion.parsing.blocks import ParsedDocument
from lisa.ingestion.parsing.limits import MEGABYTE, Limits

from tests.fixtures import documents as files

Parse = Callable[..., ParsedDocument]


@pytest.fixture
def parse(tmp_path: Path) -> Parse:
    def parsed(name: str, body: bytes, limits: Limits | None = None) -> ParsedDocument:
        path = tmp_path / "file"
        path.write_bytes(body)
        return process.parse(path, name, limits)

    return parsed


def parts(document: ParsedDocument) -> list[tuple[str, int | None, tuple[str, ...]]]:
    return [(document.text[s.start : s.end], s.page, s.headings) for s in document.sections]


def test_pdf_keeps_pages_and_bookmarks(parse: Parse) -> None:
    document = parse("a.pdf", files.pdf("Opening hours", "", "The ferry\nleaves at 23:40", bookmarks=["One", "Two"]))
    assert [(page, headings) for _, page, headings in parts(document)] == [(1, ("One",)), (3, ("Two",))]
    assert "leaves at 23:40" in parts(document)[1][0]


def test_docx_keeps_heading_path_and_table_rows(parse: Parse) -> None:
    found = {headings: text for text, _, headings in parts(parse("a.docx", files.word()))}
    assert "23:40" in found["Ferry handbook", "Routes", "North"]
    assert "Hvarmoy | 23:40" in found["Ferry handbook", "Routes", "North"]
    assert "No ferries" in found["Ferry handbook", "Routes", "South"]


def test_pptx_counts_slides_as_pages_and_keeps_notes(parse: Parse) -> None:
    first, second = parts(parse("a.pptx", files.slides()))
    assert (first[1], first[2]) == (1, ("Harvest",))
    assert second[1] == 2
    assert all(text in second[0] for text in ("four degrees", "Notes: Mention the cellar", "Sort | Boskoop"))


def test_xlsx_rows_carry_their_column_names_under_their_sheet(parse: Parse) -> None:
    stock, notes = parts(parse("a.xlsx", files.sheet()))
    assert stock == ("Part: Rivet; Amount: 12\nPart: Hinge; Amount: 2.5", None, ("Stock",))
    assert notes == ("Counted on Monday", None, ("Notes",))


def test_epub_follows_the_spine(parse: Parse) -> None:
    document = parse("a.epub", files.book())
    assert document.text.index("lighthouse") < document.text.index("keeper")
    assert [headings for _, _, headings in parts(document)] == [("Dawn",), ("Dusk",)]


def test_html_drops_scripts_and_keeps_headings_and_rows(parse: Parse) -> None:
    body = (
        b"<!doctype html><title>Guide</title><nav>Home</nav><h1>Setup</h1><p>Install <b>it</b>.<script>evil()</script>"
        b"<h2>Ports</h2><table><tr><th>Name<th>Port<tr><td><p>web</p><td>8080</table><ul><li>one<li><p>two</p></ul>"
    )
    found = {headings: text for text, _, headings in parts(parse("a.html", body))}
    assert found["Guide", "Setup"] == "Setup\n\nInstall it."
    assert found["Guide", "Setup", "Ports"] == "Ports\n\nName | Port\nweb | 8080\n- one\n- two"
    assert "evil" not in str(found) and "Home" not in str(found)


def test_markdown_headings_make_the_path_but_not_inside_of_fences(parse: Parse) -> None:
    body = b"---\ntag: x\n---\n# Top *one*\n\nIntro\n\n```\n# no heading\n```\n## Deep\nText\n\nUnder\n-----\nMore"
    found = [(headings, text) for text, _, headings in parts(parse("a.md", body))]
    assert [headings for headings, _ in found] == [(), ("Top one",), ("Top one", "Deep"), ("Top one", "Under")]
    assert "# no heading" in found[1][1]


@pytest.mark.parametrize(
    ("name", "body", "text"),
    [
        ("a.csv", b'name;age\nAda;36\n"Bo;b";7\n', "name: Ada; age: 36\nname: Bo;b; age: 7"),
        ("a.tsv", b"1\t2\n3\t4\n", "1 | 2\n3 | 4"),
        ("a.json", b'[{"a": {"b": 1}, "c": ["x", "y"]}, {"d": null, "e": true}]', "a.b: 1\nc: x, y\n\ne: true"),
        ("a.jsonl", b'{"a": 1}\n\n{"a": 2}\n', "a: 1\n\na: 2"),
        ("a.json", b'{"a": 1}\n{"a": 2}\n', "a: 1\n\na: 2"),
        ("a.txt", "Füße".encode(), "Füße"),
        ("a.txt", "Füße".encode("latin-1"), "Füße"),
        ("a.txt", "\ufeffFüße".encode("utf-16-le"), "Füße"),
        ("a.txt", "\ufeffFüße".encode("utf-16-be"), "Füße"),
        ("a.txt", "plain words here".encode("utf-16-le"), "plain words here"),
        ("a.txt", "\ufeffFüße".encode(), "Füße"),
        ("a.txt", b"e\xcc\x81t\xc3\xa9\r\nnext\x00"[:-1], "été\nnext"),
        ("a.html", b"<html><meta charset='iso-8859-2'><p>\xb1</html>", "ą"),
        ("noextension", b"just words", "just words"),
        ("A.TXT", b"upper case", "upper case"),
    ],
)
def test_text_kinds(parse: Parse, name: str, body: bytes, text: str) -> None:
    assert parse(name, body).text == text


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("report.txt", files.pdf("Hidden PDF text")),
        ("report.bin", files.pdf("Hidden PDF text")),
        ("a.pdf", files.word()),
    ],
)
def test_misnamed_file_is_read_as_what_it_is(parse: Parse, name: str, body: bytes) -> None:
    assert any(word in parse(name, body).text for word in ("Hidden", "ferry"))


def test_text_that_mentions_pdf_is_no_pdf(parse: Parse) -> None:
    assert parse("a.txt", b"A PDF begins with %PDF-1.7").text == "A PDF begins with %PDF-1.7"


def cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def fuzzed(body: bytes) -> bytes:
    damaged = bytearray(body)
    for position in range(60, len(damaged), 7):
        damaged[position] ^= 0x5A
    return bytes(damaged)


@pytest.mark.parametrize(
    ("name", "body", "kind", "reason"),
    [
        ("a.txt", b"", EmptyDocumentError, "empty"),
        ("a.pdf", b"", EmptyDocumentError, "empty"),
        ("a.txt", b" \n\t\n ", EmptyDocumentError, "no text"),
        ("a.pdf", files.pdf("", ""), EmptyDocumentError, "no text"),
        ("a.html", b"<html><script>x</script></html>", EmptyDocumentError, "no text"),
        ("a.json", b"[]", EmptyDocumentError, "no text"),
        ("a.pdf", files.scanned_pdf(), ScannedDocumentError, "OCR"),
        ("a.pdf", files.pdf("secret", password="pw"), EncryptedDocumentError, "password"),
        ("a.docx", files.encrypted_office(), EncryptedDocumentError, "password"),
        ("a.epub", files.book("OEBPS/two.xhtml"), EncryptedDocumentError, "protected"),
        ("a.pdf", b"%PDF-1.7\n" + b"\x00\xff" * 2000, CorruptDocumentError, "damaged"),
        ("a.docx", cut(files.word()), CorruptDocumentError, "damaged"),
        ("a.pptx", cut(files.slides()), CorruptDocumentError, "damaged"),
        ("a.xlsx", cut(files.sheet()), CorruptDocumentError, "damaged"),
        ("a.epub", cut(files.book()), CorruptDocumentError, "damaged"),
        ("a.docx", fuzzed(files.word()), CorruptDocumentError, "damaged"),
        ("a.xlsx", fuzzed(files.sheet()), CorruptDocumentError, "damaged"),
        ("a.docx", files.archive({"[Content_Types].xml": "<Types/>"}), CorruptDocumentError, "DOCX"),
        ("a.docx", files.archive({"word/document.xml": "<w/>"}), CorruptDocumentError, "damaged"),
        ("a.epub", files.archive({"META-INF/container.xml": "<a/>"}), CorruptDocumentError, "chapters"),
        ("a.docx", files.laughing_word(), CorruptDocumentError, "damaged"),
        ("a.pdf", os.urandom(4000), CorruptDocumentError, "not PDF"),
        ("a.json", b'{"a": 1,\n}', CorruptDocumentError, "line 2"),
        ("a.json", b"[" * 200_000, CorruptDocumentError, "nested"),
        ("a.pdf", files.PNG, UnsupportedTypeError, "PNG picture, although it is named .pdf"),
        ("a.pdf", b"plain words", UnsupportedTypeError, "plain text"),
        ("a.exe", b"MZ" + b"\x00" * 500, UnsupportedTypeError, "Windows program"),
        ("a.py", b"print(1)", UnsupportedTypeError, ".py"),
        ("a.rtf", b"{\\rtf1 hello}", UnsupportedTypeError, "RTF"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 900, UnsupportedTypeError, "old Office"),
        ("a.zip", files.archive({"a.txt": "x"}), UnsupportedTypeError, "ZIP"),
    ],
)
def test_bad_file_has_a_named_reason(parse: Parse, name: str, body: bytes, kind: type[AppError], reason: str) -> None:
    with pytest.raises(kind) as caught:
        parse(name, body)
    assert reason.lower() in caught.value.message.lower()


@pytest.mark.parametrize(("megabytes", "reason"), [(1024, "unpacks to 1,024 MB"), (200, "suspiciously")])
def test_archive_that_unpacks_to_too_much_is_refused(parse: Parse, megabytes: int, reason: str) -> None:
    with pytest.raises(TooLargeError) as caught:
        parse("a.docx", files.bomb_word(megabytes))
    assert reason in caught.value.message


def test_pdf_flate_bomb_is_stopped_by_the_memory_limit(parse: Parse) -> None:
    with pytest.raises((TooLargeError, ParsingTimeoutError)):
        parse("a.pdf", files.bomb_pdf(1024), Limits(memory_bytes=1024 * MEGABYTE))


def test_truncated_pdf_is_repaired_or_refused(parse: Parse) -> None:
    body = files.pdf(*[f"Page {n} of many" for n in range(30)])
    try:
        assert "of many" in parse("a.pdf", cut(body)).text
    except AppError as error:
        assert isinstance(error, CorruptDocumentError | EmptyDocumentError)


def test_cpu_limit_ends_the_parser(parse: Parse) -> None:
    with pytest.raises(ParsingTimeoutError):
        parse("a.html", b"<div>" * 400_000 + b"deep", replace(Limits(), cpu_seconds=1))


def test_wall_clock_limit_ends_the_parser(parse: Parse) -> None:
    started = time.monotonic()
    with pytest.raises(ParsingTimeoutError):
        parse("a.txt", b"text", replace(Limits(), wall_seconds=0.001))
    assert time.monotonic() - started < 10


def test_text_limit_is_enforced(parse: Parse) -> None:
    with pytest.raises(TooLargeError):
        parse("a.txt", b"word " * 1000, replace(Limits(), text_characters=1000))


def test_parser_gets_no_credentials(parse: Parse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, dict[str, str]] = {}
    original = subprocess.run

    def run(*arguments: Any, **options: Any) -> Any:
        seen["env"] = options["env"]
        return original(*arguments, **options)

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(subprocess, "run", run)
    parse("a.txt", b"text")
    assert set(seen["env"]) == {"PYTHONPATH", "LANG"}
    assert "secret" not in json.dumps(seen)
