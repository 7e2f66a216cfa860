"""What becomes of a change in the documents bucket: rows, and one execution of a state machine.

Events come twice and out of order. Only an event with a newer sequencer writes the row; the same event again starts the
same execution again, which is none if it has been started.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import NAMESPACE_URL, uuid5

from lisa.collections.access import default_collection
from lisa.collections.schemas import Collection, CollectionStatus
from lisa.collections.store import CollectionReader
from lisa.documents.jobs import JobStore
from lisa.documents.objects import JOB, StoredObject
from lisa.documents.schemas import SYSTEM, Document, DocumentStatus, IngestionStage, IngestionType, Job, JobType
from lisa.events import DocumentIngestionFailed, DomainEvent
from lisa.ingestion.changes import ChangeType, ObjectChange, Place
from lisa.ingestion.progress import Progress
from lisa.ingestion.schemas import DocumentTask
from lisa.machines import Machine
from lisa.repositories.access import READY
from lisa.repositories.schemas import ChunkingStrategy, Repository, RepositoryStatus
from lisa.repositories.store import RepositoryReader

TOMBSTONE_DAYS = 30  # no event can be on its way for longer: the queue keeps them for 14


class Outcome(StrEnum):
    """What an event led to; logged."""

    STARTED = "started"
    REFUSED = "refused"  # the row says why
    BURIED = "buried"  # a tombstone for what was not known
    LATE = "late"
    IGNORED = "ignored"


class ObjectReader(Protocol):
    def head(self, key: str, version_id: str | None = None) -> StoredObject | None: ...


class Intake(NamedTuple):
    """All that the functions below work on."""

    repositories: RepositoryReader
    collections: CollectionReader
    jobs: JobStore
    progress: Progress
    objects: ObjectReader
    ingest_machine: Machine
    delete_machine: Machine


class Arrival(NamedTuple):
    outcome: Outcome
    document: Document | None = None

    @property
    def events(self) -> list[DomainEvent]:
        """What others have to hear of it now; a run of a state machine tells for itself."""
        refused = self.document if self.outcome is Outcome.REFUSED else None
        return [failure_of(refused)] if refused else []


def failure_of(document: Document) -> DomainEvent:
    return DocumentIngestionFailed(
        repository_id=document.repository_id,
        collection_id=document.collection_id,
        document_id=document.document_id,
        reason=document.error_message or "",
    )


def take_up(intake: Intake, change: ObjectChange, moment: datetime) -> Arrival:
    """Does what the change asks for. Raises: UnavailableError when the machine cannot be started (deliver it again)."""
    place = change.place
    repository = intake.repositories.get(place.repository_id) if place else None
    if place is None or repository is None or repository.status is RepositoryStatus.DELETE_IN_PROGRESS:
        return Arrival(Outcome.IGNORED)
    collection = _collection(intake.collections, repository, place.collection_id)
    if change.type is ChangeType.CREATED:
        found = intake.objects.head(change.key, change.version_id)
        return _created(intake, change, place, repository, collection, found, moment)
    if collection is not None and collection.status is CollectionStatus.DELETE_IN_PROGRESS:
        return Arrival(Outcome.IGNORED)  # its deletion removes rows and index as a whole
    if change.permanent:
        # A version was removed for ever: perhaps an old one, perhaps a delete marker, and another is current now.
        current = intake.objects.head(change.key)
        if current is not None:
            row = intake.progress.get(_task(change, place))
            if row is not None and not row.is_gone and row.version_id in (None, current.version_id):
                return Arrival(Outcome.IGNORED)
            return _created(intake, change, place, repository, collection, current, moment)
    return _deleted(intake, change, place, moment)


def _created(
    intake: Intake,
    change: ObjectChange,
    place: Place,
    repository: Repository,
    collection: Collection | None,
    found: StoredObject | None,
    moment: datetime,
) -> Arrival:
    if found is None:
        return Arrival(Outcome.IGNORED)  # deleted again: that has an event of its own
    existing = intake.progress.get(_task(change, place))
    kept = existing if existing is not None and not existing.is_gone else None
    refusal = _refusal(repository, collection, place)
    asked = _asked_job(intake.jobs, found, change)
    job = asked or _own_job(change, place, kept, collection, moment)
    status = DocumentStatus.INGESTION_FAILED if refusal else DocumentStatus.INGESTION_PENDING
    job = job.model_copy(update={"status": status, "error_message": refusal, "updated_date": moment.isoformat()})
    document = Document(
        document_id=change.document_id,
        repository_id=place.repository_id,
        collection_id=place.collection_id,
        document_name=place.name,
        source=change.source,
        username=kept.username if kept else job.username,
        chunk_strategy=job.chunk_strategy or ChunkingStrategy(),
        ingestion_type=job.ingestion_type,
        upload_date=int(moment.timestamp() * 1000),
        chunks=kept.chunks if kept else 0,
        status=status,
        stage=IngestionStage.QUEUED,
        error_message=refusal,
        metadata=job.metadata,
        sequencer=change.sequencer,
        version_id=found.version_id,
        job_id=job.id,
        updated_at=moment.isoformat(),
    )
    if not intake.progress.accept(document, job):
        return _late(intake, change, place, asked, moment)
    _supersede(intake.jobs, existing, job.id, moment)
    if refusal:
        return Arrival(Outcome.REFUSED, document)
    _start(intake, document)
    return Arrival(Outcome.STARTED, document)


def _deleted(intake: Intake, change: ObjectChange, place: Place, moment: datetime) -> Arrival:
    existing = intake.progress.get(_task(change, place))
    if existing is None or existing.is_gone:
        stone = _tombstone(change, place, moment)
        expires_at = int((moment + timedelta(days=TOMBSTONE_DAYS)).timestamp())
        accepted = intake.progress.accept(stone, None, expires_at)
        return Arrival(Outcome.BURIED if accepted else Outcome.LATE)
    asked = intake.jobs.get(existing.job_id) if existing.status.is_deletion else None
    if asked is not None and (asked.job_type is not JobType.DELETION or asked.status.is_final):
        asked = None
    job = asked or _own_job(change, place, existing, None, moment, JobType.DELETION)
    document = existing.model_copy(
        update={
            "status": DocumentStatus.DELETE_PENDING,
            "stage": IngestionStage.QUEUED,
            "error_message": None,
            "sequencer": change.sequencer,
            "job_id": job.id,
            "updated_at": moment.isoformat(),
        }
    )
    if not intake.progress.accept(document, job):
        return _late(intake, change, place, None, moment)
    _supersede(intake.jobs, existing, job.id, moment)
    _start(intake, document)
    return Arrival(Outcome.STARTED, document)


def _late(intake: Intake, change: ObjectChange, place: Place, asked: Job | None, moment: datetime) -> Arrival:
    """The event is not newer than the row: it came twice, or after its successor."""
    row = intake.progress.get(_task(change, place))
    if row is not None and row.sequencer == change.sequencer and not row.status.is_final:
        _start(intake, row)  # the first delivery may have died between the row and the start
        return Arrival(Outcome.STARTED, row)
    if asked is not None and (row is None or row.job_id != asked.id):
        intake.jobs.supersede(asked.id, moment)
    return Arrival(Outcome.LATE)


def _start(intake: Intake, document: Document) -> None:
    machine = intake.delete_machine if document.status.is_deletion else intake.ingest_machine
    task = DocumentTask.of(document)
    machine.start(task.document_id, task.change, task.model_dump(by_alias=True))


def _supersede(jobs: JobStore, existing: Document | None, job_id: str, moment: datetime) -> None:
    if existing is not None and existing.job_id and existing.job_id != job_id and not existing.status.is_final:
        jobs.supersede(existing.job_id, moment)


def _collection(collections: CollectionReader, repository: Repository, collection_id: str) -> Collection | None:
    default = default_collection(repository)
    if default is not None and default.collection_id == collection_id:
        return default
    return collections.get(repository.repository_id, collection_id)


def _refusal(repository: Repository, collection: Collection | None, place: Place) -> str | None:
    if repository.status not in READY:
        return f"The repository was in state {repository.status} when the file came. Try again when it is ready."
    if collection is None:
        return (
            f"There is no collection {place.collection_id!r} in repository {place.repository_id!r}. Create it and put "
            "the file into the folder of its id, or use the folder of an existing one."
        )
    if collection.status is not CollectionStatus.ACTIVE:
        return f"Collection {collection.name!r} is {collection.status}. It takes no documents."
    return None


def _asked_job(jobs: JobStore, found: StoredObject, change: ObjectChange) -> Job | None:
    """The job on whose behalf the object was put there, if it says so and the job knows of it."""
    job_id = found.metadata.get(JOB)
    job = jobs.get(job_id) if job_id else None
    if job is None or job.status.is_final or job.job_type is not JobType.INGESTION or job.s3_path != change.source:
        return None
    return job


def _own_job(
    change: ObjectChange,
    place: Place,
    kept: Document | None,
    collection: Collection | None,
    moment: datetime,
    kind: JobType = JobType.INGESTION,
) -> Job:
    """A job for what nobody asked through the API. Its id follows from the event, so that a repetition is the same.

    A file that overwrites a document keeps what was chosen for it.
    """
    strategy = kept.chunk_strategy if kept else collection.chunking_strategy if collection else None
    deletes = kind is JobType.DELETION
    return Job(
        id=str(uuid5(NAMESPACE_URL, f"{change.source}?{change.sequencer}")),
        s3_path=change.source,
        repository_id=place.repository_id,
        collection_id=place.collection_id,
        document_id=change.document_id,
        document_name=place.name,
        chunk_strategy=strategy,
        embedding_model=collection.embedding_model if collection else None,
        username=SYSTEM,
        ingestion_type=kept.ingestion_type if kept else IngestionType.AUTO,
        job_type=kind,
        status=DocumentStatus.DELETE_PENDING if deletes else DocumentStatus.INGESTION_PENDING,
        created_date=moment.isoformat(),
        updated_date=moment.isoformat(),
        metadata=kept.metadata if kept else {},
    )


def _tombstone(change: ObjectChange, place: Place, moment: datetime) -> Document:
    return Document(
        document_id=change.document_id,
        repository_id=place.repository_id,
        collection_id=place.collection_id,
        document_name=place.name,
        source=change.source,
        username=SYSTEM,
        status=DocumentStatus.DELETE_COMPLETED,
        stage=IngestionStage.DONE,
        sequencer=change.sequencer,
        updated_at=moment.isoformat(),
    )


def _task(change: ObjectChange, place: Place) -> DocumentTask:
    return DocumentTask(
        repository_id=place.repository_id,
        collection_id=place.collection_id,
        document_id=change.document_id,
        job_id="-",
        sequencer=change.sequencer,
    )
