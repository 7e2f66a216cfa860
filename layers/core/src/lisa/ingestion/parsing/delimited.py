"""CSV and its kin: the delimiter is found out, each row becomes a line."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from lisa.ingestion.errors import CorruptDocumentError
from lisa.ingestion.parsing import rows
from lisa.ingestion.parsing.blocks import Block
from lisa.ingestion.parsing.decoding import decoded

SAMPLE_LINES = 20
DELIMITERS = ",;\t|"


def parse(path: Path) -> Iterator[Block]:
    """Yields blocks of rows. Raises: CorruptDocumentError."""
    text = decoded(path.read_bytes())
    csv.field_size_limit(len(text) + 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        yield from rows.blocks_of(reader)
    except csv.Error as error:
        raise CorruptDocumentError(f"The table cannot be read at line {reader.line_num:,}: {error}.") from error


def _delimiter(text: str) -> str:
    """The one that cuts the first lines most evenly into the most cells."""
    lines = [line for line in text[:65536].splitlines() if line.strip()][:SAMPLE_LINES]

    def evenness(delimiter: str) -> tuple[float, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        most = max(counts, key=counts.count, default=1)
        return (counts.count(most) / len(counts) if most > 1 else 0.0, most)

    return max(DELIMITERS, key=evenness) if lines else ","
