"""Plain text: one block."""

from collections.abc import Iterator
from pathlib import Path

from lisa.ingestion.parsing.blocks import Block
from lisa.ingestion.parsing.decoding import decoded


def parse(path: Path) -> Iterator[Block]:
    """Yields the text."""
    yield Block(decoded(path.read_bytes()))
