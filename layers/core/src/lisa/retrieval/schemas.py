"""What is searched, and what comes back: passages with their place in the document."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, Field

from lisa.schemas import Schema

FILTER = "filter."  # how the URL parameters begin that filter by metadata


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

    @classmethod
    def of_query(cls, parameters: Mapping[str, Sequence[str]]) -> Self:
        """Of a URL's parameters. `filter.<key>=<value>` filters; repeated, any of the values will do.

        A value that reads as a number, a boolean or null stands for that too: a URL cannot tell 2020 from "2020".
        """
        plain = {name: values[-1] for name, values in parameters.items() if values and not name.startswith(FILTER)}
        filters = {
            name.removeprefix(FILTER): [meaning for value in values for meaning in _meanings(value)]
            for name, values in parameters.items()
            if name.startswith(FILTER)
        }
        return cls.model_validate({**plain, "filters": filters})


def _meanings(value: str) -> list[Any]:
    try:
        other = json.loads(value)
    except ValueError:
        return [value]
    return [value] if isinstance(other, str | dict | list) else [value, other]


class Passage(Chunk):
    """A hit. `score` is the fused one; the legs' own are None where a leg did not find it."""

    document_id: str
    document_name: str
    source: str
    metadata: dict[str, Any] = {}
    score: float
    vector_score: float | None = None
    text_score: float | None = None


class FoundDocument(BaseModel):
    """A passage in the shape that the original's clients read."""

    page_content: str
    metadata: dict[str, Any]


class Found(BaseModel):
    document: FoundDocument = Field(alias="Document")

    @classmethod
    def of(cls, passage: Passage, repository_id: str, collection_id: str, *, scored: bool) -> Self:
        """`part` counts from 1. With `scored`, similarity_score orders the answer, beside the scores of both legs."""
        scores = {
            "similarity_score": passage.score,
            "vector_score": passage.vector_score,
            "text_score": passage.text_score,
        }
        metadata = {
            **passage.metadata,
            "source": passage.source,
            "name": passage.document_name,
            "document_id": passage.document_id,
            "repositoryId": repository_id,
            "collectionId": collection_id,
            "part": passage.ordinal + 1,
            "page": passage.page,
            "headings": passage.headings,
            "start": passage.start,
            "end": passage.end,
            **(scores if scored else {}),
        }
        return cls(Document=FoundDocument(page_content=passage.text, metadata=metadata))


class SearchAnswer(BaseModel):
    docs: list[Found]
