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
LONGEST_SENTENCE = 600  # characters; tables and code have no full stops
_END = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+(?=\S)|\n\s*\n|\n(?=\s*(?:[-*•#|]|\d+[.)]\s))")
_MARKUP = re.compile(r"^[\s#>*•|-]+")
_WORD = re.compile(r"\w+")
_NO_END = re.compile(
    r"(?:^|\W)(?:\w|e\.g|i\.e|etc|cf|vs|ca|no|fig|eq|mr|mrs|ms|dr|prof|st|approx)\.\s+$", re.IGNORECASE
)

Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True)
class Sentence:
    """`text` is a verbatim piece of passage `number`."""

    number: int
    text: str


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
    return "\n\n".join([LABEL, *(f"> {_one_line(quote.text)} [{quote.number}]" for quote in quotes)])


def best_sentences(question: str, passages: Sequence[PromptPassage], embed: Embed) -> list[Sentence]:
    """Best first; only those that are near the question and nearly as near as the best one."""
    candidates = list({_one_line(s.text): s for p in reversed(passages) for s in sentences(p)}.values())
    if not candidates:
        return []
    vectors = embed([question, *(sentence.text for sentence in candidates)])
    similarity = vectors[1:] @ vectors[0]
    least = max(NEAR_ENOUGH, float(similarity.max()) - CLOSE_TO_BEST)
    order = np.argsort(-similarity, kind="stable")[:QUOTES]
    return [candidates[i] for i in order if similarity[i] >= least]


def sentences(passage: PromptPassage) -> Iterator[Sentence]:
    """The passage's sentences, headings' marks left out; what has under three words is no answer."""
    start = 0
    ends = {match.end() for match in _END.finditer(passage.text)} | set(_short_lines(passage.text))
    for end in sorted(ends | {len(passage.text)}):
        if end < len(passage.text) and _NO_END.search(passage.text, max(start, end - 12), end):
            continue
        text = _MARKUP.sub("", passage.text[start:end]).strip()
        start = end
        if len(_WORD.findall(text)) >= 3:
            for piece in _pieces(text):
                yield Sentence(passage.number, piece)


def text_of(message: dict[str, Any]) -> str:
    """The text of a chat message, whose content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


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
