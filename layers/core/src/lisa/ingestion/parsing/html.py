"""HTML: text by block elements, headings as a path, table rows as lines; scripts, styles and navigation dropped."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from lisa.ingestion.parsing.blocks import Block, HeadingPath
from lisa.ingestion.parsing.decoding import decoded_markup

DROPPED = ["script", "style", "noscript", "template", "svg", "math", "nav", "iframe", "object", "select", "button"]
LEVELS = {"title": 0} | {f"h{level}": level for level in range(1, 7)}
CLOSE = frozenset({"li", "tr", "dt", "dd"})  # these follow each other without an empty line
INLINE_TAGS = """
    a abbr b bdi bdo big br cite code data del dfn em font i img ins kbd label mark q rb rp rt rtc ruby s samp small
    span strike strong sub sup time tt u var wbr
"""
INLINE = frozenset(INLINE_TAGS.split())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text stands: the element that makes its line, and the table cell in it."""

    line: int
    tag: str
    cell: int


def parse(path: Path) -> Iterator[Block]:
    """Yields a block for each stretch of text under one heading."""
    return parse_markup(decoded_markup(path.read_bytes()))


def parse_markup(markup: str, above: tuple[str, ...] = ()) -> Iterator[Block]:
    """As `parse`; `above` are headings of a larger document that this is a part of."""
    tree = LexborHTMLParser(markup)
    tree.strip_tags(DROPPED)
    headings = HeadingPath()
    pending: list[str] = []
    before = ""
    for tag, text in _lines(tree.root):
        if tag in LEVELS:
            if pending:
                yield Block("".join(pending), None, above + headings.path)
            headings.enter(LEVELS[tag], text)
            pending = [] if tag == "title" else [text]  # the title is no part of the page
        else:
            gap = "" if not pending else "\n" if tag in CLOSE and before in CLOSE else "\n\n"
            pending.append(gap + ("- " + text if tag == "li" else text))
        before = tag
    if pending:
        yield Block("".join(pending), None, above + headings.path)


def _lines(root: Any) -> Iterator[tuple[str, str]]:
    """The tag of the block element and its text, for each line in reading order."""
    places: dict[int, _Place] = {}
    place: _Place | None = None
    parts: list[str] = []
    for node in root.traverse(include_text=True) if root is not None else ():
        if node.tag == "br":
            parts.append("\n")
        if node.tag != "-text":
            continue
        block = _block_of(node)
        here = places.get(block.mem_id)
        if here is None:
            here = places[block.mem_id] = _place_of(block)
        if place is None or here.line != place.line:
            if place is not None and (text := _joined(parts, place.tag)):
                yield place.tag, text
            parts = []
        elif here.cell != place.cell:
            parts.append(" | ")
        place = here
        parts.append(node.text_content or "")
    if place is not None and (text := _joined(parts, place.tag)):
        yield place.tag, text


def _block_of(node: Any) -> Any:
    parent = node.parent
    while parent.tag in INLINE and parent.parent is not None:
        parent = parent.parent
    return parent


def _place_of(block: Any) -> _Place:
    """A cell's paragraphs belong to the line of its row."""
    node = block
    for _ in range(5):
        if node is None or node.tag == "table":
            break
        if node.tag in ("td", "th") and node.parent is not None:
            return _Place(node.parent.mem_id, "tr", node.mem_id)
        node = node.parent
    listed = block.parent is not None and block.parent.tag == "li"
    return _Place(block.mem_id, "li" if listed else block.tag, 0)


def _joined(parts: list[str], tag: str) -> str:
    text = "".join(parts)
    if tag == "pre":
        return text.strip("\n")
    if tag == "tr":
        return " | ".join(cell for part in text.split(" | ") if (cell := " ".join(part.split())))
    return "\n".join(line for part in text.split("\n") if (line := " ".join(part.split())))
