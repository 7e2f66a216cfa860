"""XLSX: each sheet is a heading, each row a line."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import python_calamine

from lisa.ingestion.errors import CorruptDocumentError, EncryptedDocumentError
from lisa.ingestion.parsing import rows
from lisa.ingestion.parsing.archives import PROTECTED
from lisa.ingestion.parsing.blocks import Block, one_line

Cell = int | float | str | bool | time | date | datetime | timedelta


def parse(path: Path) -> Iterator[Block]:
    """Yields blocks of rows. Raises: CorruptDocumentError, EncryptedDocumentError."""
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        for name in workbook.sheet_names:
            sheet = workbook.get_sheet_by_name(name)
            lines = ([_shown(cell) for cell in row] for row in sheet.iter_rows())
            yield from rows.blocks_of(lines, (one_line(name),))
    except python_calamine.PasswordError as error:
        raise EncryptedDocumentError(PROTECTED) from error
    except python_calamine.CalamineError as error:
        raise CorruptDocumentError("The XLSX file is damaged or cut off. Save it anew and upload it again.") from error


def _shown(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return str(cell)
