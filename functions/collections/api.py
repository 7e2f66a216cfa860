"""/repository/{repositoryId}/collection, and /repository/collections over all repositories."""

from typing import Annotated, Any
from urllib.parse import unquote
from uuid import uuid4

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.collections import service, wiring
from lisa.collections.queries import RepositoryListQuery, UserListQuery
from lisa.collections.schemas import (
    Collection,
    CollectionPage,
    CollectionRequest,
    DeletionStarted,
    UpdateCollectionRequest,
    UserCollectionPage,
)
from lisa.http import api, caller
from lisa.schemas import now

app = api()
logger = Logger()


@app.get("/repository/collections")
def list_all_collections(query: Annotated[UserListQuery, Query()]) -> UserCollectionPage:
    page = service.list_all_collections(wiring.repositories(), wiring.collections(), caller(app), query.everywhere())
    return UserCollectionPage.of(page)


@app.get("/repository/<repository_id>/collection")
@app.get("/repository/<repository_id>/collections")
def list_collections(repository_id: str, query: Annotated[RepositoryListQuery, Query()]) -> CollectionPage:
    return service.list_collections(
        wiring.repositories(), wiring.collections(), caller(app), repository_id, query.within(repository_id)
    )


@app.post("/repository/<repository_id>/collection")
@app.post("/repository/<repository_id>/collections")
def create_collection(repository_id: str, request: CollectionRequest) -> Collection:
    collection = service.create_collection(
        wiring.repositories(),
        wiring.collections(),
        wiring.models(),
        caller(app),
        repository_id,
        request,
        str(uuid4()),
        now(),
    )
    logger.info("collection created", repository_id=repository_id, collection_id=collection.collection_id)
    return collection


@app.get("/repository/<repository_id>/collection/<collection_id>")
@app.get("/repository/<repository_id>/collections/<collection_id>")
def get_collection(repository_id: str, collection_id: str) -> Collection:
    return service.get_collection(
        wiring.repositories(), wiring.collections(), caller(app), repository_id, unquote(collection_id)
    )


@app.put("/repository/<repository_id>/collection/<collection_id>")
@app.put("/repository/<repository_id>/collections/<collection_id>")
def update_collection(repository_id: str, collection_id: str, request: UpdateCollectionRequest) -> Collection:
    return service.update_collection(
        wiring.repositories(),
        wiring.collections(),
        caller(app),
        repository_id,
        unquote(collection_id),
        request,
        now(),
    )


@app.delete("/repository/<repository_id>/collection/<collection_id>")
@app.delete("/repository/<repository_id>/collections/<collection_id>")
def delete_collection(
    repository_id: str, collection_id: str, embedding_name: Annotated[str | None, Query(alias="embeddingName")] = None
) -> DeletionStarted:
    started = service.delete_collection(
        wiring.repositories(),
        wiring.collections(),
        wiring.deletions(),
        wiring.delete_machine(),
        caller(app),
        repository_id,
        unquote(collection_id),
        embedding_name,
        str(uuid4()),
        now(),
    )
    logger.info("collection deletion started", repository_id=repository_id, job_id=started.job_id)
    return started


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
