"""Asks Amazon Bedrock's ApplyGuardrail about texts. Whatever is not a clear verdict counts as a failure."""

import asyncio
import functools
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from lisa.errors import UnavailableError
from lisa.models.guardrails import GuardrailConfig

from gateway.errors import GuardrailTriggeredError
from gateway.guardrails.texts import BLOCKED
from gateway.logs import fields

logger = logging.getLogger(__name__)

# ApplyGuardrail takes 25 text units of 1,000 characters at once, in every region.
MAX_CHARACTERS = 24_000
MAX_BLOCKS = 50
THREADS = 32
AT_ONCE = 8  # for one call; the other threads are everybody else's
CONNECT_SECONDS = 2
UNAVAILABLE = "This model's guardrail cannot be asked, so nothing was let through. Try again, or tell an administrator."


Ask = Callable[[list[str]], Awaitable[dict[str, Any]]]


class Source(StrEnum):
    INPUT = "INPUT"
    OUTPUT = "OUTPUT"


class BedrockGuardrails:
    """Made without a connection: the client (and botocore's model of the service) come with the first check."""

    def __init__(self, seconds: float, region: str | None = None) -> None:
        self._seconds = seconds
        self._region = region
        self._client: Any = None
        self._lock = threading.Lock()
        # Its own threads: a service that hangs must not take those of the registry and the keys.
        self._threads = ThreadPoolExecutor(THREADS, "guardrail")

    async def apply(self, guardrail: GuardrailConfig, source: Source, texts: Sequence[str]) -> list[str]:
        """The texts, with what the guardrail masks in them masked.

        Raises: GuardrailTriggeredError with the guardrail's message; UnavailableError when there is no verdict in time.
        """
        loop = asyncio.get_running_loop()
        try:
            client = self._client or await loop.run_in_executor(self._threads, self._connected)
            ask = functools.partial(self._ask, asyncio.Semaphore(AT_ONCE), client, guardrail, source)
            async with asyncio.timeout(self._seconds):
                answers = await asyncio.gather(*(self._checked(ask, guardrail, batch) for batch in _batches(texts)))
        except (BotoCoreError, ClientError, TimeoutError) as error:
            raise _unavailable(guardrail, error) from error
        return list(_joined(texts, [piece for answer in answers for piece in answer]))

    async def _checked(self, ask: Ask, guardrail: GuardrailConfig, texts: list[str]) -> list[str]:
        outputs = _verdict(guardrail, await ask(texts))
        if outputs is None:
            return texts
        if len(outputs) == len(texts):
            return outputs
        if len(texts) == 1:
            return ["".join(outputs)]
        # Which masked text belongs to which is not told, so each is asked about alone.
        alone = await asyncio.gather(*(self._checked(ask, guardrail, [text]) for text in texts))
        return [text for answer in alone for text in answer]

    async def _ask(
        self, turns: asyncio.Semaphore, client: Any, guardrail: GuardrailConfig, source: Source, texts: list[str]
    ) -> dict[str, Any]:
        request = {
            "guardrailIdentifier": guardrail.guardrail_identifier,
            "guardrailVersion": guardrail.guardrail_version,
            "source": source.value,
            "content": [{"text": {"text": text}} for text in texts],
        }
        ask = functools.partial(client.apply_guardrail, **request)
        async with turns:
            answer: dict[str, Any] = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return answer

    def _connected(self) -> Any:
        with self._lock:  # boto3 cannot make two clients at once
            if self._client is None:
                config = Config(
                    retries={"mode": "standard", "max_attempts": 2},
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=self._seconds,
                    max_pool_connections=THREADS,
                )
                self._client = boto3.session.Session().client("bedrock-runtime", self._region, config=config)
            return self._client

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _verdict(guardrail: GuardrailConfig, answer: dict[str, Any]) -> list[str] | None:
    """The masked texts; None when nothing was found. Raises: GuardrailTriggeredError, UnavailableError."""
    action = answer.get("action")
    if action == "NONE":
        return None
    if action != "GUARDRAIL_INTERVENED":
        raise _unavailable(guardrail, None)
    outputs = [str(output.get("text") or "") for output in answer.get("outputs") or ()]
    actions = set(_actions(answer.get("assessments")))
    if outputs and "ANONYMIZED" in actions and "BLOCKED" not in actions:
        return outputs
    logger.info("guardrail triggered", extra=fields(guardrail=guardrail.guardrail_name, mode=guardrail.mode.value))
    raise GuardrailTriggeredError("\n".join(filter(None, outputs)) or BLOCKED)


def _actions(assessments: Any) -> Iterator[str]:
    """What each policy did, wherever it says so."""
    if isinstance(assessments, dict):
        if isinstance(assessments.get("action"), str):
            yield assessments["action"]
        assessments = list(assessments.values())
    if isinstance(assessments, list):
        for part in assessments:
            yield from _actions(part)


def _unavailable(guardrail: GuardrailConfig, error: Exception | None) -> UnavailableError:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else None
    logger.warning(
        "guardrail cannot be asked",
        extra=fields(guardrail=guardrail.guardrail_name, error=type(error).__name__ if error else None, code=code),
    )
    return UnavailableError(UNAVAILABLE)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The pieces of all texts in order, as many at once as the service takes."""
    batch: list[str] = []
    size = 0
    for text in texts:
        for piece in _pieces(text):
            if batch and (size + len(piece) > MAX_CHARACTERS or len(batch) == MAX_BLOCKS):
                yield batch
                batch, size = [], 0
            batch.append(piece)
            size += len(piece)
    if batch:
        yield batch


def _pieces(text: str) -> Iterator[str]:
    """Cut between words where there are words."""
    while len(text) > MAX_CHARACTERS:
        cut = text.rfind(" ", MAX_CHARACTERS // 2, MAX_CHARACTERS) + 1 or MAX_CHARACTERS
        yield text[:cut]
        text = text[cut:]
    yield text


def _joined(texts: Sequence[str], pieces: list[str]) -> Iterator[str]:
    start = 0
    for text in texts:
        count = sum(1 for _ in _pieces(text))
        yield "".join(pieces[start : start + count])
        start += count
