"""Rules for documents and jobs as their users see them; what enters and leaves the index is the ingestion's."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from lisa.auth.schemas import Caller
from lisa.collections.access import find_repository, may_manage
from lisa.collections.store import CollectionReader
from lisa.documents.access import CollectionLister, find_document, require_collection, visible_collections
from lisa.documents.objects import Objects
from lisa.documents.requests import DocumentPage, JobPage, JobsQuery, LastDocument, ListQuery
from lisa.documents.schemas import Document, Job
from lisa.documents.store import DocumentStore
from lisa.errors import BadRequestError, NotFoundError
from lisa.ingestion.parsing.kinds import require_supported
from lisa.repositories.store import RepositoryReader

UPLOADS = "uploads"
UPLOAD_BYTES = 52_428_800
UPLOAD_SECONDS = 3600
LINK_SECONDS = 300
NAME_BYTES = 255


class JobPager(Protocol):
    def page(
        self, repository_id: str, owner: str | None, since: datetime, limit: int, after: Mapping[str, Any] | None
    ) -> tuple[list[Job], dict[str, Any] | None]: ...


def list_documents(
    repositories: RepositoryReader,
    collections: CollectionLister,
    documents: DocumentStore,
    caller: Caller,
    repository_id: str,
    query: ListQuery,
) -> DocumentPage:
    """A page of the documents of one collection, or of all that the caller may use.

    Raises: NotFoundError, ForbiddenError.
    """
    if query.collection_id:
        require_collection(repositories, collections, caller, repository_id, query.collection_id)
        folders = [query.collection_id]
    else:
        folders = visible_collections(repositories, collections, caller, repository_id)
    after = query.after(repository_id)
    found: list[Document] = []
    more = False
    for folder in folders:
        if after and folder < after[0]:
            continue
        start = after[1] if after and folder == after[0] else None
        if len(found) == query.page_size:
            more = documents.page(repository_id, folder, 1, start)[0] != []
        else:
            page, more = documents.page(repository_id, folder, query.page_size - len(found), start)
            found += page
        if more:
            break
    last = found[-1] if more and found else None
    return DocumentPage(
        documents=found,
        last_evaluated=LastDocument(pk=last.pk, document_id=last.document_id, repository_id=repository_id)
        if last
        else None,
        total_documents=sum(documents.count(repository_id, folder) for folder in folders),
        has_next_page=more,
        has_previous_page=after is not None,
    )


def get_document(
    repositories: RepositoryReader,
    collections: CollectionReader,
    documents: DocumentStore,
    caller: Caller,
    repository_id: str,
    document_id: str,
) -> Document:
    """Raises: NotFoundError, ForbiddenError."""
    return find_document(repositories, collections, documents, caller, repository_id, document_id)[1]


def download_link(
    repositories: RepositoryReader,
    collections: CollectionReader,
    documents: DocumentStore,
    objects: Objects,
    caller: Caller,
    repository_id: str,
    document_id: str,
) -> str:
    """A URL that downloads the document during five minutes. Raises: NotFoundError, ForbiddenError."""
    document = get_document(repositories, collections, documents, caller, repository_id, document_id)
    return objects.link(document.key, quote(document.document_name, safe=""), LINK_SECONDS)


def upload_form(objects: Objects, caller: Caller, name: str, upload_id: str) -> dict[str, Any]:
    """A form that puts a file of up to 50 MB into the caller's own folder of uploads within an hour.

    Raises: BadRequestError for a name that is none, UnsupportedTypeError for one of a kind that is not read.
    """
    plain = file_name_of(name)
    require_supported(plain)
    user = quote(caller.username, safe="")
    return objects.upload_form(f"{UPLOADS}/{user}/{upload_id}/{plain}", user, UPLOAD_BYTES, UPLOAD_SECONDS)


def file_name_of(name: str) -> str:
    """The last part of a path, without what no file name has. Raises: BadRequestError when nothing is left."""
    plain = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable()).strip()
    if plain in ("", ".", ".."):
        raise BadRequestError("Send the file's name as the body, for instance report.pdf.")
    if len(plain.encode()) > NAME_BYTES:
        raise BadRequestError(f"The file's name is over {NAME_BYTES} bytes long. Shorten it.")
    return plain


def list_jobs(
    repositories: RepositoryReader,
    jobs: JobPager,
    caller: Caller,
    repository_id: str,
    query: JobsQuery,
    moment: datetime,
) -> JobPage:
    """A page of jobs, the newest first: all of the repository for who manages it, else the caller's own.

    Raises: NotFoundError, ForbiddenError, BadRequestError.
    """
    repository = find_repository(repositories, caller, repository_id)
    owner = None if may_manage(caller, repository) else caller.username
    after = query.after()
    since = moment - timedelta(hours=query.time_limit)
    found, last = jobs.page(repository_id, owner, since, query.page_size, after)
    return JobPage(
        jobs=found, last_evaluated_key=last, has_next_page=last is not None, has_previous_page=after is not None
    )


def not_found(name: str) -> NotFoundError:
    """The refusal of a name that no document has."""
    return NotFoundError(f"There is no document named {name!r} in this collection.")
