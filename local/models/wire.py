"""What the OpenAI protocol sends to and gets from the local models."""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from local.models.minilm import Vectors

MAX_INPUTS = 2_048


class EmbeddingRequest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    model: str = ""
    input: str | list[str] = Field(max_length=8_000_000)
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class ChatRequest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    model: str = ""
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool = False
    stream_options: dict[str, Any] | None = None

    @property
    def wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.get("include_usage"))


def models(*names: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": n, "object": "model", "created": 0, "owned_by": "local"} for n in names]}


def error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def embeddings(model: str, vectors: Vectors, encoding: str, token_count: int) -> dict[str, Any]:
    def encoded(vector: Vectors) -> str | list[float]:
        return base64.b64encode(vector.astype("<f4").tobytes()).decode() if encoding == "base64" else vector.tolist()

    rows = [{"object": "embedding", "index": i, "embedding": encoded(np.asarray(v))} for i, v in enumerate(vectors)]
    usage = {"prompt_tokens": token_count, "total_tokens": token_count}
    return {"object": "list", "data": rows, "model": model, "usage": usage}


class Completion:
    """One chat answer, whole or as server-sent events."""

    def __init__(self, model: str, prompt_tokens: int, completion_tokens: int) -> None:
        self._base = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}
        self._usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        }

    def whole(self, text: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**self._base, "object": "chat.completion", "choices": [choice], "usage": self._usage}

    def events(self, words: Iterator[str], with_usage: bool) -> Iterator[bytes]:
        """The chunks and the final [DONE]; with `with_usage` a chunk without choices tells the tokens."""
        yield self._event({"role": "assistant", "content": ""})
        for word in words:
            yield self._event({"content": word})
        yield self._event({}, finish="stop")
        if with_usage:
            yield self._line({"choices": [], "usage": self._usage})
        yield b"data: [DONE]\n\n"

    def _event(self, delta: dict[str, str], finish: str | None = None) -> bytes:
        return self._line({"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})

    def _line(self, more: dict[str, Any]) -> bytes:
        chunk = {**self._base, "object": "chat.completion.chunk", **more}
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"
