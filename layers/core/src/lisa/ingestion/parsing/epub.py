"""EPUB: the chapters in the order of the spine, each read as HTML."""

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree  # type: ignore[import-untyped]

from lisa.ingestion.errors import CorruptDocumentError, EncryptedDocumentError
from lisa.ingestion.parsing import html
from lisa.ingestion.parsing.blocks import Block
from lisa.ingestion.parsing.decoding import decoded_markup

CONTAINER, ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
CHAPTER_ENDINGS = (".xhtml", ".html", ".htm", ".xml")


def parse(path: Path) -> Iterator[Block]:
    """Yields the blocks of all chapters. Raises: CorruptDocumentError, EncryptedDocumentError."""
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_protected(archive)
            for name in _spine(archive):
                yield from html.parse_markup(decoded_markup(archive.read(name)))
    except (zipfile.BadZipFile, etree.XMLSyntaxError, KeyError, IndexError, EOFError, NotImplementedError) as error:
        raise CorruptDocumentError("The EPUB file is damaged: its chapters cannot be found.") from error


def _spine(archive: zipfile.ZipFile) -> list[str]:
    """The names of the chapters' files, in reading order."""
    package_name = _xml(archive, CONTAINER).xpath("//*[local-name()='rootfile']/@full-path")[0]
    package = _xml(archive, package_name)
    hrefs = {item.get("id"): item.get("href", "") for item in package.xpath("//*[local-name()='item']")}
    folder = posixpath.dirname(package_name)
    names = set(archive.namelist())
    wanted = (hrefs.get(ref, "") for ref in package.xpath("//*[local-name()='itemref']/@idref"))
    found = (posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0]))) for href in wanted if href)
    return [name for name in found if name in names and name.lower().endswith(CHAPTER_ENDINGS)]


def _refuse_protected(archive: zipfile.ZipFile) -> None:
    """Fonts may be scrambled in any EPUB; protected chapters cannot be read."""
    if ENCRYPTION in archive.namelist():
        hidden = _xml(archive, ENCRYPTION).xpath("//*[local-name()='CipherReference']/@URI")
        if any(str(uri).lower().endswith(CHAPTER_ENDINGS) for uri in hidden):
            raise EncryptedDocumentError("The book is protected (DRM), so its text cannot be read.")


def _xml(archive: zipfile.ZipFile, name: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(archive.read(name), parser)
