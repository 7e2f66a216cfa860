"""`python -m local.models.embeddings --port N`: embeddings and extractive chat, in OpenAI's protocol.

Models: `minilm-l6-v2` at /v1/embeddings, `extractive` at /v1/chat/completions. GET /health answers when both are ready.
"""

import argparse
import asyncio
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from aiohttp import web
from pydantic import BaseModel, ValidationError

from local.models import extractive, wire
from local.models.minilm import DIMENSION, TOKEN_LIMIT, Batch, MiniLm, Vectors, batches, thread_count
from local.models.wordpiece import encode

EMBEDDING_MODEL, EXTRACTIVE_MODEL = "minilm-l6-v2", "extractive"
MAX_BODY_BYTES = 32 * 1024 * 1024
S = TypeVar("S", bound=BaseModel)
T = TypeVar("T")


class Models:
    """The model and its threads. Long requests give way to others after each batch."""

    def __init__(self) -> None:
        self._minilm = MiniLm()
        self._threads = ThreadPoolExecutor(thread_count(), "inference")

    async def embed(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """Vectors and the number of tokens read."""
        ids = await self._on_thread(lambda: [encode(text, TOKEN_LIMIT) for text in texts])
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        turns = asyncio.Semaphore(thread_count())

        async def run(batch: Batch) -> None:
            async with turns:
                vectors[batch.rows] = await self._on_thread(lambda: self._minilm.run(batch))

        await asyncio.gather(*(run(batch) for batch in batches(ids)))
        return vectors, sum(map(len, ids))

    async def quote(self, messages: list[dict[str, Any]]) -> str:
        return await self._on_thread(lambda: extractive.answer(messages, self._minilm.embed))

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


MODELS = web.AppKey("models", Models)


async def health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def list_models(_: web.Request) -> web.Response:
    return web.json_response(wire.models(EMBEDDING_MODEL, EXTRACTIVE_MODEL))


async def embeddings(request: web.Request) -> web.Response:
    asked = await _parsed(request, wire.EmbeddingRequest, EMBEDDING_MODEL)
    if not 1 <= len(asked.texts) <= wire.MAX_INPUTS:
        raise _refusal(web.HTTPBadRequest, f"`input` takes 1 to {wire.MAX_INPUTS} texts at once.")
    if asked.dimensions not in (None, DIMENSION):
        raise _refusal(web.HTTPBadRequest, f"{EMBEDDING_MODEL} has {DIMENSION} dimensions and no others.")
    vectors, tokens = await request.app[MODELS].embed(asked.texts)
    return web.json_response(wire.embeddings(EMBEDDING_MODEL, vectors, asked.encoding_format, tokens))


async def chat(request: web.Request) -> web.StreamResponse:
    asked = await _parsed(request, wire.ChatRequest, EXTRACTIVE_MODEL)
    text = await request.app[MODELS].quote(asked.messages)
    read = "\n".join(extractive.text_of(message) for message in asked.messages)
    completion = wire.Completion(EXTRACTIVE_MODEL, _token_count(read), _token_count(text))
    if not asked.stream:
        return web.json_response(completion.whole(text))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    for event in completion.events((word[0] for word in re.finditer(r"\S+\s*|\s+", text)), asked.wants_usage):
        await response.write(event)
    await response.write_eof()
    return response


async def _parsed(request: web.Request, schema: type[S], model: str) -> S:
    try:
        asked = schema.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise _refusal(web.HTTPBadRequest, f"{where}: {first['msg']}") from None
    if getattr(asked, "model", "") not in ("", model):
        raise _refusal(web.HTTPNotFound, f"There is no such model at this address; it serves {model}.")
    return asked


def _refusal(kind: type[web.HTTPException], message: str) -> web.HTTPException:
    code = "model_not_found" if kind is web.HTTPNotFound else "invalid_request"
    return kind(text=json.dumps(wire.error(message, code)), content_type="application/json")


def _token_count(text: str) -> int:
    return len(encode(text, len(text) + 2)) - 2


async def _load(app: web.Application) -> None:
    models = await asyncio.to_thread(Models)
    await models.embed(["ready"])  # the first run allocates; let nobody wait for it
    app[MODELS] = models


def application() -> web.Application:
    """It takes connections once the model is loaded."""
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.on_startup.append(_load)
    app.add_routes(
        [
            web.get("/health", health),
            web.get("/v1/models", list_models),
            web.post("/v1/embeddings", embeddings),
            web.post("/v1/chat/completions", chat),
        ]
    )
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    web.run_app(application(), host=arguments.host, port=arguments.port, print=None, access_log=None)
