"""Markdown as it is written; its headings give the path."""

import re
from collections.abc import Iterator
from pathlib import Path

from lisa.ingestion.parsing.blocks import Block, HeadingPath, clean
from lisa.ingestion.parsing.decoding import decoded

ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
MARKS = re.compile(r"[*_`]|\[([^\]]*)\]\([^)]*\)")
FRONT_MATTER = "---"


def parse(path: Path) -> Iterator[Block]:
    """Yields a block for each section: a heading with the text below it."""
    return parse_text(clean(decoded(path.read_bytes())))


def parse_text(text: str) -> Iterator[Block]:
    """As `parse`, of clean text."""
    headings = HeadingPath()
    pending: list[str] = []
    fence = ""
    lines = text.split("\n")
    start = _after_front_matter(lines)
    if start:
        yield Block("\n".join(lines[:start]))
    for line in lines[start:]:
        if fence:
            pending.append(line)
            closing = FENCE.match(line)
            if closing and closing[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
            continue
        if opening := FENCE.match(line):
            fence = opening[1]
        elif heading := ATX.match(line):
            yield Block("\n".join(pending), None, headings.path)
            headings.enter(len(heading[1]), _plain(heading[2] or ""))
            pending = []
        elif (under := SETEXT.match(line)) and _is_title(pending):
            title = pending.pop()
            yield Block("\n".join(pending), None, headings.path)
            headings.enter(1 if under[1][0] == "=" else 2, _plain(title))
            pending = [title]
        pending.append(line)
    yield Block("\n".join(pending), None, headings.path)


def _is_title(pending: list[str]) -> bool:
    """A line of text after an empty one; the underline of a list or a table row is something else."""
    title = pending[-1].strip() if pending else ""
    alone = len(pending) < 2 or not pending[-2].strip()
    return bool(title) and alone and not title.startswith(("|", "-", "*", "+", ">", "#")) and len(title) <= 200


def _after_front_matter(lines: list[str]) -> int:
    if lines[0].rstrip() != FRONT_MATTER:
        return 0
    return next((i + 1 for i, line in enumerate(lines[1:200], 1) if line.rstrip() == FRONT_MATTER), 0)


def _plain(title: str) -> str:
    return MARKS.sub(lambda match: match[1] or "", title)
