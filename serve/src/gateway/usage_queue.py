"""Sends usage records to SQS in the background: in batches, again when it fails, to the end when the task stops."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Hashable, Sequence
from typing import Any, Protocol

import orjson
from lisa.usage.outbox import Batches, Message, Sent

from gateway.logs import fields

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
KEPT_RECORDS = 20_000  # while the queue cannot be reached: some MB
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
CLOSING_SECONDS = 5.0


class Recorded(Protocol):
    """A call that has ended."""

    def kind(self) -> Hashable:
        """Equal for calls that counters do not tell apart: they differ in sums and in what is each call's own."""
        ...

    def record(self) -> dict[str, Any]:
        """As `lisa.usage.schemas.UsageRecord` in JSON."""
        ...

    def add_to(self, record: dict[str, Any]) -> None:
        """Adds this call to the record of another one of its kind."""
        ...


class Outbox(Protocol):
    def send(self, messages: Sequence[Message]) -> Sent: ...


class UsageQueue:
    """`put` never waits. A batch keeps its id however often it is sent, so that it is counted once."""

    def __init__(self, outbox: Outbox, kept_records: int = KEPT_RECORDS, seconds: float = FLUSH_SECONDS) -> None:
        self._outbox = outbox
        self._kept_records = kept_records
        self._seconds = seconds
        self._waiting: deque[Recorded] = deque()
        self._merged: list[dict[str, Any]] = []  # not packed yet
        self._packed: list[Message] = []  # not accepted yet
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._lost = 0
        self._failures = 0  # in a row

    def put(self, call: Recorded) -> None:
        if len(self._waiting) >= self._kept_records:
            self._lost += 1
            return
        self._waiting.append(call)
        if len(self._waiting) == self._kept_records // 2:
            self._wake.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["UsageQueue"]:
        """Records are sent inside the block; at its end what is left, for a few seconds."""
        task = asyncio.create_task(self._keep_sending())
        try:
            yield self
        finally:
            self._closing.set()
            self._wake.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_SECONDS):
                    await task
                    while self._has_some:
                        if not await self.flush():
                            await asyncio.sleep(FIRST_PAUSE_SECONDS)
            self._lost += len(self._waiting) + sum(record["requests"] for record in self._merged)
            self._lost += sum(message.calls for message in self._packed)
            self._tell_lost()

    @property
    def _has_some(self) -> bool:
        return bool(self._waiting or self._merged or self._packed)

    async def _keep_sending(self) -> None:
        while not self._closing.is_set():
            await _wait(self._wake, self._seconds)
            self._wake.clear()
            is_due = bool(self._waiting)
            while (is_due or self._merged or self._packed) and not self._closing.is_set():
                is_due = False  # what comes meanwhile waits for more: each request takes time from the calls
                if not await self.flush():
                    await _wait(self._closing, self._pause())

    async def flush(self) -> bool:
        """Sends once. False: the queue did not take everything, which is kept."""
        if not self._packed:
            self._packed = await asyncio.to_thread(self._pack)
        try:
            sent = await asyncio.to_thread(self._outbox.send, self._packed)
        except Exception as error:  # whatever it is, records are kept and the next try follows
            if self._failures == 0:
                logger.warning("usage cannot be sent", extra=fields(error=type(error.__cause__ or error).__name__))
            self._failures += 1
            return False
        self._packed = sent.again
        self._lost += sum(message.calls for message in sent.refused)
        self._failures = self._failures + 1 if sent.again else 0
        self._tell_lost()
        return not sent.again

    def _pack(self) -> list[Message]:
        """As many records as one request to the queue may carry. In a thread: a busy second takes milliseconds."""
        batches = Batches()
        while (self._waiting or self._merged) and batches.has_room:
            if not self._merged:
                self._merge()
                continue
            record = self._merged.pop()
            try:
                batches.add(orjson.dumps(record), record["requests"])
            except Exception:  # one that cannot be written must not stop the others
                logger.exception("usage record cannot be written")
                self._lost += record["requests"]
        return batches.messages()

    def _merge(self) -> None:
        """Makes one record of waiting calls that count for the same: a busy caller costs no more than a quiet one."""
        merged: dict[Hashable, dict[str, Any]] = {}
        for _ in range(len(self._waiting)):
            call = self._waiting.popleft()
            try:
                kind = call.kind()
                if kind in merged:
                    call.add_to(merged[kind])
                else:
                    merged[kind] = call.record()
            except Exception:
                logger.exception("usage record cannot be made")
                self._lost += 1
        self._merged = list(merged.values())

    def _pause(self) -> float:
        return float(min(FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 10), LONGEST_PAUSE_SECONDS))

    def _tell_lost(self) -> None:
        if self._lost:
            logger.error("usage lost", extra=fields(calls=self._lost))
            self._lost = 0


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
