"""What people ask to be done with documents: take up an upload, try again, delete.

Each writes rows first and then changes the object in S3; the event of that change does the rest.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from lisa.auth.schemas import Caller
from lisa.collections.access import find_collection, require_ready
from lisa.collections.schemas import Collection, CollectionStatus
from lisa.collections.store import CollectionReader
from lisa.documents.access import find_document, may_change, require_change, require_collection
from lisa.documents.jobs import JobStore
from lisa.documents.objects import JOB, USER, Objects, StoredObject
from lisa.documents.requests import MAX_AT_ONCE, BulkQuery, BulkRequest, BulkStarted, JobsStarted, JobStarted
from lisa.documents.schemas import (
    Document,
    DocumentStatus,
    IngestionStage,
    IngestionType,
    Job,
    JobType,
    document_id_of,
)
from lisa.documents.service import UPLOADS, not_found
from lisa.documents.store import DocumentStore
from lisa.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError, UnavailableError
from lisa.ingestion.parsing.kinds import require_supported
from lisa.ingestion.schemas import DocumentTask
from lisa.machines import Machine
from lisa.repositories.schemas import ChunkingStrategy, Metadata
from lisa.repositories.store import RepositoryReader

NewId = Callable[[], str]


class Desk(NamedTuple):
    """Where changes are written: all that the functions below work on."""

    repositories: RepositoryReader
    collections: CollectionReader
    documents: DocumentStore
    jobs: JobStore
    objects: Objects
    delete_machine: Machine


def ingest(
    desk: Desk,
    caller: Caller,
    repository_id: str,
    request: BulkRequest,
    query: BulkQuery,
    new_id: NewId,
    moment: datetime,
) -> BulkStarted:
    """Takes up the caller's uploads as documents of a collection.

    All are checked before the first is taken up. Raises: NotFoundError, ForbiddenError, ConflictError,
    UnsupportedTypeError, BadRequestError.
    """
    named = request.collection_id or query.collection_id
    wanted = named or (request.embedding_model.model_name if request.embedding_model else None)
    repository, collection = find_collection(desk.repositories, desk.collections, caller, repository_id, wanted)
    require_ready(repository)
    if collection.status is not CollectionStatus.ACTIVE:
        raise ConflictError(f"Collection {collection.name!r} is {collection.status}. It takes no documents.")
    uploads = [(key, _require_upload(desk.objects, caller, key)) for key in dict.fromkeys(request.keys)]
    strategy = _chunking(collection, request.chunking_strategy or query.chunking())
    folder = f"{repository_id}/{collection.collection_id}/{quote(caller.username, safe='')}"
    started = []
    for key, upload in uploads:
        name = key.rpartition("/")[2]
        source = f"s3://{desk.objects.bucket}/{folder}/{name}"
        job = Job(
            id=new_id(),
            s3_path=source,
            repository_id=repository_id,
            collection_id=collection.collection_id,
            document_id=document_id_of(source),
            document_name=name,
            chunk_strategy=strategy,
            embedding_model=collection.embedding_model or repository.embedding_model_id,
            username=caller.username,
            ingestion_type=IngestionType.MANUAL,
            created_date=moment.isoformat(),
            updated_date=moment.isoformat(),
            metadata=flat(request.metadata),
        )
        try:
            started.append(_put_in_place(desk, job, key, upload, moment))
        except ConflictError as error:  # the others are taken up all the same
            refused = {"status": DocumentStatus.INGESTION_FAILED, "error_message": error.message}
            started.append(job.model_copy(update=refused))
            desk.jobs.put(started[-1])
    return BulkStarted(
        jobs=[JobStarted.of(job) for job in started],
        collection_id=collection.collection_id,
        collection_name=collection.name,
    )


def retry(
    desk: Desk, caller: Caller, repository_id: str, document_id: str, new_id: NewId, moment: datetime
) -> JobStarted:
    """Begins anew what failed, be it an ingestion or a deletion.

    Raises: NotFoundError, ForbiddenError, and ConflictError for a document that has not failed.
    """
    repository, document = find_document(
        desk.repositories, desk.collections, desk.documents, caller, repository_id, document_id
    )
    require_change(caller, repository, document)
    if document.status is DocumentStatus.DELETE_FAILED:
        return JobStarted.of(_delete(desk, document, caller, new_id(), moment))
    if document.status is not DocumentStatus.INGESTION_FAILED:
        raise ConflictError(f"The document is {document.status}. Only what failed can be tried again.")
    require_ready(repository)
    found = desk.objects.head(document.key)
    if found is None:
        raise NotFoundError("The file is no longer there. Upload it again, or delete the document.")
    job = _job_of(document, JobType.INGESTION, caller.username, new_id(), moment)
    return JobStarted.of(_put_in_place(desk, job, document.key, found, moment, document))


def delete_by_id(
    desk: Desk,
    caller: Caller,
    repository_id: str,
    collection_id: str | None,
    document_ids: Iterable[str],
    new_id: NewId,
    moment: datetime,
) -> JobsStarted:
    """Begins to delete documents; all are checked before the first goes.

    Raises: NotFoundError, ForbiddenError, ConflictError.
    """
    chosen = []
    for document_id in dict.fromkeys(document_ids):
        repository, document = find_document(
            desk.repositories, desk.collections, desk.documents, caller, repository_id, document_id
        )
        if collection_id and document.collection_id != collection_id:
            raise NotFoundError(f"There is no document {document_id!r} in collection {collection_id!r}.")
        require_change(caller, repository, document)
        chosen.append(document)
    if not chosen:
        raise BadRequestError("Name the documents: `documentIds` in the body, or `documentName` in the query.")
    return JobsStarted(jobs=[JobStarted.of(_delete(desk, d, caller, new_id(), moment)) for d in chosen])


def delete_by_name(
    desk: Desk,
    caller: Caller,
    repository_id: str,
    collection_id: str | None,
    name: str,
    new_id: NewId,
    moment: datetime,
) -> JobsStarted:
    """Begins to delete the documents of that name in a collection which the caller may delete.

    Raises: NotFoundError when there is none, ForbiddenError when all are somebody else's.
    """
    if collection_id:
        folder = collection_id
        repository = require_collection(desk.repositories, desk.collections, caller, repository_id, collection_id)
    else:
        repository, collection = find_collection(desk.repositories, desk.collections, caller, repository_id, None)
        folder = collection.collection_id
    found = desk.documents.named(repository_id, folder, name)[:MAX_AT_ONCE]
    if not found:
        raise not_found(name)
    mine = [document for document in found if may_change(caller, repository, document)]
    if not mine:
        require_change(caller, repository, found[0])
    return JobsStarted(jobs=[JobStarted.of(_delete(desk, d, caller, new_id(), moment)) for d in mine])


def flat(metadata: Metadata) -> dict[str, Any]:
    """Tags and custom fields as one level of keys, which is what searches filter by."""
    tags = {"tags": sorted(set(metadata.tags))} if metadata.tags else {}
    return {**metadata.custom_fields, **tags}


def _require_upload(objects: Objects, caller: Caller, key: str) -> StoredObject:
    if not key.startswith(f"{UPLOADS}/{quote(caller.username, safe='')}/") or key.endswith("/"):
        raise ForbiddenError(f"{key!r} is no upload of yours. POST /repository/presigned-url gives a place for one.")
    require_supported(key)
    found = objects.head(key)
    if found is None:
        raise NotFoundError(f"Nothing was uploaded to {key!r}, or it has been cleared away. Upload the file again.")
    return found


def _chunking(collection: Collection, wanted: ChunkingStrategy | None) -> ChunkingStrategy:
    """What is asked for, where the collection lets people choose: clients of the original always ask for something."""
    own = collection.chunking_strategy or ChunkingStrategy()
    return wanted if wanted and collection.allow_chunking_override else own


def _put_in_place(
    desk: Desk, job: Job, key: str, upload: StoredObject, moment: datetime, failed: Document | None = None
) -> Job:
    """Writes job and document, then copies the object to its place; a copy that fails ends the job, not the call."""
    previous = failed or desk.documents.get(job.repository_id, job.collection_id, job.document_id)
    if previous is not None and previous.status.is_deletion and not previous.status.is_final:
        raise ConflictError(f"Document {job.document_name!r} is being deleted. Try again in a moment.")
    desk.jobs.put(job)
    document = _pending(job, previous, moment)
    if not desk.documents.replace(document, previous):
        desk.jobs.supersede(job.id, moment)
        raise ConflictError(f"Document {job.document_name!r} has just been changed by somebody else. Try again.")
    try:
        metadata = {JOB: job.id, USER: quote(document.username, safe="")}
        desk.objects.copy(key, document.key, upload.content_type, metadata)
    except UnavailableError as error:
        desk.documents.restore(document, previous)
        ended = {"status": DocumentStatus.INGESTION_FAILED, "error_message": error.message}
        desk.jobs.change(job.id, {**ended, "updated_date": moment.isoformat()})
        return job.model_copy(update=ended)
    if previous is not None and previous.job_id and not previous.status.is_final:
        desk.jobs.supersede(previous.job_id, moment)
    return job


def _pending(job: Job, previous: Document | None, moment: datetime) -> Document:
    """The row while its event is on the way. Of an earlier version stay the order, the owner and what is searchable."""
    kept = previous if previous is not None and not previous.is_gone else None
    return Document(
        document_id=job.document_id,
        repository_id=job.repository_id,
        collection_id=job.collection_id,
        document_name=job.document_name,
        source=job.s3_path,
        username=_owner(job, kept),
        chunk_strategy=job.chunk_strategy or ChunkingStrategy(),
        ingestion_type=job.ingestion_type,
        upload_date=int(moment.timestamp() * 1000),
        chunks=kept.chunks if kept else 0,
        status=DocumentStatus.INGESTION_PENDING,
        stage=IngestionStage.QUEUED,
        metadata=job.metadata,
        sequencer=previous.sequencer if previous else "",
        version_id=kept.version_id if kept else None,
        job_id=job.id,
        updated_at=moment.isoformat(),
    )


def _owner(job: Job, kept: Document | None) -> str:
    """A retry by somebody else leaves the document with its owner; an upload takes over a file that nobody owned."""
    taken_over = kept is None or (
        kept.ingestion_type is IngestionType.AUTO and job.ingestion_type is IngestionType.MANUAL
    )
    return job.username if kept is None or taken_over else kept.username


def _job_of(document: Document, kind: JobType, username: str, job_id: str, moment: datetime) -> Job:
    deletes = kind is JobType.DELETION
    return Job(
        id=job_id,
        s3_path=document.source,
        repository_id=document.repository_id,
        collection_id=document.collection_id,
        document_id=document.document_id,
        document_name=document.document_name,
        chunk_strategy=document.chunk_strategy,
        username=username,
        ingestion_type=document.ingestion_type,
        job_type=kind,
        status=DocumentStatus.DELETE_PENDING if deletes else DocumentStatus.INGESTION_PENDING,
        created_date=moment.isoformat(),
        updated_date=moment.isoformat(),
        metadata=document.metadata,
    )


def _delete(desk: Desk, document: Document, caller: Caller, job_id: str, moment: datetime) -> Job:
    """Marks the document and deletes its object; without an object there is no event, so the work is started here."""
    if document.status.is_deletion and not document.status.is_final:
        running = desk.jobs.get(document.job_id)
        if running is not None:
            return running
    job = _job_of(document, JobType.DELETION, caller.username, job_id, moment)
    desk.jobs.put(job)
    marked = document.model_copy(
        update={
            "status": DocumentStatus.DELETE_PENDING,
            "stage": IngestionStage.QUEUED,
            "error_message": None,
            "job_id": job.id,
            "updated_at": moment.isoformat(),
        }
    )
    if not desk.documents.replace(marked, document):
        desk.jobs.supersede(job.id, moment)
        raise ConflictError(f"Document {document.document_name!r} has just been changed by somebody else. Try again.")
    if not document.status.is_final:
        desk.jobs.supersede(document.job_id, moment)
    try:
        if desk.objects.head(document.key) is None:
            task = DocumentTask.of(marked)
            desk.delete_machine.start(task.document_id, task.change, task.model_dump(by_alias=True))
        else:
            desk.objects.delete(document.key)
    except UnavailableError as error:
        failed = {"status": DocumentStatus.DELETE_FAILED, "error_message": error.message}
        desk.documents.replace(marked.model_copy(update=failed), marked)
        desk.jobs.change(job.id, {**failed, "updated_date": moment.isoformat()})
        return job.model_copy(update=failed)
    return job
