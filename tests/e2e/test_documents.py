"""A document is put, found, replaced, removed; a bad one ends with a reason; none is lost."""

import io
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from reportlab.pdfgen.canvas import Canvas

from tests.e2e.clients import Api, Library, eventually


def pdf(*pages: str) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    for text in pages:
        for line, part in enumerate(text.split(". ")):
            canvas.drawString(50, 780 - 20 * line, part)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def test_file_put_into_the_bucket_becomes_searchable_with_its_page(library: Library) -> None:
    source = library.put("ferry.pdf", pdf("Opening hours of the museum", "The night ferry to Hvarmoy departs at 23:40"))
    row = library.finished(source)
    assert (row["status"], row["document_name"]) == ("INGESTION_COMPLETED", "ferry.pdf")
    first = library.search("When does the night ferry leave?")[0]
    assert "23:40" in first["page_content"]
    assert (first["metadata"]["page"], first["metadata"]["source"]) == (2, source)


def test_overwriting_a_file_removes_its_old_text(library: Library) -> None:
    source = library.put("code.txt", b"The vault code is marigold seven.")
    library.finished(source)
    library.put("code.txt", b"The vault code is heliotrope nine.")

    def swapped() -> bool:
        texts = [hit["page_content"] for hit in library.search("vault code")]
        return any("heliotrope" in t for t in texts) and not any("marigold" in t for t in texts)

    eventually(swapped, "the swap of the old text for the new")


def test_deleting_a_file_removes_it_from_index_and_list(library: Library) -> None:
    source = library.put("gone.txt", b"Zanzibar clove auctions happen on Thursdays.")
    document_id = library.finished(source)["document_id"]
    assert any("clove" in hit["page_content"] for hit in library.search("clove auctions"))
    library.s3.delete_object(Bucket=library.bucket, Key=library.key("gone.txt"))
    eventually(
        lambda: not any("clove" in hit["page_content"] for hit in library.search("clove auctions")),
        "removal from index",
    )
    eventually(lambda: library.document(source) is None, "removal from the list")
    assert library.admin.get(f"/repository/{library.id}/{document_id}").status_code == 404


def zip_bomb() -> bytes:
    """A DOCX whose one part unpacks to 1 GB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            for _ in range(1024):
                part.write(b" " * 1024 * 1024)
    return out.getvalue()


def encrypted_pdf() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, encrypt="secret")
    canvas.drawString(50, 700, "hidden")
    canvas.save()
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("empty.txt", lambda: b"", "empty"),
        ("encrypted.pdf", encrypted_pdf, "password"),
        ("corrupt.pdf", lambda: b"%PDF-1.7\n" + b"\x00\xff" * 2000, "damaged"),
        ("bomb.docx", zip_bomb, "unpacks"),
        ("picture.pdf", lambda: b"\x89PNG\r\n\x1a\n" + b"\x00" * 500, "png picture"),
        ("tool.exe", lambda: b"MZ" + b"\x00" * 500, "support"),
    ],
)
def test_bad_file_ends_failed_with_a_reason(library: Library, name: str, body: Any, reason: str) -> None:
    row = library.finished(library.put(name, body()))
    assert row["status"] == "INGESTION_FAILED"
    message = row["error_message"]
    assert len(message) > 20 and "Traceback" not in message
    assert reason in message.lower()


def test_file_in_an_unknown_collection_ends_failed_with_a_reason(library: Library) -> None:
    source = library.put("lost.txt", b"text", collection="nowhere")
    row = library.finished(source, "nowhere")
    assert row["status"] == "INGESTION_FAILED"
    assert "nowhere" in row["error_message"]


def upload(api: Api, repository_id: str, name: str, body: bytes, **fields: Any) -> dict[str, Any]:
    """What the page and the original's SDK do: presigned POST, then bulk ingest."""
    signed = api.post(
        "/repository/presigned-url", data=name, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert signed.status_code == 200, signed.text
    post = signed.json()["response"]
    stored = requests.post(post["url"], data=post["fields"], files={"file": (name, body)}, timeout=30)
    assert stored.status_code in (200, 204), stored.text
    bulk = api.post(f"/repository/{repository_id}/bulk", json={"keys": [post["fields"]["key"]]} | fields)
    assert bulk.status_code == 200, bulk.text
    return dict(bulk.json())


def test_upload_as_the_page_does_it_ends_indexed_under_its_owner(library: Library, user: Api) -> None:
    job = upload(user, library.id, "hedgehog.md", b"# Hedgehogs\n\nHedgehogs hibernate from November.")["jobs"][0]
    row = library.finished(job["s3Path"])
    assert row["document_id"] == job["documentId"]
    assert (row["status"], row["ingestion_type"]) == ("INGESTION_COMPLETED", "manual")
    assert "hibernate" in library.search("hedgehog winter", user)[0]["page_content"]
    link = user.get(f"/repository/{library.id}/{job['documentId']}/download").json()
    assert b"Hedgehogs" in requests.get(link, timeout=30).content
    jobs = user.get(f"/repository/{library.id}/jobs").json()["jobs"]
    assert job["jobId"] in {row["id"] for row in jobs}


def test_delete_by_id_as_the_sdk_does_it(library: Library, user: Api) -> None:
    job = upload(user, library.id, "brief.txt", b"Quokkas smile at strangers.")["jobs"][0]
    library.finished(job["s3Path"])
    gone = user.delete(
        f"/repository/{library.id}/document",
        params={"collectionId": library.collection},
        json={"documentIds": [job["documentId"]]},
    )
    assert gone.status_code == 200, gone.text
    eventually(
        lambda: user.get(f"/repository/{library.id}/{job['documentId']}").status_code == 404, "deletion of a document"
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_hundred_files_dropped_at_once_are_all_indexed(library: Library) -> None:
    names = [f"many/{n:03}.txt" for n in range(200)]
    words = {name: f"serial{uuid.uuid4().hex[:12]}" for name in names}
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: library.put(name, f"Part {words[name]} is in stock.".encode()), names))

    def ended() -> list[dict[str, Any]] | None:
        rows = [row for row in library.documents() if "/many/" in row["source"]]
        done = [row for row in rows if row["status"] in ("INGESTION_COMPLETED", "INGESTION_FAILED")]
        return done if len(done) == 200 else None

    rows = eventually(ended, "the end of 200 ingestions", 420)
    assert {row["status"] for row in rows} == {"INGESTION_COMPLETED"}
    for name in names[::40]:
        assert words[name] in library.search(words[name], mode="text")[0]["page_content"]
