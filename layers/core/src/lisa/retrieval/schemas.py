"""What is searched, and what comes back: passages with their place in the document."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from lisa.schemas import Schema


class SearchMode(StrEnum):
    HYBRID = "hybrid"
    VECTOR = "vector"
    TEXT = "text"


class Chunk(Schema):
    """A piece of a document as the parser and the chunker made it. `start`/`end`: character span in the parsed text."""

    ordinal: int = Field(ge=0)
    text: str
    page: int | None = None
    headings: list[str] = []
    start: int = 0
    end: int = 0


class EmbeddedChunk(Chunk):
    embedding: list[float] = Field(repr=False)


class SearchRequest(Schema):
    """`filters`: metadata key → required value (a list means any of them)."""

    query: str = Field(min_length=1, max_length=10_000)
    collection_id: str | None = None
    model_name: str | None = None
    top_k: int = Field(3, ge=1, le=100)
    score: bool = False
    mode: SearchMode = SearchMode.HYBRID
    filters: dict[str, Any] = {}


class Passage(Chunk):
    """A hit. `score` is the fused one; the legs' own are None where a leg did not find it."""

    document_id: str
    document_name: str
    source: str
    metadata: dict[str, Any] = {}
    score: float
    vector_score: float | None = None
    text_score: float | None = None
