"""Cuts a parsed document into chunks that are exact spans of its text.

Cut marks are tried from the coarsest: headings, paragraphs, lines, sentences, words; only a word longer than a chunk is
cut through. Neighbours are joined again while they fit. A chunk never crosses a page, so its page number is exact.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

from lisa.ingestion.parsing.blocks import ParsedDocument, Section
from lisa.repositories.schemas import ChunkingStrategy, ChunkingType
from lisa.retrieval.schemas import Chunk

# `none` keeps a document whole up to the largest size that a strategy may have: no embedding model reads more.
WHOLE_CHARACTERS = 10_000
PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
LINE = re.compile(r"\n\s*")
SENTENCE = re.compile(r"[.!?…][\"'”’»)\]]*\s+|[。！？]\s*")
WORD = re.compile(r"\s+")

Span = tuple[int, int]
Marks = Callable[[int, int], Iterator[int]]


def chunks_of(document: ParsedDocument, strategy: ChunkingStrategy) -> Iterator[Chunk]:
    """Yields chunks in reading order: `text == document.text[start:end]`, at most `size` characters, never blank.

    From the second chunk of a page on, up to `overlap` characters before it are repeated, from the start of a word.
    """
    if strategy.type is ChunkingType.NONE:
        size, overlap, pages = WHOLE_CHARACTERS, 0, [document.sections] if document.sections else []
    else:
        size, overlap, pages = strategy.size, strategy.overlap, list(_pages(document.sections))
    starts = [section.start for section in document.sections]
    ordinal = 0
    for sections in pages:
        first = sections[0].start
        for start, end in _pieces(document.text, sections, size, overlap):
            section = document.sections[bisect_right(starts, start) - 1]
            begin = _with_overlap(document.text, first, start, overlap)
            yield Chunk(
                ordinal=ordinal,
                text=document.text[begin:end],
                page=section.page,
                headings=list(section.headings),
                start=begin,
                end=end,
            )
            ordinal += 1


def _pages(sections: Sequence[Section]) -> Iterator[list[Section]]:
    """Runs of sections on the same page; a document without pages is one run."""
    run: list[Section] = []
    for section in sections:
        if run and section.page != run[0].page:
            yield run
            run = []
        run.append(section)
    if run:
        yield run


def _pieces(text: str, sections: Sequence[Section], size: int, overlap: int) -> Iterator[Span]:
    """Spans without overlap that leave room for it, without blanks at their ends."""
    whole = _stripped(text, sections[0].start, sections[-1].end)
    if whole[1] - whole[0] <= size:
        spans: Iterator[Span] = iter([whole])
    else:
        marks: list[Marks] = [_heading_marks(sections)]
        marks += [_pattern_marks(text, pattern) for pattern in (PARAGRAPH, LINE, SENTENCE, WORD)]
        spans = _split(whole, size - overlap, marks)
    for span in spans:
        start, end = _stripped(text, *span)
        if start < end:
            yield start, end


def _split(span: Span, size: int, levels: Sequence[Marks]) -> Iterator[Span]:
    """Cuts at the coarsest marks, joins neighbours while they fit, and cuts what is still too long at finer marks."""
    start, end = span
    if end - start <= size:
        yield span
        return
    if not levels:
        yield from ((position, min(position + size, end)) for position in range(start, end, size))
        return
    held_start = held_end = start
    for part_end in (*levels[0](start, end), end):
        if part_end - held_start > size:
            if held_end > held_start:
                yield held_start, held_end
                held_start = held_end
            if part_end - held_start > size:
                yield from _split((held_start, part_end), size, levels[1:])
                held_start = part_end
        held_end = part_end
    if held_end > held_start:
        yield held_start, held_end


def _heading_marks(sections: Sequence[Section]) -> Marks:
    starts = [section.start for section in sections]

    def marks(start: int, end: int) -> Iterator[int]:
        yield from starts[bisect_right(starts, start) : bisect_left(starts, end)]

    return marks


def _pattern_marks(text: str, pattern: re.Pattern[str]) -> Marks:
    def marks(start: int, end: int) -> Iterator[int]:
        yield from (match.end() for match in pattern.finditer(text, start, end) if start < match.end() < end)

    return marks


def _stripped(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _with_overlap(text: str, first: int, start: int, overlap: int) -> int:
    """Where a chunk begins that repeats what stands before `start`, but nothing before `first`."""
    begin = max(first, start - overlap)
    if first < begin < start and not text[begin - 1].isspace():
        word_end = WORD.search(text, begin, start)
        begin = word_end.end() if word_end else begin
    while begin < start and text[begin].isspace():
        begin += 1
    return begin
