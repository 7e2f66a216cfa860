"""What the state machines do to a document; each task may run twice and does its work once."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from lisa.collections.access import default_collection
from lisa.collections.schemas import Collection
from lisa.collections.store import CollectionReader
from lisa.documents.jobs import JobStore
from lisa.documents.schemas import Document, DocumentStatus, IngestionStage
from lisa.errors import NotFoundError, TooLargeError
from lisa.ingestion.chunking import chunks_of
from lisa.ingestion.errors import EmptyDocumentError, MissingDocumentError, SupersededError
from lisa.ingestion.intake import TOMBSTONE_DAYS
from lisa.ingestion.parsing.blocks import ParsedDocument
from lisa.ingestion.parsing.limits import MAX_DOCUMENT_BYTES, MEGABYTE
from lisa.ingestion.progress import Progress
from lisa.ingestion.reasons import is_fault, reason_of
from lisa.ingestion.schemas import (
    DocumentTask,
    EmbedTask,
    FailedTask,
    FailTask,
    IndexedTask,
    IndexTask,
    ParsedTask,
)
from lisa.ingestion.work import Work
from lisa.repositories.schemas import Repository
from lisa.repositories.store import RepositoryReader
from lisa.retrieval.schemas import Chunk, EmbeddedChunk
from lisa.retrieval.store import IndexedDocument, VectorStore

MAX_CHUNKS = 100_000
BATCH_CHUNKS = 64  # what one request for embeddings takes
MAX_BATCHES = 400  # each is some ten events of an execution's history, which has room for 25,000

Parse = Callable[[Path, str], ParsedDocument]
Embed = Callable[[Sequence[str], str], list[list[float]]]
OpenIndex = Callable[[Repository], VectorStore]


class Source(Protocol):
    def download(self, key: str, version_id: str | None, target: Path, most_bytes: int) -> bool: ...


class Shelves(NamedTuple):
    """Where a task looks up what it works for."""

    repositories: RepositoryReader
    collections: CollectionReader
    progress: Progress


def parse_document(
    shelves: Shelves, source: Source, work: Work, parse: Parse, task: DocumentTask, now: Callable[[], datetime]
) -> ParsedTask:
    """Reads the document, cuts it into chunks, and leaves them in batches for the next states.

    Raises: SupersededError; for the document's owner one of lisa.ingestion.errors, TooLargeError,
    UnsupportedTypeError, NotFoundError.
    """
    document = enter(shelves.progress, task, IngestionStage.PARSING, now())
    repository, collection = _home(shelves, document)
    model = collection.embedding_model or repository.embedding_model_id
    if not model:
        raise NotFoundError("Neither the collection nor the repository has an embedding model. Choose one, then retry.")
    parsed = _parsed(source, parse, document)
    chunks = list(islice(chunks_of(parsed, document.chunk_strategy), MAX_CHUNKS + 1))
    if not chunks:
        raise EmptyDocumentError("The file has no text, so there is nothing to search.")
    if len(chunks) > MAX_CHUNKS:
        raise TooLargeError(f"The file makes more than {MAX_CHUNKS:,} chunks. Split it, or choose a larger chunk size.")
    batches = list(_batches(chunks))
    for number, batch in enumerate(batches):
        work.put_chunks(task, number, batch)
    enter(shelves.progress, task, IngestionStage.EMBEDDING, now())
    return ParsedTask(batches=list(range(len(batches))), chunk_count=len(chunks), embedding_model=model)


def embed_chunks(work: Work, embed: Embed, task: EmbedTask) -> int:
    """Embeds one batch, and returns how many chunks it had. Raises: UpstreamError, UnavailableError."""
    chunks = work.chunks(task, task.batch)
    vectors = embed([chunk.text for chunk in chunks], task.embedding_model)
    embedded = [
        EmbeddedChunk(**chunk.model_dump(), embedding=vector) for chunk, vector in zip(chunks, vectors, strict=True)
    ]
    work.put_embedded(task, task.batch, embedded)
    return len(embedded)


def index_document(
    shelves: Shelves, work: Work, open_index: OpenIndex, task: IndexTask, now: Callable[[], datetime]
) -> IndexedTask:
    """Swaps the document's old chunks for the new ones, and only then says that it is done.

    Raises: SupersededError, ConflictError (another dimension), UnavailableError, NotFoundError.
    """
    ended = _ended(shelves.progress, task, DocumentStatus.INGESTION_COMPLETED)
    if ended is not None:
        return IndexedTask(chunk_count=ended.chunks)
    document = enter(shelves.progress, task, IngestionStage.INDEXING, now())
    repository, collection = _home(shelves, document)
    indexed = IndexedDocument(
        document_id=document.document_id,
        document_name=document.document_name,
        source=document.source,
        version=document.sequencer,
        metadata=_metadata(repository, collection, document),
    )
    count = open_index(repository).replace_document(
        document.repository_id, document.collection_id, indexed, work.embedded(task, task.batches)
    )
    done = {
        "status": DocumentStatus.INGESTION_COMPLETED,
        "stage": IngestionStage.DONE,
        "chunks": count,
        "error_message": None,
    }
    if not shelves.progress.move(task, done, now()):
        raise _superseded()
    return IndexedTask(chunk_count=count)


def remove_document(
    repositories: RepositoryReader,
    progress: Progress,
    open_index: OpenIndex,
    task: DocumentTask,
    now: Callable[[], datetime],
) -> None:
    """Takes the document out of the index; its row becomes a tombstone. Raises: SupersededError, UnavailableError."""
    if _ended(progress, task, DocumentStatus.DELETE_COMPLETED):
        return
    begun = {"status": DocumentStatus.DELETE_IN_PROGRESS}
    if not progress.move(task, begun, now()):
        raise _superseded()
    repository = repositories.get(task.repository_id)
    if repository is not None:
        open_index(repository).delete_document(task.repository_id, task.collection_id, task.document_id, task.sequencer)
    moment = now()
    gone = {"status": DocumentStatus.DELETE_COMPLETED, "stage": IngestionStage.DONE, "chunks": 0}
    expires_at = int((moment + timedelta(days=TOMBSTONE_DAYS)).timestamp())
    if not progress.move(task, gone, moment, expires_at):
        raise _superseded()


def fail_document(progress: Progress, jobs: JobStore, task: FailTask, moment: datetime) -> FailedTask:
    """Ends the attempt with a reason for people; one that was overtaken ends without harm to its document."""
    document = progress.get(task)
    if document is None or (document.job_id, document.sequencer) != (task.job_id, task.sequencer):
        if document is None or document.job_id != task.job_id:
            jobs.supersede(task.job_id, moment)
        return FailedTask(failed=False)
    reason = reason_of(task.error, document.status)
    status = DocumentStatus.DELETE_FAILED if document.status.is_deletion else DocumentStatus.INGESTION_FAILED
    if document.status is not status and not progress.move(task, {"status": status, "error_message": reason}, moment):
        return FailedTask(failed=False)
    return FailedTask(failed=True, fault=is_fault(task.error), status=status, reason=reason)


def enter(progress: Progress, task: DocumentTask, stage: IngestionStage, moment: datetime) -> Document:
    """Says where the document is now, and returns its row. Raises: SupersededError."""
    changes: dict[str, Any] = {
        "status": DocumentStatus.INGESTION_IN_PROGRESS,
        "stage": stage,
        "error_message": None,
    }
    document = progress.get(task) if progress.move(task, changes, moment) else None
    if document is None or document.job_id != task.job_id:
        raise _superseded()
    return document


def _ended(progress: Progress, task: DocumentTask, status: DocumentStatus) -> Document | None:
    """The document, when this very attempt has reached its end already and only its answer was lost."""
    row = progress.get(task)
    mine = row is not None and (row.job_id, row.sequencer) == (task.job_id, task.sequencer)
    return row if row is not None and mine and row.status is status else None


def _superseded() -> SupersededError:
    return SupersededError("A newer upload or a deletion of the same file took over.")


def _home(shelves: Shelves, document: Document) -> tuple[Repository, Collection]:
    """Raises: NotFoundError when one of them was deleted meanwhile."""
    repository = shelves.repositories.get(document.repository_id)
    if repository is None:
        raise NotFoundError("The repository was deleted before the document was indexed.")
    default = default_collection(repository)
    if default is not None and default.collection_id == document.collection_id:
        return repository, default
    collection = shelves.collections.get(document.repository_id, document.collection_id)
    if collection is None:
        raise NotFoundError("The collection was deleted before the document was indexed.")
    return repository, collection


def _parsed(source: Source, parse: Parse, document: Document) -> ParsedDocument:
    with tempfile.TemporaryDirectory(prefix="document-") as folder:
        path = Path(folder) / "source"
        if not source.download(document.key, document.version_id, path, MAX_DOCUMENT_BYTES + 1):
            raise MissingDocumentError("The file was deleted before it was read. Upload it again.")
        if path.stat().st_size > MAX_DOCUMENT_BYTES:
            raise TooLargeError(f"The file is over {MAX_DOCUMENT_BYTES // MEGABYTE} MB. Split it.")
        return parse(path, document.document_name)


def _batches(chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
    size = max(BATCH_CHUNKS, -(-len(chunks) // MAX_BATCHES))
    for start in range(0, len(chunks), size):
        yield chunks[start : start + size]


def _metadata(repository: Repository, collection: Collection, document: Document) -> dict[str, Any]:
    """Custom fields, the more special ones first; tags of all three."""
    tags = {*repository.metadata.tags, *collection.metadata.tags, *document.metadata.get("tags", [])}
    merged = {**repository.metadata.custom_fields, **collection.metadata.custom_fields, **document.metadata}
    return json_safe({**merged, **({"tags": sorted(tags)} if tags else {})})


def json_safe(value: dict[str, Any]) -> dict[str, Any]:
    """A copy of plain JSON values: what else a row may hold, no index takes."""
    safe: dict[str, Any] = json.loads(json.dumps(value, default=str))
    return safe
