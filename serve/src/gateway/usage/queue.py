"""Sends usage records to SQS in the background: in batches, again when it fails, to the end when the task stops."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Hashable, Sequence
from typing import Any, NamedTuple, Protocol

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
    """`put` never waits. A batch keeps its id however often it is sent, so that it is counted once.

    Calls that count for the same become one record as they end: a busy caller costs no more than a quiet one, and
    nothing of a call is kept, which would push what the next calls need out of the processor's caches.
    """

    def __init__(self, outbox: Outbox, kept_records: int = KEPT_RECORDS, seconds: float = FLUSH_SECONDS) -> None:
        self._outbox = outbox
        self._kept_records = kept_records
        self._seconds = seconds
        self._open: dict[Hashable, dict[str, Any]] = {}  # records that calls still add to
        self._closed: list[dict[str, Any]] = []  # not packed yet
        self._packed: list[Message] = []  # not accepted yet
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._lost = 0
        self._failures = 0  # in a row

    def put(self, call: Recorded) -> None:
        """Never raises: usage that cannot be recorded must not fail a call."""
        try:
            self._add(call)
        except Exception:
            logger.exception("usage record cannot be made")
            self._lost += 1

    def _add(self, call: Recorded) -> None:
        kind = call.kind()
        record = self._open.get(kind)
        if record is not None:
            call.add_to(record)
        elif len(self._open) >= self._kept_records:
            self._lost += 1
        else:
            self._open[kind] = call.record()
            if len(self._open) == self._kept_records // 2:
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
            self._lost += sum(record["requests"] for record in (*self._open.values(), *self._closed))
            self._lost += sum(message.calls for message in self._packed)
            self._tell_lost()

    @property
    def _has_some(self) -> bool:
        return bool(self._open or self._closed or self._packed)

    async def _keep_sending(self) -> None:
        while not self._closing.is_set():
            await _wait(self._wake, self._seconds)
            self._wake.clear()
            is_due = bool(self._open)
            while (is_due or self._closed or self._packed) and not self._closing.is_set():
                is_due = False  # what comes meanwhile waits for more: each request takes time from the calls
                if not await self.flush():
                    await _wait(self._closing, self._pause())

    async def flush(self) -> bool:
        """Sends once. False: the queue did not take everything, which is kept."""
        if not self._packed:
            if not self._closed:
                self._closed, self._open = list(self._open.values()), {}
            # Who stops waiting for the thread has lost nothing: the records are here until they are packed.
            packed = await asyncio.to_thread(_pack, self._closed)
            self._closed, self._packed = packed.left, packed.messages
            self._lost += packed.lost
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

    def _pause(self) -> float:
        return float(min(FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 10), LONGEST_PAUSE_SECONDS))

    def _tell_lost(self) -> None:
        if self._lost:
            logger.error("usage lost", extra=fields(calls=self._lost))
            self._lost = 0


class _Packed(NamedTuple):
    """`left`: records for the next request; `lost`: calls whose record cannot be written."""

    messages: list[Message]
    left: list[dict[str, Any]]
    lost: int


def _pack(records: list[dict[str, Any]]) -> _Packed:
    """As many records as one request to the queue may carry. In a thread: a busy second takes milliseconds."""
    batches = Batches()
    done = lost = 0
    while done < len(records) and batches.has_room:
        record = records[done]
        done += 1
        try:
            batches.add(orjson.dumps(record), record["requests"])
        except Exception:  # one that cannot be written must not stop the others
            logger.exception("usage record cannot be written")
            lost += record["requests"]
    return _Packed(batches.messages(), records[done:], lost)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
