"""What kind of document a file is: its content decides, its name only tells kinds of text apart."""

import re
import zipfile
from enum import StrEnum
from pathlib import Path, PurePosixPath

from lisa.errors import UnsupportedTypeError
from lisa.ingestion.errors import CorruptDocumentError, EmptyDocumentError, EncryptedDocumentError
from lisa.ingestion.parsing import archives, decoding
from lisa.ingestion.parsing.limits import Limits

HEAD_BYTES = 8192


class Kind(StrEnum):
    PDF = "PDF"
    DOCX = "DOCX"
    PPTX = "PPTX"
    XLSX = "XLSX"
    EPUB = "EPUB"
    HTML = "HTML"
    MARKDOWN = "Markdown"
    CSV = "CSV"
    JSON = "JSON"
    TEXT = "text"


EXTENSIONS: dict[str, Kind] = {
    "pdf": Kind.PDF,
    "docx": Kind.DOCX,
    "docm": Kind.DOCX,
    "pptx": Kind.PPTX,
    "pptm": Kind.PPTX,
    "xlsx": Kind.XLSX,
    "xlsm": Kind.XLSX,
    "epub": Kind.EPUB,
    "html": Kind.HTML,
    "htm": Kind.HTML,
    "xhtml": Kind.HTML,
    "md": Kind.MARKDOWN,
    "markdown": Kind.MARKDOWN,
    "csv": Kind.CSV,
    "tsv": Kind.CSV,
    "json": Kind.JSON,
    "jsonl": Kind.JSON,
    "ndjson": Kind.JSON,
    "txt": Kind.TEXT,
    "text": Kind.TEXT,
    "log": Kind.TEXT,
    "rst": Kind.TEXT,
    "yaml": Kind.TEXT,
    "yml": Kind.TEXT,
    "xml": Kind.TEXT,
}
BINARY = frozenset({Kind.PDF, Kind.DOCX, Kind.PPTX, Kind.XLSX, Kind.EPUB})
SUPPORTED = ", ".join(sorted(EXTENSIONS))

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of old Office files, and of encrypted new ones
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"BM", "a bitmap picture"),
    (b"RIFF", "a media file"),
    (b"OggS", "a media file"),
    (b"ID3", "an MP3 file"),
    (b"fLaC", "an audio file"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"PAR1", "a Parquet file"),
)
SHORT_MAGIC = (b"BM", b"MZ")  # these two may begin a text, too
HTML_START = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.I | re.S)


def extension_of(name: str) -> str:
    """The extension in lower case, without the dot; "" when there is none."""
    return PurePosixPath(name).suffix.lower().removeprefix(".")


def require_supported(name: str) -> None:
    """For uploads: refuses by the name alone. Raises: UnsupportedTypeError."""
    if extension_of(name) not in EXTENSIONS:
        shown = f".{extension_of(name)} files are" if extension_of(name) else "A file without an extension is"
        raise UnsupportedTypeError(f"{shown} not supported. Supported are: {SUPPORTED}.")


def kind_of(path: Path, name: str, limits: Limits) -> Kind:
    """The kind by content and name; archives are checked against the limits on the way.

    Raises: EmptyDocumentError, EncryptedDocumentError, CorruptDocumentError, TooLargeError, and UnsupportedTypeError,
    which says what the file is instead of what its name promises.
    """
    size = path.stat().st_size
    if size == 0:
        raise EmptyDocumentError("The file is empty (0 bytes).")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    promised = EXTENSIONS.get(extension_of(name))
    # The standard lets other bytes come first; only in a file that is called a PDF are they believed to.
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-") or (promised is Kind.PDF and b"%PDF-" in head[:1024]):
        return Kind.PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_archive(path, size, name, limits)
    if head.startswith(OLE):
        raise _ole_error(path, name)
    if head.startswith(b"{\\rtf"):
        raise _unsupported("an RTF document", name, "Save it as DOCX or PDF.")
    text = decoding.is_text(head)
    for magic, what in FOREIGN:
        if head.startswith(magic) and not (magic in SHORT_MAGIC and text):
            raise _unsupported(what, name)
    if head[4:8] == b"ftyp":
        raise _unsupported("a video", name)
    if not text:
        if promised in BINARY:
            raise CorruptDocumentError(f"The file is named .{extension_of(name)}, but its content is not {promised}.")
        raise _unsupported("a binary file of unknown type", name)
    return _kind_of_text(head, promised, name)


def _kind_of_text(head: bytes, promised: Kind | None, name: str) -> Kind:
    if HTML_START.match(head):
        return Kind.HTML
    if promised in BINARY:
        raise _unsupported("plain text", name, "Give it the extension .txt.")
    if promised is None and extension_of(name):
        require_supported(name)
    return promised or Kind.TEXT


def _kind_of_archive(path: Path, size: int, name: str, limits: Limits) -> Kind:
    found = archives.entries(path)
    archives.check(found, size, limits)
    names = {entry.filename for entry in found}
    for kind, part in (
        (Kind.DOCX, "word/document.xml"),
        (Kind.PPTX, "ppt/presentation.xml"),
        (Kind.XLSX, "xl/workbook.xml"),
        (Kind.EPUB, "META-INF/container.xml"),
    ):
        if part in names:
            return kind
    with zipfile.ZipFile(path) as archive:
        mimetype = archive.read("mimetype")[:100] if "mimetype" in names else b""
    if b"opendocument" in mimetype:
        raise _unsupported("an OpenDocument file", name, "Save it as DOCX, PPTX, XLSX or PDF.")
    promised = EXTENSIONS.get(extension_of(name))
    if promised in BINARY and "[Content_Types].xml" in names:
        raise CorruptDocumentError(
            f"The file looks like Office, but its {promised} content is missing. Upload it again."
        )
    raise _unsupported("a ZIP archive", name, "Unpack it and upload what is inside.")


def _ole_error(path: Path, name: str) -> EncryptedDocumentError | UnsupportedTypeError:
    if ENCRYPTED_PACKAGE in path.read_bytes():
        return EncryptedDocumentError(archives.PROTECTED)
    return _unsupported("an old Office file (before 2007)", name, "Save it as DOCX, PPTX, XLSX or PDF.")


def _unsupported(what: str, name: str, advice: str = "") -> UnsupportedTypeError:
    promised = extension_of(name)
    named = f", although it is named .{promised}" if promised in EXTENSIONS else ""
    return UnsupportedTypeError(
        f"The file is {what}{named}; that is not supported. {advice or f'Supported are: {SUPPORTED}.'}"
    )
