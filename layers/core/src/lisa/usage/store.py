"""Counters in DynamoDB: key `subject`, sort key `period`. `listing` (kind and period) is the key of an index."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from lisa.errors import UnavailableError
from lisa.rows import condition_failed, plain
from lisa.usage.schemas import ALL, Counts, Period, SubjectKind, subject_of

LISTING_INDEX = "listing-index"
COUNTERS_AT_ONCE = 99  # a transaction takes 100 items; one is the mark
ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.05
DAYS_KEPT = 400
MARK_DAYS_KEPT = 30  # a message lives for 14 days, and for as long again after a redrive

CounterKey = tuple[str, str]
Sleep = Callable[[float], None]


class DynamoUsageStore:
    def __init__(self, table: Any, sleep: Sleep = time.sleep) -> None:
        self._table = table
        self._sleep = sleep

    def add(self, batch_id: str, counters: Mapping[CounterKey, Counts], moment: datetime) -> bool:
        """Adds every counter once, however often it is called with this batch. False: it was counted before.

        More counters than a transaction takes are added in parts, each with a mark of its own; the order is fixed, so
        that a batch that was cut short half-way continues where it stopped. Raises: UnavailableError.
        """
        keys = sorted(counters)
        parts = [keys[start : start + COUNTERS_AT_ONCE] for start in range(0, len(keys), COUNTERS_AT_ONCE)]
        added = [
            self._add_part(f"{batch_id}#{number}", {key: counters[key] for key in part}, moment)
            for number, part in enumerate(parts)
        ]
        return any(added)

    def counts(self, subject: str, period: str) -> Counts:
        answer = self._table.get_item(Key={"subject": subject, "period": period}, ConsistentRead=True)
        return _counts(answer.get("Item", {}))

    def days(self, subject: str, month: str) -> Iterator[tuple[date, Counts]]:
        """The days of a month (2026-11) that have calls, in order."""
        answer = self._table.query(  # 31 small rows at most: one page
            KeyConditionExpression=Key("subject").eq(subject) & Key("period").begins_with(f"day#{month}-"),
            ConsistentRead=True,
        )
        for item in answer["Items"]:
            yield date.fromisoformat(item["period"].removeprefix("day#")), _counts(item)

    def months(self, subject: str) -> Iterator[tuple[str, Counts]]:
        """All months (2026-11) that have calls, in order."""
        answer = self._table.query(  # twelve small rows a year: one page
            KeyConditionExpression=Key("subject").eq(subject) & Key("period").begins_with("month#"),
            ConsistentRead=True,
        )
        for item in answer["Items"]:
            yield item["period"].removeprefix("month#"), _counts(item)

    def listing(
        self, kind: SubjectKind, period: str, page_size: int, after: str | None
    ) -> tuple[Sequence[tuple[str, Counts]], str | None]:
        """A page of the subjects of a kind in the order of their names, and the name to go on after."""
        listing = f"{kind.value}|{period}"
        start = {"listing": listing, "subject": subject_of(kind, after or ""), "period": period}
        answer = self._table.query(
            IndexName=LISTING_INDEX,
            KeyConditionExpression=Key("listing").eq(listing),
            Limit=page_size,
            **({"ExclusiveStartKey": start} if after else {}),
        )
        last = answer.get("LastEvaluatedKey")
        rows = [(str(item["subject"]), _counts(item)) for item in answer["Items"]]
        return rows, str(last["subject"]).partition("#")[2] if last else None

    def _add_part(self, mark: str, counters: Mapping[CounterKey, Counts], moment: datetime) -> bool:
        expires = int((moment + timedelta(days=MARK_DAYS_KEPT)).timestamp())
        put = {
            "TableName": self._table.name,
            "Item": {"subject": f"batch#{mark}", "period": "counted", "expires_at": expires},
            "ConditionExpression": "attribute_not_exists(#subject)",
            "ExpressionAttributeNames": {"#subject": "subject"},
        }
        items = [{"Put": put}, *({"Update": self._addition(key, counts)} for key, counts in counters.items())]
        for attempt in range(ATTEMPTS):
            try:
                self._table.meta.client.transact_write_items(TransactItems=items)
            except ClientError as error:
                if condition_failed(error):
                    return False
                if not _in_conflict(error):
                    raise
                # Another batch adds to the same rows at this moment: `all` is in every batch.
                self._sleep(random.uniform(0.5, 1) * FIRST_PAUSE_SECONDS * 2**attempt)  # noqa: S311 - hides nothing
            else:
                return True
        raise UnavailableError("The counters of usage are busy. The message is delivered again.")

    def _addition(self, key: CounterKey, counts: Counts) -> dict[str, Any]:
        subject, period = key
        kind = subject.partition("#")[0]
        numbers = counts.model_dump(by_alias=True)
        sets: dict[str, Any] = {} if subject == ALL else {"listing": f"{kind}|{period}"}
        expires = _expires_at(kind, period)
        if expires is not None:
            sets["expires_at"] = expires
        names = {f"#{name}": name for name in (*numbers, *sets)}
        expression = "ADD " + ", ".join(f"#{name} :{name}" for name in numbers)
        if sets:
            expression += " SET " + ", ".join(f"#{name} = :{name}" for name in sets)
        return {
            "TableName": self._table.name,
            "Key": {"subject": subject, "period": period},
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {f":{name}": value for name, value in (numbers | sets).items()},
        }


def _expires_at(kind: str, period: str) -> int | None:
    """Months are kept, but not those of sessions, of which there is no end."""
    window, _, value = period.partition("#")
    if window == Period.MONTH and kind != SubjectKind.SESSION:
        return None
    first_day = datetime.fromisoformat(value if window == Period.DAY else f"{value}-01").replace(tzinfo=UTC)
    return int((first_day + timedelta(days=DAYS_KEPT)).timestamp())


def _counts(item: Mapping[str, Any]) -> Counts:
    return Counts.model_validate(plain(dict(item)))


def _in_conflict(error: ClientError) -> bool:
    reasons = error.response.get("CancellationReasons", [])
    return any(reason.get("Code") == "TransactionConflict" for reason in reasons)
