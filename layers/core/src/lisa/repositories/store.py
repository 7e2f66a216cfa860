"""Rows of the repositories table, by `repositoryId`."""

from collections.abc import Collection as AnyOf
from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lisa import rows
from lisa.repositories.schemas import Repository, RepositoryStatus


class RepositoryReader(Protocol):
    """What the other concerns need to know of repositories."""

    def get(self, repository_id: str) -> Repository | None: ...


class RepositoryStore(RepositoryReader, Protocol):
    def list_all(self) -> list[Repository]: ...

    def create(self, repository: Repository) -> bool: ...

    def update(
        self, repository_id: str, changes: Mapping[str, Any], only_from: AnyOf[RepositoryStatus] = ()
    ) -> Repository | None: ...

    def set_status(
        self,
        repository_id: str,
        status: RepositoryStatus,
        failure_reason: str | None = None,
        only_from: AnyOf[RepositoryStatus] = (),
    ) -> Repository | None: ...

    def delete(self, repository_id: str) -> None: ...


class DynamoRepositoryStore:
    """Reads are consistent: a client that was told of a repository finds it."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, repository_id: str) -> Repository | None:
        item = self._table.get_item(Key={"repositoryId": repository_id}, ConsistentRead=True).get("Item")
        return Repository.model_validate(rows.plain(item)) if item else None

    def list_all(self) -> list[Repository]:
        """All repositories, by id."""
        items = rows.pages(self._table.scan, ConsistentRead=True)
        return sorted(map(Repository.model_validate, items), key=lambda repository: repository.repository_id)

    def create(self, repository: Repository) -> bool:
        """False when the id is taken: then nothing is written."""
        try:
            self._table.put_item(Item=rows.row_of(repository), ConditionExpression="attribute_not_exists(repositoryId)")
        except ClientError as error:
            if rows.condition_failed(error):
                return False
            raise
        return True

    def update(
        self, repository_id: str, changes: Mapping[str, Any], only_from: AnyOf[RepositoryStatus] = ()
    ) -> Repository | None:
        """Sets `changes` (camelCase attribute → JSON value).

        Returns None, and writes nothing, when the row is gone or its status is none of `only_from`.
        """
        request = rows.set_expression(changes)
        condition = "attribute_exists(repositoryId)"
        if only_from:
            states = {f":s{i}": status for i, status in enumerate(only_from)}
            condition += f" AND #status IN ({', '.join(states)})"
            request["ExpressionAttributeNames"]["#status"] = "status"
            request["ExpressionAttributeValues"] |= states
        try:
            answer = self._table.update_item(
                Key={"repositoryId": repository_id},
                ConditionExpression=condition,
                ReturnValues="ALL_NEW",
                **request,
            )
        except ClientError as error:
            if rows.condition_failed(error):
                return None
            raise
        return Repository.model_validate(rows.plain(answer["Attributes"]))

    def set_status(
        self,
        repository_id: str,
        status: RepositoryStatus,
        failure_reason: str | None = None,
        only_from: AnyOf[RepositoryStatus] = (),
    ) -> Repository | None:
        """As `update`, of the status and its reason."""
        return self.update(repository_id, {"status": status, "failureReason": failure_reason}, only_from)

    def delete(self, repository_id: str) -> None:
        self._table.delete_item(Key={"repositoryId": repository_id})
