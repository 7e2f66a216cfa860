"""Usage and limits over HTTP."""

from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.http import api, caller
from lisa.schemas import now
from lisa.usage import limits, service, wiring
from lisa.usage.schemas import (
    AllMetricsAnswer,
    DeletedLimit,
    LimitKind,
    LimitList,
    LimitView,
    PeriodQuery,
    PutLimitRequest,
    SubjectUsage,
    UsageList,
    UsageListQuery,
    UserMetricsAnswer,
)

logger = Logger()
app = api()


@app.get("/usage/me")
def mine(query: Annotated[PeriodQuery, Query()]) -> SubjectUsage:
    return service.mine(wiring.books(), caller(app), query, now())


@app.get("/usage")
def listing(query: Annotated[UsageListQuery, Query()]) -> UsageList:
    return service.listing(wiring.usage(), caller(app), query, now())


@app.get("/usage/users/<username>")
def of_user(username: str, query: Annotated[PeriodQuery, Query()]) -> SubjectUsage:
    return service.of_user(wiring.books(), caller(app), unquote(username), query, now())


@app.get("/metrics/users/all")
def metrics_of_all() -> AllMetricsAnswer:
    return service.metrics_of_all(wiring.usage(), caller(app))


@app.get("/metrics/users/<user_id>")
def metrics_of(user_id: str) -> UserMetricsAnswer:
    return service.metrics_of(wiring.usage(), caller(app), unquote(user_id))


@app.get("/usage/limits")
def list_limits() -> LimitList:
    return limits.listing(wiring.limits(), caller(app))


@app.put("/usage/limits/<kind>/<name>")
def put_limit(kind: LimitKind, name: str, request: Annotated[PutLimitRequest, Body()]) -> LimitView:
    limit = limits.put(wiring.limits(), caller(app), kind, unquote(name), request)
    logger.info("limit set", subject=limit.subject)
    return limit


@app.delete("/usage/limits/<kind>/<name>")
def delete_limit(kind: LimitKind, name: str) -> DeletedLimit:
    deleted = limits.delete(wiring.limits(), caller(app), kind, unquote(name))
    logger.info("limit deleted", subject=deleted.subject)
    return deleted


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
