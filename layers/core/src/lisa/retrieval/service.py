"""Searching a collection for a caller."""

from collections.abc import Callable, Sequence

from lisa.auth.schemas import Caller
from lisa.collections.access import find_collection, require_ready
from lisa.collections.schemas import Collection
from lisa.collections.store import CollectionReader
from lisa.errors import BadRequestError
from lisa.repositories.schemas import Repository
from lisa.repositories.store import RepositoryReader
from lisa.retrieval.schemas import Found, SearchAnswer, SearchMode, SearchRequest
from lisa.retrieval.store import VectorStore

Embed = Callable[[Sequence[str], str], list[list[float]]]


def similarity_search(
    repositories: RepositoryReader,
    collections: CollectionReader,
    open_store: Callable[[Repository], VectorStore],
    embed: Embed,
    caller: Caller,
    repository_id: str,
    request: SearchRequest,
) -> SearchAnswer:
    """The best passages of one collection that the caller may use.

    Without a `collection_id` it is the default collection, whose id is that of the embedding model: so `model_name` may
    name it too, as clients of the original do.
    Raises: as `find_collection`; ConflictError when the repository is not ready; BadRequestError when vectors are asked
    for and there is no embedding model; UpstreamError or UnavailableError when that model or the database fails.
    """
    wanted = request.collection_id or request.model_name
    repository, collection = find_collection(repositories, collections, caller, repository_id, wanted)
    require_ready(repository)
    vector = None
    if request.mode is not SearchMode.TEXT:
        [vector] = embed([request.query], _embedding_model(repository, collection))
    passages = open_store(repository).search(
        repository_id,
        collection.collection_id,
        request.query,
        vector,
        request.top_k,
        request.mode,
        request.filters,
    )
    return SearchAnswer(
        docs=[Found.of(p, repository_id, collection.collection_id, scored=request.score) for p in passages]
    )


def _embedding_model(repository: Repository, collection: Collection) -> str:
    model_id = collection.embedding_model or repository.embedding_model_id
    if not model_id:
        raise BadRequestError(
            f"Collection {collection.collection_id!r} has no embedding model. Search it with `mode` = text."
        )
    return model_id
