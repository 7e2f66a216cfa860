"""Chunks as lines of PostgreSQL's COPY format, checked before anything touches the database."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from lisa.errors import InvalidError, UpstreamError
from lisa.retrieval.schemas import EmbeddedChunk

MEMORY_BYTES = 16 * 1024 * 1024  # more than this waits on disk
PIECE_CHARACTERS = 8_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x00": None})


class Staged:
    """Chunks in a file that can be read twice (a lost connection tries again). `dimension` is 0 when there are none."""

    def __init__(self, chunks: Iterable[EmbeddedChunk]) -> None:
        self.file: IO[bytes] = SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - closed by close()
        self.dimension = 0
        for chunk in chunks:
            self.dimension = self.dimension or len(chunk.embedding)
            if len(chunk.embedding) != self.dimension:
                raise InvalidError("The vectors of a document must all have the same dimension.")
            self.file.write(_line(chunk))

    def rewound(self) -> IO[bytes]:
        self.file.seek(0)
        return self.file

    def close(self) -> None:
        self.file.close()


def vector_text(vector: Sequence[float]) -> str:
    """The vector at length 1, as pgvector reads it: models differ in whether they normalise.

    Raises: UpstreamError when it has no direction (all zeros, or not numbers).
    """
    norm = math.sqrt(math.fsum(x * x for x in vector))
    if not (0 < norm < math.inf):
        raise UpstreamError("The embedding model answered a vector without direction (zeros, or not numbers).")
    return "[" + ",".join(f"{x / norm:.7g}" for x in vector) + "]"


def storable(value: Any) -> Any:
    """The value without what PostgreSQL's text and jsonb cannot hold: null characters and lone surrogates."""
    match value:
        case str():
            return value.replace("\x00", "").encode("utf-8", "replace").decode()
        case dict():
            return {storable(str(k)): storable(v) for k, v in value.items()}
        case list() | tuple():
            return [storable(v) for v in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def json_text(value: Any) -> str:
    return json.dumps(storable(value), ensure_ascii=False, default=str)


def cuts(text: str) -> Iterator[int]:
    """Where the pieces of a text begin, and its end: at white space, or inside a word longer than a piece."""
    start = 0
    yield start
    while len(text) - start > PIECE_CHARACTERS:
        end = start + PIECE_CHARACTERS
        space = next((i for i in range(end, start, -1) if text[i].isspace()), end)
        start = space
        yield start
    if text:
        yield len(text)


def _line(chunk: EmbeddedChunk) -> bytes:
    text = storable(chunk.text)
    fields = (
        str(chunk.ordinal),
        text,
        "{" + ",".join(map(str, cuts(text))) + "}",
        None if chunk.page is None else str(chunk.page),
        json_text(chunk.headings),
        str(chunk.start),
        str(chunk.end),
        vector_text(chunk.embedding),
    )
    return ("\t".join("\\N" if f is None else f.translate(_ESCAPES) for f in fields) + "\n").encode()
