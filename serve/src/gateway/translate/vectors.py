"""`embeddings` and `rerank` for providers of another protocol."""

import struct
from base64 import b64encode
from typing import Any

import orjson

from gateway.translate.job import Events, Job, Whole

# `input_type` is Cohere's and Voyage's: whether a text is searched for or searched in.
EMBEDDING_FIELDS = frozenset({"input", "dimensions", "input_type", "user"})
RERANK_FIELDS = frozenset(
    {"query", "documents", "top_n", "rank_fields", "return_documents", "max_chunks_per_doc", "max_tokens_per_doc"}
)


async def embeddings(job: Job) -> Whole | Events:
    arguments = job.arguments(EMBEDDING_FIELDS)
    if "amazon.titan-embed-text-v1" in arguments["model"] and "dimensions" in arguments:
        raise job.refuse("dimensions", "this model's vectors have one length. Leave the field out.")
    arguments["input"] = _texts(job.library, arguments["input"])
    answer = await job.library.aembedding(**arguments)
    body = answer.model_dump(exclude_none=True)
    return Whole(_encoded({**body, "model": job.model_id}, job.call.body.get("encoding_format") == "base64"))


def _texts(library: Any, given: Any) -> Any:
    """Tokens become text again: OpenAI's clients send those of its own tokenizer, which no other provider has."""
    if isinstance(given, list) and given and all(isinstance(token, int) for token in given):
        return library.encoding.decode(given)
    if isinstance(given, list):
        return [_texts(library, one) if isinstance(one, list) else one for one in given]
    return given


def _encoded(body: dict[str, Any], as_base64: bool) -> bytes:
    if as_base64:
        for item in body.get("data", ()):
            if isinstance(item.get("embedding"), list):
                item["embedding"] = b64encode(_floats(item["embedding"])).decode()
    return orjson.dumps(body, default=str)


def _floats(values: list[float]) -> bytes:
    """Little-endian float32, as OpenAI sends base64 embeddings."""
    return struct.pack(f"<{len(values)}f", *values)


async def rerank(job: Job) -> Whole | Events:
    if not isinstance(job.call.body.get("documents"), list):
        raise job.refuse("documents", "is missing. Send a list of texts.")
    answer = await job.library.arerank(**job.arguments(RERANK_FIELDS))
    return Whole(orjson.dumps({**answer.model_dump(exclude_none=True), "model": job.model_id}, default=str))
