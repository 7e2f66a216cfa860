"""Who finds which collection."""

import pytest
from lisa.auth.schemas import Caller
from lisa.collections.access import default_collection, find_collection
from lisa.collections.schemas import Collection
from lisa.errors import BadRequestError, ForbiddenError, NotFoundError
from lisa.repositories.access import may_manage, require_ready
from lisa.repositories.schemas import Repository, RepositoryStatus, RepositoryType

ADMIN = Caller(username="root", is_admin=True, is_rag_admin=True)
PHYSICIST = Caller(username="cleo", groups=frozenset({"physics"}))
LIBRARIAN = Caller(username="lib", groups=frozenset({"physics", "rag-admin"}), is_rag_admin=True)
STRANGER = Caller(username="str", groups=frozenset({"rag-admin"}), is_rag_admin=True)
REPOSITORY = Repository(
    repository_id="docs",
    type=RepositoryType.PGVECTOR,
    embedding_model_id="titan:0",
    allowed_groups=["physics"],
    created_at="2026-11-23T00:00:00+00:00",
)
OPEN = Collection(collection_id="open", repository_id="docs", name="Open", allowed_groups=[])
CLOSED = Collection(collection_id="closed", repository_id="docs", name="Closed", allowed_groups=["board"])


class Repositories:
    def __init__(self, *rows: Repository) -> None:
        self.rows = {row.repository_id: row for row in rows}

    def get(self, repository_id: str) -> Repository | None:
        return self.rows.get(repository_id)


class Collections:
    def get(self, repository_id: str, collection_id: str) -> Collection | None:
        return {"open": OPEN, "closed": CLOSED}.get(collection_id)


def find(caller: Caller, collection_id: str | None, repository: Repository = REPOSITORY) -> Collection:
    return find_collection(Repositories(repository), Collections(), caller, repository.repository_id, collection_id)[1]


def test_no_groups_means_those_of_the_repository() -> None:
    assert find(PHYSICIST, "open") is OPEN
    with pytest.raises(ForbiddenError):
        find(STRANGER, "open")


def test_groups_of_the_collection_come_on_top() -> None:
    with pytest.raises(ForbiddenError):
        find(PHYSICIST, "closed")
    with pytest.raises(ForbiddenError):
        find(Caller(username="b", groups=frozenset({"board"})), "closed")
    assert find(Caller(username="b", groups=frozenset({"board", "physics"})), "closed") is CLOSED
    assert find(ADMIN, "closed") is CLOSED


@pytest.mark.parametrize("collection_id", [None, "", "titan:0"])
def test_default_collection_answers_to_its_models_id_and_to_none(collection_id: str | None) -> None:
    found = find(PHYSICIST, collection_id)
    assert found == default_collection(REPOSITORY)
    assert (found.collection_id, found.default, found.created_at) == ("titan:0", True, REPOSITORY.created_at)


def test_repository_without_a_model_has_no_default_collection() -> None:
    bare = REPOSITORY.model_copy(update={"embedding_model_id": None})
    assert default_collection(bare) is None
    with pytest.raises(BadRequestError):
        find(PHYSICIST, None, bare)
    with pytest.raises(NotFoundError):
        find(PHYSICIST, "titan:0", bare)


def test_unknown_repository_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        find_collection(Repositories(), Collections(), ADMIN, "docs", "open")


def test_managers_are_admins_and_rag_admins_of_its_groups() -> None:
    assert [may_manage(c, REPOSITORY) for c in (ADMIN, LIBRARIAN, PHYSICIST, STRANGER)] == [True, True, False, False]


@pytest.mark.parametrize("status", list(RepositoryStatus))
def test_only_a_repository_that_is_made_is_ready(status: RepositoryStatus) -> None:
    repository = REPOSITORY.model_copy(update={"status": status})
    if status in ("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"):
        require_ready(repository)
    else:
        with pytest.raises(Exception, match=status):
            require_ready(repository)
