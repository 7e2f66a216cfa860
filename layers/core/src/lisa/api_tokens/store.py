"""API tokens in DynamoDB: `token` is the key; by owner and by UUID through indexes."""

from collections.abc import Iterator
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import BotoCoreError, ClientError

from lisa.api_tokens.schemas import ApiToken
from lisa.errors import UnavailableError


class DynamoApiTokenStore:
    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, token_hash: str) -> ApiToken | None:
        """Reads consistently, so that a new token works at once. Raises: UnavailableError."""
        try:
            item = self._table.get_item(Key={"token": token_hash}, ConsistentRead=True).get("Item")
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("API tokens cannot be read. Try again.") from error
        return ApiToken.model_validate(item) if item else None

    def put(self, token: ApiToken) -> None:
        self._table.put_item(
            Item=token.model_dump(by_alias=True, exclude_none=True),
            ConditionExpression="attribute_not_exists(#t)",
            ExpressionAttributeNames={"#t": "token"},
        )

    def delete(self, token_hash: str) -> None:
        self._table.delete_item(Key={"token": token_hash})

    def by_uuid(self, token_uuid: str) -> ApiToken | None:
        """The index may hold keys only, so the row itself is read."""
        answer = self._table.query(
            IndexName="uuid-index", KeyConditionExpression=Key("tokenUUID").eq(token_uuid), Limit=1
        )
        return next((self.get(item["token"]) for item in answer["Items"]), None)

    def of_user(self, username: str) -> list[ApiToken]:
        condition = Key("username").eq(username)
        return list(self._pages(self._table.query, IndexName="username-index", KeyConditionExpression=condition))

    def all(self) -> list[ApiToken]:
        return list(self._pages(self._table.scan))

    def _pages(self, read: Any, **arguments: Any) -> Iterator[ApiToken]:
        while True:
            answer = read(**arguments)
            for item in answer["Items"]:
                yield ApiToken.model_validate(item)
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
