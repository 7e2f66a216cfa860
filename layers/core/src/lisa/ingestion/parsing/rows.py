"""Rows of a table as text: each cell beside the name of its column, so that a passage makes sense alone."""

from collections.abc import Iterable, Iterator, Sequence

from lisa.ingestion.parsing.blocks import Block, one_line

ROWS_PER_BLOCK = 50


def blocks_of(rows: Iterable[Sequence[str]], headings: tuple[str, ...] = ()) -> Iterator[Block]:
    """Yields blocks of up to 50 lines, a line a row; empty rows and cells are left out."""
    header: list[str] | None = None
    lines: list[str] = []
    for cells in (list(row) for row in rows):
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells)
            if header:
                continue
        lines.append(_line(cells, header))
        if len(lines) == ROWS_PER_BLOCK:
            yield Block("\n".join(lines), None, headings)
            lines = []
    if not lines and header:  # nothing but a header
        lines = [" | ".join(header)]
    if lines:
        yield Block("\n".join(lines), None, headings)


def _header(first: list[str]) -> list[str]:
    """The column names, when the first row looks like them: several, all different, none a number; else []."""
    names = [one_line(cell, 100) for cell in first]
    while names and not names[-1]:
        names.pop()
    looks = len(names) > 1 and all(names) and len(set(names)) == len(names)
    return names if looks and not any(name.replace(".", "").replace(",", "").isdigit() for name in names) else []


def _line(cells: list[str], header: list[str]) -> str:
    flat = [" ".join(cell.split()) for cell in cells]
    if not header:
        return " | ".join(cell for cell in flat if cell)
    named = [f"{header[i]}: {cell}" if i < len(header) else cell for i, cell in enumerate(flat) if cell]
    return "; ".join(named)
