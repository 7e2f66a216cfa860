"""The ledger in DynamoDB: what is committed of each quota. It is what blocks; Serve's tasks lease slices of it.

A row: `quota` (key), `committed`, `expires_at`, and `task#<id>` for each task that holds something of it: the number
of the task's last move. A move names the number that it expects there, so that repeating it changes nothing: when an
answer is lost, the same move is simply sent again.
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lisa import rows
from lisa.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Move:
    """Adds `amount` (negative: gives back) to one quota, if `limit` is None or is not exceeded by it.

    `before` is the number of the task's last move of this quota, 0 when it holds nothing; numbers only grow.
    `is_last`: the task holds nothing afterwards, and its mark goes. `expires_at` is in epoch seconds.
    """

    quota: str
    task: str
    before: int
    number: int
    amount: int
    expires_at: int
    limit: int | None = None
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """How a move ended. Not applied: the limit did not allow it, or `mark` (the task's last move) is another one."""

    is_applied: bool
    committed: int
    mark: int


class DynamoLedger:
    """Takes a low-level client, which threads may share."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def move(self, move: Move) -> Moved:
        """Raises: UnavailableError: nobody knows whether it was applied, so the same move has to be sent again."""
        try:
            return self._update(move)
        except ClientError as error:
            if not rows.condition_failed(error):
                raise _unavailable() from error
        except BotoCoreError as error:
            raise _unavailable() from error
        return self._found(move)

    def _update(self, move: Move) -> Moved:
        names = {"#committed": "committed", "#mark": _mark(move), "#expires": "expires_at"}
        values = {":amount": move.amount, ":expires": move.expires_at}
        conditions = ["#mark = :before" if move.before else "attribute_not_exists(#mark)"]
        if move.before:
            values[":before"] = move.before
        if move.limit is not None:
            values[":room"] = move.limit - move.amount
            is_new = "attribute_not_exists(#committed) OR " if move.amount <= move.limit else ""
            conditions.append(f"({is_new}#committed <= :room)")
        if move.is_last:
            change = "SET #expires = :expires ADD #committed :amount REMOVE #mark"
        else:
            change = "SET #expires = :expires, #mark = :number ADD #committed :amount"
            values[":number"] = move.number
        answer = self._client.update_item(
            TableName=self._table,
            Key={"quota": {"S": move.quota}},
            UpdateExpression=change,
            ConditionExpression=" AND ".join(conditions),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={name: {"N": str(value)} for name, value in values.items()},
            ReturnValues="ALL_NEW",
        )
        return Moved(True, _number(answer["Attributes"], "committed"), 0 if move.is_last else move.number)

    def _found(self, move: Move) -> Moved:
        """After a refusal: was this very move applied before, its answer lost?"""
        try:
            answer = self._client.get_item(TableName=self._table, Key={"quota": {"S": move.quota}}, ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable() from error
        item = answer.get("Item", {})
        mark = _number(item, _mark(move))
        is_applied = mark == (0 if move.is_last else move.number)
        return Moved(is_applied, _number(item, "committed"), mark)


def _mark(move: Move) -> str:
    return f"task#{move.task}"


def _number(item: dict[str, Any], name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _unavailable() -> UnavailableError:
    return UnavailableError("Limits cannot be checked at the moment. Try again in a few seconds.")
