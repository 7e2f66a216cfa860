"""/repository/{repositoryId}/similaritySearch: passages for a question."""

from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa import serve_client
from lisa.http import api, caller
from lisa.retrieval import service, wiring
from lisa.retrieval.schemas import SearchAnswer, SearchRequest

app = api()
logger = Logger()


@app.get("/repository/<repository_id>/similaritySearch")
def search_by_url(repository_id: str) -> SearchAnswer:
    parameters = app.current_event.resolved_query_string_parameters
    return _search(repository_id, SearchRequest.of_query(parameters))


@app.post("/repository/<repository_id>/similaritySearch")
def search(repository_id: str, request: Annotated[SearchRequest, Body()]) -> SearchAnswer:
    return _search(repository_id, request)


def _search(repository_id: str, request: SearchRequest) -> SearchAnswer:
    answer = service.similarity_search(
        wiring.repositories(),
        wiring.collections(),
        wiring.vector_store,
        serve_client.embed,
        caller(app),
        unquote(repository_id),
        request,
    )
    logger.info("searched", repository_id=repository_id, mode=request.mode, passages=len(answer.docs))
    return answer


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
