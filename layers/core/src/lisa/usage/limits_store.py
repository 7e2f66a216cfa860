"""Limits in DynamoDB (key `subject`), and what the ledger has committed against them (key `quota`)."""

from collections.abc import Iterable
from typing import Any

from lisa.rows import batch_get, pages, row_of
from lisa.usage.schemas import Limit


class DynamoLimitsStore:
    def __init__(self, table: Any) -> None:
        self._table = table

    def all(self) -> list[Limit]:
        return [Limit.model_validate(row) for row in pages(self._table.scan, ConsistentRead=True)]

    def of(self, subjects: Iterable[str]) -> dict[str, Limit]:
        """The limits of those subjects that have one."""
        rows = batch_get(self._table, ({"subject": subject} for subject in subjects))
        return {row["subject"]: Limit.model_validate(row) for row in rows}

    def put(self, limit: Limit) -> None:
        self._table.put_item(Item={name: value for name, value in row_of(limit).items() if value is not None})

    def delete(self, subject: str) -> bool:
        """False: there was none."""
        return "Attributes" in self._table.delete_item(Key={"subject": subject}, ReturnValues="ALL_OLD")


class DynamoLedgerReader:
    """Reads the ledger that Serve's tasks write; see lisa.usage.ledger."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def committed(self, quotas: Iterable[str]) -> dict[str, int]:
        """What is committed of these quotas (keys of the ledger); 0 of those that nobody has drawn on."""
        wanted = dict.fromkeys(quotas, 0)
        rows = batch_get(self._table, ({"quota": quota} for quota in wanted))
        return wanted | {row["quota"]: int(row.get("committed", 0)) for row in rows}
