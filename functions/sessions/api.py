"""Chat sessions over HTTP."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa import aws
from lisa.http import api, caller
from lisa.schemas import now
from lisa.sessions import service
from lisa.sessions.schemas import (
    Deleted,
    Done,
    HistoryQuery,
    PutSessionRequest,
    RenameSessionRequest,
    Session,
    SessionId,
    SessionListQuery,
    SessionSummary,
)
from lisa.sessions.store import DynamoSessionStore
from lisa.settings import Settings
from pydantic import Field

logger = Logger()
app = api()


class SessionSettings(Settings):
    sessions_table: str = Field(min_length=3)


def store() -> DynamoSessionStore:
    return DynamoSessionStore(aws.table(SessionSettings.load().sessions_table))


@app.get("/session")
def list_sessions(query: Annotated[SessionListQuery, Query()]) -> list[SessionSummary]:
    return service.listing(store(), caller(app), query)


@app.delete("/session")
def delete_all() -> Deleted:
    return service.delete_all(store(), caller(app))


@app.get("/session/<session_id>")
def get_session(session_id: SessionId, query: Annotated[HistoryQuery, Query()]) -> Session:
    return service.get(store(), caller(app), session_id, query)


@app.put("/session/<session_id>")
def save(session_id: SessionId, request: Annotated[PutSessionRequest, Body()]) -> Done:
    return service.save(store(), caller(app), session_id, request, now())


@app.delete("/session/<session_id>")
def delete(session_id: SessionId) -> Deleted:
    return service.delete(store(), caller(app), session_id)


@app.put("/session/<session_id>/name")
def rename(session_id: SessionId, request: Annotated[RenameSessionRequest, Body()]) -> Done:
    return service.rename(store(), caller(app), session_id, request.name, now())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
