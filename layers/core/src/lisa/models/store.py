"""Rows of the models table, by `modelId`."""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lisa import rows
from lisa.models.schemas import ModelRow


class ModelReader(Protocol):
    """What the other concerns need to know of models."""

    def get(self, model_id: str) -> ModelRow | None: ...

    def list_all(self) -> list[ModelRow]: ...


class ModelStore(ModelReader, Protocol):
    def create(self, row: ModelRow) -> bool: ...

    def change(self, before: ModelRow, changes: Mapping[str, Any]) -> ModelRow | None: ...


class DynamoModelStore:
    """Reads are consistent: a client that was told of a model finds it."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, model_id: str) -> ModelRow | None:
        item = self._table.get_item(Key={"modelId": model_id}, ConsistentRead=True).get("Item")
        return ModelRow.model_validate(rows.plain(item)) if item else None

    def list_all(self) -> list[ModelRow]:
        """All models, by id."""
        items = rows.pages(self._table.scan, ConsistentRead=True)
        return sorted(map(ModelRow.model_validate, items), key=lambda row: row.model_id)

    def create(self, row: ModelRow) -> bool:
        """False when the id is taken: then nothing is written."""
        try:
            self._table.put_item(Item=rows.row_of(row), ConditionExpression="attribute_not_exists(modelId)")
        except ClientError as error:
            if rows.condition_failed(error):
                return False
            raise
        return True

    def change(self, before: ModelRow, changes: Mapping[str, Any]) -> ModelRow | None:
        """Sets `changes` (camelCase attribute → JSON value) on the row that was read as `before`.

        Returns None, and writes nothing, when the row is gone or has changed since.
        """
        request = rows.set_expression(changes)
        request["ExpressionAttributeNames"] |= {"#status": "status", "#modified": "lastModified"}
        request["ExpressionAttributeValues"] |= {":was": before.status, ":modified": before.last_modified}
        try:
            answer = self._table.update_item(
                Key={"modelId": before.model_id},
                ConditionExpression="#status = :was AND #modified = :modified",
                ReturnValues="ALL_NEW",
                **request,
            )
        except ClientError as error:
            if rows.condition_failed(error):
                return None
            raise
        return ModelRow.model_validate(rows.plain(answer["Attributes"]))
