"""Embeddings from Serve, for the functions that ingest and search."""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import urllib3

from lisa import aws
from lisa.errors import UnavailableError, UpstreamError
from lisa.settings import Settings

BATCH_TEXTS = 64
BATCH_CHARACTERS = 100_000  # keeps a request far below what any provider accepts
ATTEMPTS = 4
LONGEST_PAUSE_SECONDS = 20.0
RETRIED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS} | {s for s in HTTPStatus if s >= 500}


class ServeSettings(Settings):
    serve_url: str
    management_key_secret: str


class ServeClient:
    """Speaks to Serve as the deployment itself, with the management key."""

    def __init__(
        self,
        url: str,
        key: Callable[[], str],
        *,
        forget_key: Callable[[], None] = lambda: None,
        timeout_seconds: float = 60,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._forget_key = forget_key
        self._sleep = sleep
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=timeout_seconds), retries=False)

    def embed(self, texts: Sequence[str], model_id: str) -> list[list[float]]:
        """One vector a text, in order.

        Raises: UpstreamError when the model refuses or answers nonsense, UnavailableError when it stays out of reach
        (worth another try later).
        """
        return [vector for batch in batches(texts) for vector in self._embed_batch(batch, model_id)]

    def _embed_batch(self, texts: Sequence[str], model_id: str) -> list[list[float]]:
        answer = self._post("/v1/embeddings", {"model": model_id, "input": texts, "encoding_format": "float"}, model_id)
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = [[float(x) for x in row["embedding"]] for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise UpstreamError(
                f"Model {model_id} did not answer with embeddings. Is it an embedding model?"
            ) from error
        if len(vectors) != len(texts):
            raise UpstreamError(f"Model {model_id} answered {len(vectors)} embeddings for {len(texts)} texts.")
        return vectors

    def _post(self, path: str, body: dict[str, Any], model_id: str) -> dict[str, Any]:
        problem = retry_after = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(_pause(attempt, retry_after))
            retry_after = ""
            try:
                reply = self._pool.request(
                    "POST", self._url + path, json=body, headers={"Authorization": f"Bearer {self._key()}"}
                )
            except urllib3.exceptions.HTTPError as error:
                problem = f"it cannot be reached ({type(error).__name__})"
                continue
            if reply.status == HTTPStatus.UNAUTHORIZED and not attempt:
                self._forget_key()  # it may have been rotated since this process read it
                problem = "it does not accept the management key"
                continue
            if reply.status in RETRIED:
                problem = f"it answered {reply.status}{_reason(reply.data)}"
                retry_after = reply.headers.get("Retry-After", "")
                continue
            if reply.status != HTTPStatus.OK:
                raise UpstreamError(f"Model {model_id} refused: {reply.status}{_reason(reply.data)}")
            try:
                answer = json.loads(reply.data)
            except ValueError as error:
                raise UpstreamError(f"Model {model_id} did not answer with JSON.") from error
            return answer if isinstance(answer, dict) else {}
        raise UnavailableError(f"Model {model_id} is not available: {problem}. Check its status, then try again.")


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, cut into requests of limited size; a text that alone is larger goes alone."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == BATCH_TEXTS or size + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def _pause(attempt: int, retry_after: str) -> float:
    backoff = 0.5 * 2.0**attempt * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
    asked = float(retry_after) if retry_after.isdigit() else 0.0
    return min(max(backoff, asked), LONGEST_PAUSE_SECONDS)


def _reason(data: bytes) -> str:
    """The message of an error body in LISA's or OpenAI's shape, for a person to read."""
    try:
        answer = json.loads(data)
    except ValueError:
        return ""
    if not isinstance(answer, dict):
        return ""
    inner = answer.get("error")
    message = inner.get("message") if isinstance(inner, dict) else inner or answer.get("message")
    return f" ({str(message)[:300]})" if message else ""


@cache
def _client(url: str, secret_id: str) -> ServeClient:
    return ServeClient(url, lambda: aws.secret(secret_id), forget_key=aws.secret.cache_clear)


def embed(texts: Sequence[str], model_id: str) -> list[list[float]]:
    """As `ServeClient.embed`, at SERVE_URL with the key in MANAGEMENT_KEY_SECRET."""
    settings = ServeSettings.load()
    return _client(settings.serve_url, settings.management_key_secret).embed(texts, model_id)
