"""DOCX: headings by outline level, tables as rows, text boxes and content controls included."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from docx.oxml.ns import qn

from lisa.ingestion.parsing.blocks import Block, HeadingPath
from lisa.ingestion.parsing.office_xml import named_errors

HEADING_STYLE = re.compile(r"heading\s*([1-9])$", re.I)
PARAGRAPH, TABLE, ROW, CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
TEXT, TAB, BREAK, RETURN = qn("w:t"), qn("w:tab"), qn("w:br"), qn("w:cr")
# A change of the past, an instruction, the old drawing that repeats a text box.
SKIPPED = frozenset(
    {qn("w:del"), qn("w:instrText"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
)
TITLE_LEVEL = 0


def parse(path: Path) -> Iterator[Block]:
    """Yields a block for each stretch of text under one heading. Raises: CorruptDocumentError."""
    with named_errors("DOCX"):
        document = docx.Document(str(path))
        levels = _levels(document)
        body = document.element.body
    headings = HeadingPath()
    pending: list[str] = []
    for element in _content(body):
        if element.tag == TABLE:
            pending.extend(_rows(element))
            continue
        text = _text(element).strip()
        if not text:
            continue
        level = levels.get(_style_id(element))
        if level is not None:
            if pending:
                yield Block("\n".join(pending), None, headings.path)
            headings.enter(level, text)
            pending = [text, ""]
        else:
            pending.extend([text, ""])
    if pending:
        yield Block("\n".join(pending), None, headings.path)


def _content(element: Any) -> Iterator[Any]:
    """Paragraphs and tables in reading order, also those inside of content controls and insertions."""
    waiting = [iter(element)]
    while waiting:
        child = next(waiting[-1], None)
        if child is None:
            waiting.pop()
        elif child.tag in (PARAGRAPH, TABLE):
            yield child
        elif isinstance(child.tag, str) and child.tag not in SKIPPED:
            waiting.append(iter(child))


def _text(element: Any) -> str:
    parts: list[str] = []
    waiting = [iter(element)]
    while waiting:
        child = next(waiting[-1], None)
        if child is None:
            waiting.pop()
            continue
        if child.tag == TEXT:
            parts.append(child.text or "")
        elif child.tag == TAB and child.getparent().tag == qn("w:r"):
            parts.append("\t")
        elif child.tag in (BREAK, RETURN) or (child.tag == PARAGRAPH and parts):
            parts.append("\n")
        if isinstance(child.tag, str) and child.tag not in SKIPPED:
            waiting.append(iter(child))
    return "".join(parts)


def _rows(table: Any) -> Iterator[str]:
    """A line a row, cells parted by " | "; an empty line after the table."""
    for row in table.iterchildren(ROW):
        cells = [" ".join(_text(cell).split()) for cell in row.iterchildren(CELL)]
        if any(cells):
            yield " | ".join(cells)
    yield ""


def _style_id(paragraph: Any) -> str:
    return str(paragraph.style or "")


def _levels(document: Any) -> dict[str, int]:
    """Style id → heading level: by the style's built-in name, or the outline level that it has or inherits."""
    elements = {style.style_id: style.element for style in document.styles}
    levels: dict[str, int] = {}
    for style_id, element in elements.items():
        seen: set[str] = set()
        current, current_id = element, style_id
        while current is not None and current_id not in seen:
            seen.add(current_id)
            level = _own_level(current)
            if level is not None:
                levels[style_id] = level
                break
            based_on = current.find(qn("w:basedOn"))
            current_id = based_on.get(qn("w:val")) if based_on is not None else ""
            current = elements.get(current_id)
    return levels


def _own_level(style: Any) -> int | None:
    name = style.find(qn("w:name"))
    text = name.get(qn("w:val"), "") if name is not None else ""
    if text.lower() == "title":
        return TITLE_LEVEL
    if match := HEADING_STYLE.match(text):
        return int(match[1])
    outline = style.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    value = outline.get(qn("w:val"), "9") if outline is not None else "9"
    return int(value) + 1 if value.isdigit() and int(value) < 9 else None
