"""Between schemas and DynamoDB items: numbers, camelCase rows, pages, partial updates."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel

Row = dict[str, Any]


def row_of(schema: BaseModel) -> Row:
    """A schema as the item that boto3's Table takes: camelCase, floats as Decimal."""
    row: Row = stored(schema.model_dump(by_alias=True, mode="json"))
    return row


def stored(value: Any) -> Any:
    """Any JSON value with floats as Decimal, which is all that DynamoDB takes."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def plain(value: Any) -> Any:
    """An item as boto3 returns it, with Decimal as int or float."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value


def pages(operation: Callable[..., Any], **request: Any) -> Iterator[Row]:
    """All items of a Table's `query` or `scan`, over all of its pages."""
    while True:
        answer = operation(**request)
        for item in answer["Items"]:
            yield plain(item)
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


KEYS_AT_ONCE = 100  # what one BatchGetItem takes


def batch_get(table: Any, keys: Iterable[Mapping[str, str]]) -> Iterator[Row]:
    """The items of a Table that exist among `keys`, read consistently, in no order."""
    wanted = [dict(key) for key in {tuple(sorted(key.items())): key for key in keys}.values()]  # no key twice
    while wanted:
        request = {table.name: {"Keys": wanted[:KEYS_AT_ONCE], "ConsistentRead": True}}
        answer = table.meta.client.batch_get_item(RequestItems=request)
        for item in answer["Responses"].get(table.name, []):
            yield plain(item)
        left = answer.get("UnprocessedKeys", {}).get(table.name, {})
        wanted = left.get("Keys", []) + wanted[KEYS_AT_ONCE:]


def set_expression(changes: Mapping[str, Any]) -> Row:
    """UpdateItem's arguments that set `changes` (attribute → JSON value) and touch nothing else."""
    names = {f"#c{i}": name for i, name in enumerate(changes)}
    values = {f":c{i}": stored(value) for i, value in enumerate(changes.values())}
    assignments = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
    return {
        "UpdateExpression": f"SET {assignments}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def condition_failed(error: ClientError) -> bool:
    """True when a conditional write, alone or in a transaction, found another state than it asked for."""
    code = error.response["Error"]["Code"]
    if code == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        return any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)
    return bool(code == "ConditionalCheckFailedException")
