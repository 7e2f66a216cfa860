"""PDF: one block a page; the outline gives the headings."""

import bisect
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from lisa.ingestion.errors import CorruptDocumentError, EmptyDocumentError, EncryptedDocumentError, ScannedDocumentError
from lisa.ingestion.parsing.blocks import Block, HeadingPath

MAX_BOOKMARKS = 20_000
PICTURE_PAGES = 20  # how many pages without text are looked at for pictures


def parse(path: Path) -> Iterator[Block]:
    """Yields a block for each page that has text.

    Raises: EncryptedDocumentError, CorruptDocumentError, ScannedDocumentError (pictures and no text at all),
    EmptyDocumentError.
    """
    document = _open(path)
    try:
        headings = _Outline(document)
        found = False
        for index in range(len(document)):
            text = _text(document, index)
            if text.strip():
                found = True
                yield Block(text, index + 1, headings.at(index))
        if not found:
            raise _no_text(document)
    finally:
        document.close()


def _open(path: Path) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
            raise EncryptedDocumentError(
                "The PDF is protected with a password. Remove the protection and upload it again."
            ) from error
        raise CorruptDocumentError("The PDF is damaged or cut off: it cannot be opened. Upload it again.") from error
    if len(document) == 0:
        raise CorruptDocumentError("The PDF is damaged: it has no pages. Upload it again.")
    return document


def _text(document: pypdfium2.PdfDocument, index: int) -> str:
    """A page that is broken alone counts as empty: the others are still worth indexing."""
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return ""
    try:
        text_page = page.get_textpage()
        try:
            return str(text_page.get_text_range())
        finally:
            text_page.close()
    finally:
        page.close()


def _no_text(document: pypdfium2.PdfDocument) -> ScannedDocumentError | EmptyDocumentError:
    for index in range(min(len(document), PICTURE_PAGES)):
        try:
            page = document[index]
        except pypdfium2.PdfiumError:
            continue
        if next(iter(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE])), None) is not None:
            return ScannedDocumentError(
                "The PDF has pictures of pages and no text. Run text recognition (OCR) on it and upload the result."
            )
    return EmptyDocumentError("The PDF has no text on any page, so there is nothing to search.")


class _Outline:
    """The heading path at each page: the last bookmarks that begin on it or before it."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        path = HeadingPath()
        self._pages: list[int] = []
        self._paths: list[tuple[str, ...]] = []
        for bookmark in islice(document.get_toc(), MAX_BOOKMARKS):
            destination = bookmark.get_dest()
            page = destination.get_index() if destination else None
            path.enter(bookmark.level, bookmark.get_title())
            if page is not None and (not self._pages or page >= self._pages[-1]):
                self._pages.append(page)
                self._paths.append(path.path)

    def at(self, page: int) -> tuple[str, ...]:
        position = bisect.bisect_right(self._pages, page)
        return self._paths[position - 1] if position else ()
