"""API tokens over HTTP."""

import time
from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa import aws
from lisa.api_tokens import service
from lisa.api_tokens.schemas import (
    CreatedToken,
    CreateOwnTokenRequest,
    CreateTokenRequest,
    DeletedToken,
    TokenInfo,
    TokenList,
)
from lisa.api_tokens.store import DynamoApiTokenStore
from lisa.http import api, caller
from lisa.settings import Settings
from pydantic import Field

logger = Logger()
app = api()


class ApiTokenSettings(Settings):
    api_tokens_table: str = Field(min_length=3)


def store() -> DynamoApiTokenStore:
    return DynamoApiTokenStore(aws.table(ApiTokenSettings.load().api_tokens_table))


@app.get("/api-tokens")
def list_tokens() -> TokenList:
    return service.visible_to(store(), caller(app), int(time.time()))


@app.post("/api-tokens")
def create_own(request: Annotated[CreateOwnTokenRequest, Body()]) -> CreatedToken:
    created = service.create_own(store(), caller(app), request, int(time.time()))
    logger.info("token created", token_uuid=created.token_uuid)
    return created


@app.post("/api-tokens/<username>")
def create_for(username: str, request: Annotated[CreateTokenRequest, Body()]) -> CreatedToken:
    created = service.create_for(store(), caller(app), unquote(username), request, int(time.time()))
    logger.info("token created", token_uuid=created.token_uuid)
    return created


@app.get("/api-tokens/<token_uuid>")
def get_token(token_uuid: str) -> TokenInfo:
    return service.get(store(), caller(app), token_uuid, int(time.time()))


@app.delete("/api-tokens/<token_uuid>")
def delete_token(token_uuid: str) -> DeletedToken:
    deleted = service.delete(store(), caller(app), token_uuid)
    logger.info("token deleted", token_uuid=token_uuid)
    return deleted


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
