"""Configuration in DynamoDB: key configScope, sort key versionId."""

from typing import Any

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from lisa.configuration.schemas import ConfigurationVersion
from lisa.rows import condition_failed, plain, row_of


class DynamoConfigurationStore:
    def __init__(self, table: Any) -> None:
        self._table = table

    def versions(self, scope: str, limit: int) -> list[ConfigurationVersion]:
        answer = self._table.query(
            KeyConditionExpression=Key("configScope").eq(scope),
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
        )
        return [ConfigurationVersion.model_validate(plain(item)) for item in answer["Items"]]

    def add(self, version: ConfigurationVersion) -> bool:
        try:
            self._table.put_item(Item=row_of(version), ConditionExpression=Attr("versionId").not_exists())
        except ClientError as error:
            if condition_failed(error):
                return False
            raise
        return True
