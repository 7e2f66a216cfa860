"""Adds up what calls used: one batch of the queue at a time, each counted once."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from pydantic import ValidationError

from lisa.errors import InvalidError
from lisa.usage.quotas import window_of
from lisa.usage.schemas import ALL, Counts, SubjectKind, UsageBatch, UsageRecord, Window, subject_of

NAME_BYTES = 1000  # a key of DynamoDB holds 2048, one of an index 1024
CounterKey = tuple[str, str]


class CounterStore(Protocol):
    def add(self, batch_id: str, counters: Mapping[CounterKey, Counts], moment: datetime) -> bool: ...


def parse(text: str) -> UsageBatch:
    """A message's body. Raises: InvalidError, naming the fields but none of their values."""
    try:
        return UsageBatch.model_validate_json(text)
    except ValidationError as error:
        fields = sorted({".".join(map(str, part["loc"])) or "body" for part in error.errors()})
        raise InvalidError(f"The message is no batch of usage: {', '.join(fields[:5])}") from None


def count(store: CounterStore, batch: UsageBatch, moment: datetime) -> dict[str, Counts]:
    """Adds a batch to the counters. The counts by model when they are new, nothing when they were counted before.

    Raises: UnavailableError.
    """
    sums: dict[CounterKey, Counts] = {}
    models: dict[str, Counts] = {}
    for record in batch.records:
        one = _counts(record)
        models[record.model_id] = _sum(models.get(record.model_id), one)
        for key in _keys(record):
            sums[key] = _sum(sums.get(key), one)
    return models if store.add(batch.batch_id, sums, moment) else {}


def _keys(record: UsageRecord) -> Iterator[CounterKey]:
    time = record.time if record.time.tzinfo else record.time.replace(tzinfo=UTC)
    periods = [window_of(window, time) for window in (Window.DAY, Window.MONTH)]
    for subject in dict.fromkeys(_subjects(record)):
        for period in periods:
            yield subject, period


def _subjects(record: UsageRecord) -> Iterator[str]:
    yield ALL
    yield _subject(SubjectKind.USER, record.username)
    yield _subject(SubjectKind.MODEL, record.model_id)
    if record.key_id:
        yield _subject(SubjectKind.KEY, record.key_id)
    if record.session_id:
        yield _subject(SubjectKind.SESSION, record.session_id)
    for group in record.groups:
        yield _subject(SubjectKind.GROUP, group)


def _subject(kind: SubjectKind, name: str) -> str:
    # A name that no key could hold would make the whole message fail, for ever.
    return subject_of(kind, name.encode("utf-8", "replace")[:NAME_BYTES].decode("utf-8", "ignore"))


def _counts(record: UsageRecord) -> Counts:
    return Counts(
        requests=record.requests,
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
        cached_tokens=record.cached_tokens,
        cost_micro_usd=record.cost_micro_usd,
        estimated_requests=record.requests if record.estimated else 0,
    )


def _sum(a: Counts | None, b: Counts) -> Counts:
    if a is None:
        return b
    return Counts.model_construct(**{name: getattr(a, name) + value for name, value in dict(b).items()})
