"""Sessions in DynamoDB: key userId; sort key `session#<id>`, and `message#<id>#<reference>#<part>` for the messages."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from lisa.sessions.schemas import SessionRow, SessionSummary

SUMMARY_COLUMNS = [name for field, info in SessionSummary.model_fields.items() if (name := info.alias or field)]

BATCH = 100  # keys that one BatchGetItem takes


class DynamoSessionStore:
    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, user_id: str, session_id: str) -> SessionRow | None:
        answer = self._table.get_item(Key=_key(user_id, session_id), ConsistentRead=True)
        if "Item" not in answer:
            return None
        item = answer["Item"]
        return SessionRow.model_validate({**item, "configuration": json.loads(item["configuration"])})

    def replace(self, row: SessionRow, expected_version: str | None) -> bool:
        item = row.model_dump(by_alias=True, mode="json", exclude_none=True)
        # As text: floats and empty keys are nothing that DynamoDB's own types can hold.
        item.update(_key(row.user_id, row.session_id), configuration=json.dumps(row.configuration, ensure_ascii=False))
        unchanged = Attr("version").eq(expected_version) if expected_version else Attr("sk").not_exists()
        return self._conditionally(self._table.put_item, Item=item, ConditionExpression=unchanged)

    def rename(self, user_id: str, session_id: str, name: str, version: str, moment: datetime) -> bool:
        # The version changes too: a save that was under way then keeps the new name.
        return self._conditionally(
            self._table.update_item,
            Key=_key(user_id, session_id),
            UpdateExpression="SET #name = :name, lastUpdated = :moment, #version = :version",
            ConditionExpression="attribute_exists(sk)",
            ExpressionAttributeNames={"#name": "name", "#version": "version"},
            ExpressionAttributeValues={":name": name, ":moment": _text(moment), ":version": version},
        )

    def summaries(self, user_id: str) -> list[SessionSummary]:
        rows = self._query(user_id, "session#", SUMMARY_COLUMNS)
        return [SessionSummary.model_validate(row) for row in rows]

    def read_messages(self, user_id: str, session_id: str) -> dict[str, str]:
        """The JSON text of each message by its reference; rows of writes that failed half-way are among them."""
        return _texts(self._query(user_id, f"message#{session_id}#", ["sk", "body"]))

    def get_messages(self, user_id: str, session_id: str, references: Iterable[str]) -> dict[str, str]:
        """As `read_messages`, of these references only."""
        wanted = [
            _message_key(user_id, session_id, reference, number)
            for reference in dict.fromkeys(references)  # a key may be asked for once
            for number in range(_part_count(reference))
        ]
        rows: list[dict[str, Any]] = []
        while wanted:
            request = {"Keys": wanted[:BATCH], "ConsistentRead": True}
            answer = self._table.meta.client.batch_get_item(RequestItems={self._table.name: request})
            rows += answer["Responses"].get(self._table.name, [])
            left = answer.get("UnprocessedKeys", {}).get(self._table.name, {})  # what is beyond 16 MB
            wanted = left.get("Keys", []) + wanted[BATCH:]
        return _texts(sorted(rows, key=lambda row: str(row["sk"])))

    def write_messages(self, user_id: str, session_id: str, parts: Mapping[str, Sequence[str]]) -> None:
        with self._table.batch_writer() as batch:  # sends again what DynamoDB leaves unprocessed
            for reference, texts in parts.items():
                for number, text in enumerate(texts):
                    batch.put_item(Item={**_message_key(user_id, session_id, reference, number), "body": text})

    def delete_messages(self, user_id: str, session_id: str, references: Iterable[str]) -> None:
        with self._table.batch_writer() as batch:
            for reference in references:
                for number in range(_part_count(reference)):
                    batch.delete_item(Key=_message_key(user_id, session_id, reference, number))

    def delete(self, user_id: str, session_id: str) -> bool:
        """Messages first: a deletion that is cut short can be repeated."""
        self._delete_rows(user_id, [f"message#{session_id}#"])
        answer = self._table.delete_item(Key=_key(user_id, session_id), ReturnValues="ALL_OLD")
        return "Attributes" in answer

    def delete_all(self, user_id: str) -> None:
        self._delete_rows(user_id, ["message#", "session#"])

    def _delete_rows(self, user_id: str, prefixes: Iterable[str]) -> None:
        for prefix in prefixes:
            with self._table.batch_writer() as batch:
                for row in self._query(user_id, prefix, ["sk"]):
                    batch.delete_item(Key={"userId": user_id, "sk": row["sk"]})

    def _query(self, user_id: str, prefix: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        names = {f"#{number}": column for number, column in enumerate(columns)}
        more: dict[str, Any] = {}
        while True:
            answer = self._table.query(
                KeyConditionExpression=Key("userId").eq(user_id) & Key("sk").begins_with(prefix),
                ProjectionExpression=", ".join(names),
                ExpressionAttributeNames=names,
                ConsistentRead=True,
                **more,
            )
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    @staticmethod
    def _conditionally(write: Any, **arguments: Any) -> bool:
        try:
            write(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _key(user_id: str, session_id: str) -> dict[str, str]:
    return {"userId": user_id, "sk": f"session#{session_id}"}


def _message_key(user_id: str, session_id: str, reference: str, part: int) -> dict[str, str]:
    return {"userId": user_id, "sk": f"message#{session_id}#{reference}#{part:03}"}


def _texts(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Messages by reference, of rows in the order of their keys; a message that lacks a part is left out."""
    parts: dict[str, list[str]] = {}
    for row in rows:
        parts.setdefault(row["sk"].split("#")[2], []).append(row["body"])
    return {reference: "".join(texts) for reference, texts in parts.items() if len(texts) == _part_count(reference)}


def _part_count(reference: str) -> int:
    return int(reference.rpartition(".")[2])


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
