"""What every parser yields, and the parsed text that chunks and citations point into."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

SEPARATOR = "\n\n"
# pdfium marks a hyphen at the end of a line so: the word goes on in the next one.
BROKEN_WORD = re.compile(r"[\x02\ufffe][ \t]*\n?")
LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# C0, C1 and non-characters: PostgreSQL takes no NUL, and nobody reads the others.
INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\xad\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text with one page and one heading path; `page` counts from 1, None where a format has none."""

    text: str
    page: int | None = None
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A block at its place: `text[start:end]` of the parsed document."""

    start: int
    end: int
    page: int | None
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    text: str
    sections: list[Section] = field(default_factory=list)


def clean(text: str) -> str:
    """NFC, "\\n" as the only line end, without control characters and lone surrogates; not stripped."""
    text = BROKEN_WORD.sub("", text.replace("\r\n", "\n"))
    text = INVISIBLE.sub("", LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", text).encode("utf-8", "ignore").decode()


def one_line(text: str, limit: int = 200) -> str:
    """A heading: white space collapsed, cut to `limit` characters."""
    return " ".join(clean(text).split())[:limit]


def cleaned(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks with clean text, without those that have none."""
    for block in blocks:
        text = clean(block.text).strip("\n").rstrip()
        if text.strip():
            yield Block(text, block.page, block.headings)


def assembled(blocks: Iterable[Block]) -> ParsedDocument:
    """The blocks, joined by an empty line, as one text with their spans in it."""
    parts: list[str] = []
    sections: list[Section] = []
    position = 0
    for block in blocks:
        sections.append(Section(position, position + len(block.text), block.page, block.headings))
        parts.append(block.text)
        position += len(block.text) + len(SEPARATOR)
    return ParsedDocument(SEPARATOR.join(parts), sections)


class HeadingPath:
    """The headings above the present place of a document; level 1 is the outermost."""

    def __init__(self) -> None:
        self._stack: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> None:
        """A heading begins: it ends those of its own and of deeper levels."""
        title = one_line(title)
        if title:
            self._stack = [*(item for item in self._stack if item[0] < level), (level, title)]

    @property
    def path(self) -> tuple[str, ...]:
        """Outermost first; a heading that only repeats the one above is told once (a page's title and its h1)."""
        return tuple(title for title, _ in groupby(title for _, title in self._stack))
