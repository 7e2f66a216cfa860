"""BERT's uncased WordPiece tokenizer, as all-MiniLM-L6-v2 was trained with."""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

VOCABULARY = Path(__file__).with_name("vocab.txt")
PAD, UNKNOWN, CLS, SEP = 0, 100, 101, 102
LONGEST_WORD = 100  # a longer one is unknown
# CJK ideographs, which are words of one character to BERT; kana and hangul are not.
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


@cache
def vocabulary() -> dict[str, int]:
    return {word: number for number, word in enumerate(VOCABULARY.read_text("utf-8").splitlines())}


def encode(text: str, limit: int = 256) -> list[int]:
    """Token ids with [CLS] and [SEP], at most `limit` of them: what is beyond the model does not see."""
    ids = [CLS]
    for word in words(text):
        ids.extend(pieces(word))
        if len(ids) >= limit:
            break
    return [*ids[: limit - 1], SEP]


def words(text: str) -> Iterator[str]:
    """Lower-case words without accents; a punctuation mark or an ideograph is a word."""
    for run in _normal(text).split():
        start = 0
        for position, character in enumerate(run):
            if _kind(character) == "mark":
                if start < position:
                    yield run[start:position]
                yield character
                start = position + 1
        if start < len(run):
            yield run[start:]


@lru_cache(50_000)
def pieces(word: str) -> tuple[int, ...]:
    """The longest known beginnings, one after the other; unknown as a whole when one is missing."""
    if len(word) > LONGEST_WORD:
        return (UNKNOWN,)
    known = vocabulary()
    found: list[int] = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            number = known.get(prefix + word[start:end])
            if number is not None:
                break
        else:
            return (UNKNOWN,)
        found.append(number)
        start = end
    return tuple(found)


def _normal(text: str) -> str:
    kept = []
    for character in text:
        kind = _kind(character)
        if kind == "space":
            kept.append(" ")
        elif kind == "ideograph":
            kept.append(f" {character} ")
        elif kind != "control":
            kept.append(character)
    bare = unicodedata.normalize("NFD", "".join(kept))
    return "".join(c for c in bare if unicodedata.category(c) != "Mn").lower()


@lru_cache(20_000)
def _kind(character: str) -> str:
    code = ord(character)
    category = unicodedata.category(character)
    if character in "\t\n\r" or character.isspace() or category == "Zs":
        return "space"
    if code == 0xFFFD or category in ("Cc", "Cf", "Co", "Cs"):
        return "control"
    if any(low <= code <= high for low, high in IDEOGRAPHS):
        return "ideograph"
    is_ascii_mark = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
    return "mark" if is_ascii_mark or category.startswith("P") else "letter"
