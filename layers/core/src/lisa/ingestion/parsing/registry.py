"""Which parser reads which kind; a parser's libraries are only imported when they are needed."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from lisa.ingestion.parsing.blocks import Block
from lisa.ingestion.parsing.kinds import Kind

MODULES = {
    Kind.PDF: "pdf",
    Kind.DOCX: "word",
    Kind.PPTX: "slides",
    Kind.XLSX: "sheets",
    Kind.EPUB: "epub",
    Kind.HTML: "html",
    Kind.MARKDOWN: "markdown",
    Kind.CSV: "delimited",
    Kind.JSON: "json_values",
    Kind.TEXT: "plain",
}


def blocks_of(path: Path, kind: Kind) -> Iterator[Block]:
    """The blocks of the file, as its parser yields them."""
    module = import_module(f"lisa.ingestion.parsing.{MODULES[kind]}")
    blocks: Iterator[Block] = module.parse(path)
    return blocks
