"""Answers by quoting: the sentences of the given passages that are nearest to the question, word for word."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lisa.retrieval.prompt import OPEN, PromptPassage, passages_in

from local.models.minilm import Vectors

NO_REPOSITORY = (
    "I quote; I do not generate. Choose a repository, so that there are documents to quote from, or choose another"
    " model to chat with."
)
NOTHING_FITS = "I found nothing in the documents that answers this. I quote; I do not generate. Try other words."
LABEL = "Quoted word for word (extractive: I quote, I do not generate):"
NEAR_ENOUGH = 0.35  # cosine; below it a sentence is about something else (docs/retrieval.md)
CLOSE_TO_BEST = 0.12
QUOTES = 3
SHORT_LINE = 0.6  # of the longest line
LEAST_WORDS = 3  # of an answer
HEADING_WORDS = 12
MOST_HEADINGS = 2  # one under the other; more lines without full stops are a table or a list
LONGEST_SENTENCE = 600  # characters; tables and code have no full stops
_END = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+(?=\S)|\n\s*\n|\n(?=\s*(?:[-*•#|]|\d+[.)]\s))")
_STOP = re.compile(r"[.!?…。！？][\"'”’)\]*_]*$")
_ITEM = re.compile(r"\s*(?:[-*•]\s|\||\d+[.)]\s)")
_MARKUP = re.compile(r"^[\s#>*•|-]+")
_WORD = re.compile(r"\w+")
_NO_END = re.compile(
    r"(?:^|\W)(?:\w|e\.g|i\.e|etc|cf|vs|ca|no|fig|eq|mr|mrs|ms|dr|prof|st|approx)\.\s+$", re.IGNORECASE
)

Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True)
class Sentence:
    """`text` is a verbatim piece of passage `number`; `headings` are the lines right above it."""

    number: int
    text: str
    headings: tuple[str, ...] = ()

    @property
    def quote(self) -> str:
        return " … ".join(_one_line(text) for text in (*self.headings, self.text))


def answer(messages: Sequence[dict[str, Any]], embed: Embed) -> str:
    """The reply to a chat, in Markdown."""
    texts = [(str(message.get("role")), text_of(message)) for message in messages]
    grounding = "\n\n".join(text for role, text in texts if role in ("system", "developer"))
    question = next((text for role, text in reversed(texts) if role == "user"), "").strip()
    if OPEN not in grounding or not question:
        return NO_REPOSITORY
    quotes = best_sentences(question, passages_in(grounding), embed)
    if not quotes:
        return NOTHING_FITS
    return "\n\n".join([LABEL, *(f"> {quote.quote} [{quote.number}]" for quote in quotes)])


def best_sentences(question: str, passages: Sequence[PromptPassage], embed: Embed) -> list[Sentence]:
    """Best first; only those that are near the question and nearly as near as the best one."""
    candidates = list({s.quote: s for p in reversed(passages) for s in sentences(p)}.values())
    if not candidates:
        return []
    vectors = embed([question, *(sentence.quote for sentence in candidates)])
    similarity = vectors[1:] @ vectors[0]
    least = max(NEAR_ENOUGH, float(similarity.max()) - CLOSE_TO_BEST)
    order = np.argsort(-similarity, kind="stable")[:QUOTES]
    return [candidates[i] for i in order if similarity[i] >= least]


def sentences(passage: PromptPassage) -> Iterator[Sentence]:
    """The passage's sentences, each with the headings right above it.

    A heading alone is an answer only if there is nothing else; what has under three words is none, but below a heading.
    """
    headings: list[str] = []
    empty = True
    for text, is_heading in _units(passage.text):
        if not headings and not _has_words(text):
            continue
        if is_heading:
            headings.append(text)
            continue
        if len(headings) > MOST_HEADINGS:
            yield from (Sentence(passage.number, row) for row in headings[:-1] if _has_words(row))
            headings = headings[-1:]
        for piece in _pieces(text):
            yield Sentence(passage.number, piece, tuple(headings))
            headings = []
        empty = False
    if empty or len(headings) > MOST_HEADINGS:
        yield from (Sentence(passage.number, row) for row in headings if _has_words(row))


def text_of(message: dict[str, Any]) -> str:
    """The text of a chat message, whose content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _units(passage: str) -> Iterator[tuple[str, bool]]:
    """Sentences and lines, marks left out, and whether each looks like a heading."""
    start = 0
    ends = {match.end() for match in _END.finditer(passage)} | set(_short_lines(passage))
    for end in sorted(ends | {len(passage)}):
        if end < len(passage) and _NO_END.search(passage, max(start, end - 12), end):
            continue
        raw, start = passage[start:end], end
        text = _MARKUP.sub("", raw).strip()
        words = len(_WORD.findall(text))
        if words:
            is_line = "\n" not in text and not _ITEM.match(raw)
            yield text, is_line and words <= HEADING_WORDS and not _STOP.search(text)


def _has_words(text: str) -> bool:
    return len(_WORD.findall(text)) >= LEAST_WORDS


def _short_lines(text: str) -> Iterator[int]:
    """Where lines end that did not end for want of room: headings, table rows, the last lines of paragraphs."""
    lines = text.splitlines(keepends=True)
    room = SHORT_LINE * max(map(len, lines), default=0)
    end = 0
    for line in lines:
        end += len(line)
        if len(line) < room:
            yield end


def _pieces(text: str) -> Iterator[str]:
    while len(text) > LONGEST_SENTENCE:
        cut = text.rfind(" ", 1, LONGEST_SENTENCE)
        cut = cut if cut > 0 else LONGEST_SENTENCE
        yield text[:cut]
        text = text[cut:].strip()
    if text:
        yield text


def _one_line(text: str) -> str:
    return " ".join(text.split())
