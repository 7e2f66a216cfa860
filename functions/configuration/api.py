"""The configuration over HTTP."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa import aws
from lisa.configuration import service
from lisa.configuration.schemas import ConfigurationVersion, PutConfigurationRequest, Saved, Scope
from lisa.configuration.store import DynamoConfigurationStore
from lisa.http import api, caller
from lisa.schemas import now
from lisa.settings import Settings
from pydantic import Field

logger = Logger()
app = api()


class ConfigurationSettings(Settings):
    configuration_table: str = Field(min_length=3)


def store() -> DynamoConfigurationStore:
    return DynamoConfigurationStore(aws.table(ConfigurationSettings.load().configuration_table))


@app.get("/configuration")
def versions(scope: Annotated[str | None, Query(alias="configScope")] = None) -> list[ConfigurationVersion]:
    return service.versions(store(), scope)


@app.put("/configuration/<scope>")
def save(scope: Scope, request: Annotated[PutConfigurationRequest, Body()]) -> Saved:
    saved = service.save(store(), caller(app), scope, request, now())
    logger.info("configuration saved", scope=scope, version_id=saved.version_id)
    return saved


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
