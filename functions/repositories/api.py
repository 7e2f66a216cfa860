"""/repository: document stores for retrieval."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.http import api, caller
from lisa.repositories import service, wiring
from lisa.repositories.schemas import (
    CreateRepositoryRequest,
    Repository,
    RepositoryStatus,
    Started,
    UpdateRepositoryRequest,
)
from lisa.repositories.wiring import RepositorySettings
from lisa.schemas import now

app = api()
logger = Logger()


@app.get("/repository")
def list_repositories() -> list[Repository]:
    return service.list_repositories(wiring.repositories(), caller(app), now())


@app.get("/repository/status")
def list_statuses() -> dict[str, RepositoryStatus]:
    return service.statuses(wiring.repositories(), caller(app), now())


@app.post("/repository")
def create_repository(request: CreateRepositoryRequest) -> Started:
    machine = wiring.machine(RepositorySettings.load().create_repository_machine)
    arn = service.create_repository(wiring.repositories(), wiring.models(), machine, caller(app), request, now())
    logger.info("repository creation started", repository_id=request.repository_id)
    return Started(execution_arn=arn)


@app.get("/repository/<repository_id>")
def get_repository(repository_id: str) -> Repository:
    return service.get_repository(wiring.repositories(), caller(app), repository_id, now())


@app.put("/repository/<repository_id>")
def update_repository(repository_id: str, request: UpdateRepositoryRequest) -> Repository:
    return service.update_repository(
        wiring.repositories(), wiring.models(), wiring.collections(), caller(app), repository_id, request, now()
    )


@app.delete("/repository/<repository_id>")
def delete_repository(repository_id: str, force: Annotated[bool, Query()] = False) -> Started:
    machine = wiring.machine(RepositorySettings.load().delete_repository_machine)
    arn = service.delete_repository(wiring.repositories(), machine, caller(app), repository_id, force, now())
    logger.info("repository deletion started", repository_id=repository_id)
    return Started(execution_arn=arn)


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
