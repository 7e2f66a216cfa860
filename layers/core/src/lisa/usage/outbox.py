"""Usage records on their way to SQS: a message is a `UsageBatch`, ten messages a request."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lisa.errors import UnavailableError
from lisa.usage.schemas import MAX_RECORDS

MAX_MESSAGES = 10  # that one SendMessageBatch takes
# SQS takes 1 MB in a request, and emulators of it 256 KB.
MAX_REQUEST_BYTES = 240 * 1024
MAX_MESSAGE_BYTES = MAX_REQUEST_BYTES // MAX_MESSAGES


@dataclass(frozen=True, slots=True)
class Message:
    """`calls`: how many its records tell of."""

    body: str
    calls: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What was not accepted: `again` may be the next time, `refused` never."""

    again: list[Message]
    refused: list[Message]


class Batches:
    """Packs records (JSON) into messages until a request is full. A batch keeps its id however often it is sent."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._records: list[bytes] = []
        self._bytes = self._calls = 0
        self._total_bytes = 0

    @property
    def has_room(self) -> bool:
        return len(self._messages) < MAX_MESSAGES and self._total_bytes < MAX_REQUEST_BYTES - MAX_MESSAGE_BYTES

    def add(self, record: bytes, calls: int = 1) -> None:
        """`calls`: how many the record tells of."""
        self._records.append(record)
        self._calls += calls
        self._bytes += len(record) + 1
        self._total_bytes += len(record) + 1
        if len(self._records) == MAX_RECORDS or self._bytes > MAX_MESSAGE_BYTES // 2:
            self._close()

    def messages(self) -> list[Message]:
        self._close()
        return self._messages

    def _close(self) -> None:
        if self._records:
            body = b'{"batchId":"%s","records":[%s]}' % (uuid.uuid4().hex.encode(), b",".join(self._records))
            self._messages.append(Message(body.decode(), self._calls))
            self._records, self._bytes, self._calls = [], 0, 0


class SqsOutbox:
    """Takes a low-level client, which threads may share."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, messages: Sequence[Message]) -> Sent:
        """Sends ten at most. Raises: UnavailableError: nobody knows then which were accepted."""
        if not messages:
            return Sent([], [])
        entries = [{"Id": str(number), "MessageBody": message.body} for number, message in enumerate(messages)]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("Usage cannot be sent.") from error
        sent = Sent([], [])
        for failed in answer.get("Failed", ()):
            (sent.refused if failed.get("SenderFault") else sent.again).append(messages[int(failed["Id"])])
        return sent
