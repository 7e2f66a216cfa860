"""/repository/{repositoryId}/document, its uploads, downloads and jobs."""

from typing import Annotated, Any
from uuid import uuid4

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.documents import changes, service, wiring
from lisa.documents.requests import (
    BulkQuery,
    BulkRequest,
    BulkStarted,
    DeleteRequest,
    DocumentPage,
    JobPage,
    JobsQuery,
    JobsStarted,
    JobStarted,
    ListQuery,
)
from lisa.documents.schemas import Document
from lisa.http import api, caller, json_string
from lisa.schemas import now

app = api()
logger = Logger()


def new_id() -> str:
    return str(uuid4())


@app.post("/repository/presigned-url")
def presign_upload() -> dict[str, Any]:
    name = app.current_event.decoded_body or ""  # the body is the name, not JSON
    return {"response": service.upload_form(wiring.objects(), caller(app), name, new_id())}


@app.post("/repository/<repository_id>/bulk")
def ingest(repository_id: str, request: BulkRequest, query: Annotated[BulkQuery, Query()]) -> BulkStarted:
    started = changes.ingest(wiring.desk(), caller(app), repository_id, request, query, new_id, now())
    logger.info("uploads taken up", repository_id=repository_id, jobs=[job.job_id for job in started.jobs])
    return started


@app.get("/repository/<repository_id>/document")
def list_documents(repository_id: str, query: Annotated[ListQuery, Query()]) -> DocumentPage:
    return service.list_documents(
        wiring.repositories(), wiring.collections(), wiring.documents(), caller(app), repository_id, query
    )


@app.delete("/repository/<repository_id>/document")
def delete_documents(
    repository_id: str,
    request: DeleteRequest | None = None,
    collection_id: Annotated[str | None, Query(alias="collectionId")] = None,
    document_name: Annotated[str | None, Query(alias="documentName")] = None,
) -> JobsStarted:
    ids = request.document_ids if request else []
    if document_name and not ids:
        started = changes.delete_by_name(
            wiring.desk(), caller(app), repository_id, collection_id, document_name, new_id, now()
        )
    else:
        started = changes.delete_by_id(wiring.desk(), caller(app), repository_id, collection_id, ids, new_id, now())
    logger.info("deletions begun", repository_id=repository_id, jobs=[job.job_id for job in started.jobs])
    return started


@app.get("/repository/<repository_id>/jobs")
def list_jobs(repository_id: str, query: Annotated[JobsQuery, Query()]) -> JobPage:
    return service.list_jobs(wiring.repositories(), wiring.jobs(), caller(app), repository_id, query, now())


@app.get("/repository/<repository_id>/<document_id>/download")
def download(repository_id: str, document_id: str) -> Response[str]:
    return json_string(
        service.download_link(
            wiring.repositories(),
            wiring.collections(),
            wiring.documents(),
            wiring.objects(),
            caller(app),
            repository_id,
            document_id,
        )
    )


@app.post("/repository/<repository_id>/<document_id>/retry")
def retry(repository_id: str, document_id: str) -> JobStarted:
    started = changes.retry(wiring.desk(), caller(app), repository_id, document_id, new_id, now())
    logger.info("document tried again", repository_id=repository_id, document_id=document_id, job_id=started.job_id)
    return started


@app.get("/repository/<repository_id>/<document_id>")
def get_document(repository_id: str, document_id: str) -> Document:
    return service.get_document(
        wiring.repositories(), wiring.collections(), wiring.documents(), caller(app), repository_id, document_id
    )


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
