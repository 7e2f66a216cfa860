"""Records reach the queue in batches, once as far as we can help it, and to the end when the task stops."""

import asyncio
import json
import logging
import threading
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import boto3
import pytest
from gateway.usage import queue as usage_queue
from gateway.usage.queue import UsageQueue
from lisa.errors import UnavailableError
from lisa.usage.outbox import MAX_REQUEST_BYTES, Batches, Message, Sent, SqsOutbox
from lisa.usage.schemas import UsageBatch
from moto import mock_aws

from tests.fixtures.usage import record


class Ended:
    """A call that has ended."""

    def __init__(self, number: int = 0, **more: Any) -> None:
        self._record = record(requestId=str(number), **{"sessionId": str(number), **more})

    def kind(self) -> Hashable:
        return self._record["time"][:10], self._record["sessionId"], self._record["estimated"]

    def record(self) -> dict[str, Any]:
        return self._record

    def add_to(self, record: dict[str, Any]) -> None:
        for name in ("requests", "promptTokens", "completionTokens", "costMicroUsd"):
            record[name] += self._record[name]


class Broken(Ended):
    def record(self) -> dict[str, Any]:
        raise ValueError("cannot be written")


class FakeOutbox:
    """`answers`: what happens to the next requests; then all is well."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.requests: list[list[Message]] = []
        self.counted: dict[str, list[str]] = {}

    def send(self, messages: Sequence[Message]) -> Sent:
        assert len(messages) <= 10
        self.requests.append(list(messages))
        answer = self.answers.pop(0) if self.answers else "taken"
        if answer == "away":
            raise UnavailableError("away")
        taken = {"taken": messages, "answer lost": messages, "one refused": messages[1:], "one failed": messages[1:]}[
            answer
        ]
        for message in taken:
            batch = UsageBatch.model_validate_json(message.body)
            self.counted[batch.batch_id] = [each.request_id for each in batch.records]
        if answer == "answer lost":
            raise UnavailableError("lost")
        first = list(messages[:1])
        return Sent(first if answer == "one failed" else [], first if answer == "one refused" else [])

    @property
    def ids(self) -> list[int]:
        return sorted(int(each) for ids in self.counted.values() for each in ids)


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_queue, "FIRST_PAUSE_SECONDS", 0.01)


async def drained(queue: UsageQueue, count: int) -> None:
    async with queue.running():
        for number in range(count):
            queue.put(Ended(number))


async def sent(outbox: FakeOutbox) -> None:
    """Returns when something was sent."""
    async with asyncio.timeout(60):
        while not outbox.counted:  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0.005)


async def test_records_are_sent_when_the_task_stops() -> None:
    outbox = FakeOutbox()
    await drained(UsageQueue(outbox), 1000)
    assert outbox.ids == list(range(1000))
    assert len(outbox.requests) == 4
    assert {len(ids) for ids in outbox.counted.values()} == {25}


async def test_records_are_sent_while_the_task_runs() -> None:
    outbox = FakeOutbox()
    async with UsageQueue(outbox, seconds=0.02).running() as queue:
        queue.put(Ended(7))
        await sent(outbox)
    assert outbox.ids == [7]


async def test_what_ends_while_records_are_sent_waits_for_more() -> None:
    class Busy(FakeOutbox):
        def send(self, messages: Sequence[Message]) -> Sent:
            if not self.requests:
                queue.put(Ended(2))
            return super().send(messages)

    outbox = Busy()
    queue = UsageQueue(outbox, kept_records=4, seconds=60)
    async with queue.running():
        await asyncio.sleep(0.01)
        queue.put(Ended(0))
        queue.put(Ended(1))  # half of what is kept: they do not wait
        await sent(outbox)
        await asyncio.sleep(0.05)
        assert outbox.ids == [0, 1]
    assert outbox.ids == [0, 1, 2]
    assert len(outbox.requests) == 2


async def test_many_records_do_not_wait() -> None:
    outbox = FakeOutbox()
    async with UsageQueue(outbox, kept_records=50, seconds=60).running() as queue:
        await asyncio.sleep(0.01)
        for number in range(25):
            queue.put(Ended(number))
        await sent(outbox)


async def test_calls_that_count_for_the_same_are_one_record() -> None:
    outbox = FakeOutbox()
    same = {"sessionId": None, "promptTokens": 2, "completionTokens": 3, "costMicroUsd": 5}
    async with UsageQueue(outbox).running() as queue:
        for number in range(1000):
            queue.put(Ended(number, **same))
        queue.put(Ended(1000, **same | {"estimated": True}))
        queue.put(Ended(1001, **same | {"time": "2027-01-16T00:00:00Z"}))
    (message,) = [message for messages in outbox.requests for message in messages]
    records = UsageBatch.model_validate_json(message.body).records
    assert sorted(each.requests for each in records) == [1, 1, 1000]
    (busy,) = [each for each in records if each.requests == 1000]
    assert (busy.prompt_tokens, busy.completion_tokens, busy.cost_micro_usd) == (2000, 3000, 5000)


@pytest.mark.parametrize("answers", [("away", "away"), ("answer lost",), ("one failed",), ("away", "one failed")])
async def test_batch_is_sent_again_under_the_same_id(answers: tuple[str, ...]) -> None:
    outbox = FakeOutbox(*answers)
    await drained(UsageQueue(outbox), 60)
    assert outbox.ids == list(range(60)), "a repeated batch would be counted once"


async def test_batch_that_is_refused_for_good_does_not_block_the_others(caplog: pytest.LogCaptureFixture) -> None:
    outbox = FakeOutbox("one refused")
    with caplog.at_level(logging.ERROR):
        await drained(UsageQueue(outbox), 60)
    assert len(outbox.ids) == 60 - 25
    assert [entry.fields for entry in caplog.records] == [{"calls": 25}]  # type: ignore[attr-defined]


async def test_only_so_many_records_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    outbox = FakeOutbox()
    with caplog.at_level(logging.ERROR):
        await drained(UsageQueue(outbox, kept_records=30), 50)
    assert outbox.ids == list(range(30))
    assert [entry.fields for entry in caplog.records] == [{"calls": 20}]  # type: ignore[attr-defined]


async def test_stopping_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(usage_queue, "CLOSING_SECONDS", 2)
    with caplog.at_level(logging.ERROR):
        await drained(UsageQueue(FakeOutbox(*["away"] * 1000)), 40)
    assert [entry.fields for entry in caplog.records] == [{"calls": 40}]  # type: ignore[attr-defined]


async def test_what_is_not_even_packed_when_the_task_has_to_stop_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stopped = threading.Event()

    class Slow(Batches):
        def add(self, record: bytes, calls: int = 1) -> None:
            stopped.wait(60)
            super().add(record, calls)

    monkeypatch.setattr(usage_queue, "CLOSING_SECONDS", 0.05)
    monkeypatch.setattr(usage_queue, "Batches", Slow)
    with caplog.at_level(logging.ERROR):
        await drained(UsageQueue(FakeOutbox()), 40)
    stopped.set()
    assert [entry.fields for entry in caplog.records] == [{"calls": 40}]  # type: ignore[attr-defined]


async def test_record_that_cannot_be_written_is_left_out() -> None:
    outbox = FakeOutbox()
    async with UsageQueue(outbox).running() as queue:
        queue.put(Broken())
        queue.put(Ended(1))
    assert outbox.ids == [1]


def test_requests_stay_below_what_the_queue_takes() -> None:
    batches = Batches()
    text = json.dumps(record(groups=["g" * 200] * 90)).encode()
    count = 0
    while batches.has_room:
        batches.add(text)
        count += 1
    messages = batches.messages()
    assert sum(message.calls for message in messages) == count
    assert sum(len(message.body) for message in messages) < MAX_REQUEST_BYTES
    assert len(messages) <= 10


@pytest.fixture
def queue_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield str(boto3.client("sqs").create_queue(QueueName="usage")["QueueUrl"])


async def test_sqs_gets_batches_that_the_counting_function_reads(queue_url: str) -> None:
    client = boto3.client("sqs")
    await drained(UsageQueue(SqsOutbox(client, queue_url)), 70)
    found: list[str] = []
    while messages := client.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found += [each.request_id for each in UsageBatch.model_validate_json(message["Body"]).records]
            client.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    assert sorted(map(int, found)) == list(range(70))


def test_queue_that_is_absent_is_told(queue_url: str) -> None:
    with pytest.raises(UnavailableError):
        SqsOutbox(boto3.client("sqs"), queue_url + "x").send([Message("{}", 1)])
    assert SqsOutbox(boto3.client("sqs"), queue_url).send([]) == Sent([], [])


class Refusing:
    """SQS that takes one of three messages, refuses one for now and one for good."""

    def send_message_batch(self, **_request: Any) -> dict[str, Any]:
        faults = [("0", False), ("2", True)]
        return {"Successful": [{"Id": "1"}], "Failed": [{"Id": name, "SenderFault": ours} for name, ours in faults]}


def test_message_that_sqs_cannot_take_now_is_sent_again_and_one_that_it_never_takes_is_not() -> None:
    throttled, taken, malformed = (Message(name, 1) for name in ("throttled", "taken", "malformed"))
    assert SqsOutbox(Refusing(), "url").send([throttled, taken, malformed]) == Sent([throttled], [malformed])
