"""From a file on the computer to a cited answer with its page."""

import io
import re
import uuid

from playwright.sync_api import Page, expect
from reportlab.pdfgen.canvas import Canvas

from tests.browser.conftest import Visit, answered, ask, choose, go
from tests.e2e.clients import Api, Library

INDEXED_MS = 120_000


def pdf(*pages: str) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    for text in pages:
        canvas.drawString(50, 780, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def locked_pdf() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, encrypt="secret")
    canvas.drawString(50, 700, "hidden")
    canvas.save()
    return out.getvalue()


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    payload = [{"name": name, "mimeType": "application/octet-stream", "buffer": body} for name, body in files]
    page.locator("input[type=file]").first.set_input_files(payload)  # type: ignore[arg-type]


def test_uploaded_file_is_indexed_and_cited_with_its_page(visit: Visit, library: Library) -> None:
    page = visit("user")
    choose(page, "Documents", library.name)
    name = f"ferry-{uuid.uuid4().hex[:6]}.pdf"
    upload(page, (name, pdf("Opening hours of the museum.", "The night ferry to Hvarmoy departs at 23:40.")))
    expect(page.locator(".upload").filter(has_text=name)).to_contain_text("Indexed", timeout=INDEXED_MS)

    ask(page, "When does the night ferry to Hvarmoy depart?")
    answered(page)
    reply = page.get_by_role("article", name="Answer of extractive")
    expect(reply.locator(".answer")).to_contain_text("23:40")
    reply.locator(".answer").get_by_role("button", name="Source 1").first.click()
    panel = page.get_by_role("complementary", name="Source")
    expect(panel).to_contain_text(name)
    expect(panel).to_contain_text("Page 2")
    expect(panel.locator(".passage")).to_contain_text("23:40")
    with page.expect_popup() as opened:
        panel.get_by_role("button", name="Open document").click()
    opened.value.close()

    page.reload()
    expect(page.locator(".answer").get_by_role("button", name="Source 1").first).to_be_visible()


def test_several_files_each_end_with_a_state(visit: Visit, library: Library) -> None:
    page = visit("user")
    choose(page, "Documents", library.name)
    upload(
        page,
        ("notes.md", b"# Notes\n\nThe blue heron nests in April."),
        ("locked.pdf", locked_pdf()),
        ("empty.txt", b""),
        ("picture.png", b"png"),
    )
    uploads = page.locator(".upload")
    expect(uploads.filter(has_text="picture.png")).to_contain_text("cannot be read")
    expect(uploads.filter(has_text="empty.txt").locator(".upload-reason")).to_have_text("The file is empty.")
    expect(uploads.filter(has_text="notes.md")).to_contain_text("Indexed", timeout=INDEXED_MS)
    expect(uploads.filter(has_text="locked.pdf")).to_contain_text("Failed", timeout=INDEXED_MS)
    expect(uploads.filter(has_text="locked.pdf").locator(".upload-reason")).to_have_text(
        re.compile(r"encrypt|password")
    )
    expect(uploads.filter(has_text="locked.pdf").get_by_role("button", name="Try locked.pdf again")).to_be_visible()


def test_document_is_listed_and_deleted(visit: Visit, library: Library, admin: Api) -> None:
    library.finished(library.put("listed.txt", b"The lighthouse keeper lists the ships."))
    page = visit("admin")
    go(page, f"documents/{library.id}/{library.collection}")
    entry = page.get_by_role("row").filter(has_text="listed.txt")
    expect(entry).to_contain_text("Indexed")
    page.get_by_role("button", name="Actions for listed.txt").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(entry).to_have_count(0, timeout=60_000)
    expect(page.get_by_role("heading", name=re.compile("Documents"))).to_be_visible()


def test_dropped_file_is_uploaded(visit: Visit, library: Library) -> None:
    page = visit("user")
    choose(page, "Documents", library.name)
    page.evaluate(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(['The otter sleeps at noon.'], 'dropped.txt', {type: 'text/plain'}));
            for (const type of ['dragenter', 'dragover', 'drop']) {
                window.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
            }
        }"""
    )
    expect(page.locator(".upload").filter(has_text="dropped.txt")).to_contain_text("Indexed", timeout=INDEXED_MS)
