"""Grounded chat: passages of a repository go before the model, their citations go to the caller."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from lisa.errors import BadRequestError, InvalidError, UpstreamError
from lisa.repositories.schemas import REPOSITORY_ID
from lisa.retrieval.prompt import grounding_message
from lisa.retrieval.schemas import SearchMode, SearchRequest
from lisa.schemas import Schema
from pydantic import ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticSerializationError

from gateway.errors import AnsweredError
from gateway.settings import GatewaySettings

FIELD = "lisa"  # of a request, and of its answer
MAX_QUERY_CHARACTERS = 10_000  # what a search takes


class GroundingRequest(Schema):
    """The field `lisa` of a chat request. A misspelt key would silently search elsewhere, so it is refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    repository_id: str = Field(pattern=REPOSITORY_ID)
    collection_id: str | None = Field(None, min_length=1, max_length=128)
    top_k: int = Field(5, ge=1, le=100)
    mode: SearchMode = SearchMode.HYBRID
    filters: dict[str, Any] = {}


class Citation(Schema):
    """A passage that grounds an answer. `number` is the one that the answer refers to, like [1]."""

    number: int
    document_id: str = ""
    document_name: str = ""
    source: str = ""
    repository_id: str
    collection_id: str | None = None
    page: int | None = None
    headings: list[str] = []
    start: int = 0
    end: int = 0
    text: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Grounding:
    citations: list[Citation]

    def _field(self) -> dict[str, Any]:
        return {"citations": [citation.model_dump(by_alias=True, mode="json") for citation in self.citations]}

    def first_event(self, request_id: str, model_id: str) -> bytes:
        """A chunk with an empty delta, which clients that do not know `lisa` pass over."""
        chunk = {
            "id": f"chatcmpl-{request_id}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model_id,
            "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": None}],
            FIELD: self._field(),
        }
        return b"data: " + orjson.dumps(chunk) + b"\n\n"

    def added_to(self, answer: bytes) -> bytes:
        """A complete answer with the citations in it. Raises: UpstreamError when it is not a JSON object."""
        try:
            body = orjson.loads(answer)
            body[FIELD] = self._field()
        except (orjson.JSONDecodeError, TypeError) as error:
            raise UpstreamError("The model's endpoint did not answer with a JSON object.") from error
        return orjson.dumps(body)


def requested(body: dict[str, Any]) -> GroundingRequest | None:
    """Takes the field `lisa` out of a body. Raises: InvalidError."""
    if FIELD not in body:
        return None
    field = body.pop(FIELD)
    if field is None:
        return None
    try:
        return GroundingRequest.model_validate(field)
    except ValidationError as error:
        details = [{"field": ".".join((FIELD, *map(str, e["loc"]))), "problem": e["msg"]} for e in error.errors()]
        raise InvalidError(f"{details[0]['field']}: {details[0]['problem']}", details) from None


def question_of(messages: list[dict[str, Any]]) -> str:
    """The text of the last message of the user. Raises: BadRequestError when there is none."""
    for message in reversed(messages):
        if message.get("role") == "user":
            content = message.get("content")
            parts = content if isinstance(content, list) else [{"text": content}]
            texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
            question = "\n".join(texts).strip()
            if question:
                return question[:MAX_QUERY_CHARACTERS]
    raise BadRequestError("A grounded chat needs a message of the user with text.")


def grounded(messages: list[dict[str, Any]], citations: list[Citation]) -> list[dict[str, Any]]:
    """The messages with the passages first. A leading system message takes them in: many models allow only one."""
    passages = grounding_message(citations)
    first = messages[0]
    if first.get("role") in ("system", "developer") and isinstance(first.get("content"), str):
        return [{**first, "content": f"{first['content']}\n\n{passages}"}, *messages[1:]]
    return [{"role": "system", "content": passages}, *messages]


async def search(
    http: aiohttp.ClientSession, settings: GatewaySettings, credential: str, wanted: GroundingRequest, question: str
) -> list[Citation]:
    """Searches with the caller's own credential, so that the control plane enforces their groups.

    Raises: InvalidError when this deployment has no control plane; BadRequestError for filters that cannot be written;
    AnsweredError as the search refused; UpstreamError.
    """
    if not settings.api_url:
        raise InvalidError("lisa: this gateway is not connected to repositories. Leave the field out.")
    url = f"{settings.api_url.rstrip('/')}/repository/{quote(wanted.repository_id, safe='')}/similaritySearch"
    request = SearchRequest(
        query=question,
        collection_id=wanted.collection_id,
        top_k=wanted.top_k,
        mode=wanted.mode,
        filters=wanted.filters,
        score=True,
    )
    try:
        data = request.model_dump_json(by_alias=True, exclude_none=True)
    except PydanticSerializationError as error:
        raise BadRequestError("lisa.filters: is nested too deeply.") from error
    try:
        async with http.post(
            url,
            data=data,
            headers={
                "Authorization": f"Bearer {credential}",
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
            },
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=settings.retrieval_seconds),
        ) as reply:
            status, answer = reply.status, await reply.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UpstreamError("The search could not be reached. Try again.") from error
    if status != 200:
        raise _refusal(status, answer)
    return _citations(answer, wanted)


def _refusal(status: int, answer: bytes) -> Exception:
    try:
        body = orjson.loads(answer)
        message = str(body.get("message") or body.get("error") or "")
        code = str(body.get("code") or "")
    except (orjson.JSONDecodeError, AttributeError):
        message, code = "", ""
    if 400 <= status < 500:
        return AnsweredError(status, code or "search_refused", message or f"The search answered {status}.")
    return UpstreamError(f"The search failed ({status}): {message or 'no reason given'}. Try again.")


def _citations(answer: bytes, wanted: GroundingRequest) -> list[Citation]:
    try:
        documents = [hit["Document"] for hit in orjson.loads(answer)["docs"]]
        return [_citation(number, document, wanted) for number, document in enumerate(documents, 1)]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise UpstreamError("The search answered in a form that this gateway does not know.") from error


def _citation(number: int, document: dict[str, Any], wanted: GroundingRequest) -> Citation:
    metadata = document["metadata"]
    return Citation(
        number=number,
        document_id=metadata.get("document_id") or "",
        document_name=metadata.get("name") or "",
        source=metadata.get("source") or "",
        repository_id=metadata.get("repositoryId") or wanted.repository_id,
        collection_id=metadata.get("collectionId") or wanted.collection_id,
        page=metadata.get("page"),
        headings=metadata.get("headings") or [],
        start=metadata.get("start") or 0,
        end=metadata.get("end") or 0,
        text=document["page_content"],
        score=metadata.get("similarity_score"),
    )
