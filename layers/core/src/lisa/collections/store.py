"""Rows of the collections table, by `repositoryId` and `collectionId`.

Beside each collection lies a row `name#<name>`, written in the same transaction: it makes names unique in a repository.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from lisa import rows
from lisa.collections.schemas import Collection, CollectionStatus

NAME_PREFIX = "name#"


class CollectionReader(Protocol):
    """What the other concerns need to know of collections."""

    def get(self, repository_id: str, collection_id: str) -> Collection | None: ...


class CollectionStore(CollectionReader, Protocol):
    def list_of(self, repository_id: str) -> list[Collection]: ...

    def create(self, collection: Collection) -> bool: ...

    def update(self, before: Collection, changes: Mapping[str, Any]) -> Collection | None: ...

    def set_status(
        self,
        repository_id: str,
        collection_id: str,
        status: CollectionStatus,
        updated_at: str,
        failure_reason: str | None = None,
    ) -> Collection | None: ...

    def delete(self, repository_id: str, collection_id: str) -> None: ...


class DynamoCollectionStore:
    """Reads are consistent: a client that was told of a collection finds it."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, repository_id: str, collection_id: str) -> Collection | None:
        if collection_id.startswith(NAME_PREFIX):
            return None
        item = self._table.get_item(Key=_key(repository_id, collection_id), ConsistentRead=True).get("Item")
        return Collection.model_validate(rows.plain(item)) if item else None

    def list_of(self, repository_id: str) -> list[Collection]:
        """All collections of a repository, by id; without the virtual default one."""
        items = rows.pages(
            self._table.query, KeyConditionExpression=Key("repositoryId").eq(repository_id), ConsistentRead=True
        )
        return [Collection.model_validate(item) for item in items if not item["collectionId"].startswith(NAME_PREFIX)]

    def create(self, collection: Collection) -> bool:
        """False when the name or the id is taken in this repository: then nothing is written."""
        return self._transact(
            [self._put(rows.row_of(collection)), self._claim(collection.repository_id, collection.name)]
        )

    def update(self, before: Collection, changes: Mapping[str, Any]) -> Collection | None:
        """Sets `changes` (camelCase attribute → JSON value) on the collection read as `before`.

        Returns None, and writes nothing, when it is gone, is being deleted, or its new name is taken.
        """
        key = _key(before.repository_id, before.collection_id)
        request = rows.set_expression(changes)
        request["ExpressionAttributeNames"] |= {"#status": "status", "#name": "name"}
        request["ExpressionAttributeValues"] |= {":deleting": CollectionStatus.DELETE_IN_PROGRESS, ":was": before.name}
        request["ConditionExpression"] = "attribute_exists(collectionId) AND #status <> :deleting AND #name = :was"
        operations: list[dict[str, Any]] = [{"Update": {"TableName": self._table.name, "Key": key, **request}}]
        name = changes.get("name", before.name)
        if name != before.name:
            operations.append(self._claim(before.repository_id, name))
            operations.append(self._delete(before.repository_id, NAME_PREFIX + before.name))
        return self.get(before.repository_id, before.collection_id) if self._transact(operations) else None

    def set_status(
        self,
        repository_id: str,
        collection_id: str,
        status: CollectionStatus,
        updated_at: str,
        failure_reason: str | None = None,
    ) -> Collection | None:
        """Sets the status, whatever it was. None when there is no such row."""
        changes = {"status": status, "updatedAt": updated_at, "failureReason": failure_reason}
        try:
            answer = self._table.update_item(
                Key=_key(repository_id, collection_id),
                ConditionExpression="attribute_exists(collectionId)",
                ReturnValues="ALL_NEW",
                **rows.set_expression(changes),
            )
        except ClientError as error:
            if rows.condition_failed(error):
                return None
            raise
        return Collection.model_validate(rows.plain(answer["Attributes"]))

    def delete(self, repository_id: str, collection_id: str) -> None:
        """Removes the collection and frees its name; nothing happens when it is gone."""
        collection = self.get(repository_id, collection_id)
        if collection is not None:
            self._transact(
                [
                    self._delete(repository_id, collection_id),
                    self._delete(repository_id, NAME_PREFIX + collection.name),
                ]
            )

    def _put(self, item: rows.Row) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table.name,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(collectionId)",
            }
        }

    def _claim(self, repository_id: str, name: str) -> dict[str, Any]:
        return self._put(_key(repository_id, NAME_PREFIX + name))

    def _delete(self, repository_id: str, collection_id: str) -> dict[str, Any]:
        return {"Delete": {"TableName": self._table.name, "Key": _key(repository_id, collection_id)}}

    def _transact(self, operations: list[dict[str, Any]]) -> bool:
        try:
            # The resource's own client turns Python values into DynamoDB's.
            self._table.meta.client.transact_write_items(TransactItems=operations)
        except ClientError as error:
            if rows.condition_failed(error):
                return False
            raise
        return True


def _key(repository_id: str, collection_id: str) -> dict[str, str]:
    return {"repositoryId": repository_id, "collectionId": collection_id}
