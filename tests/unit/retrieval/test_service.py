from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from lisa.auth.schemas import Caller
from lisa.collections.schemas import Collection
from lisa.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from lisa.repositories.schemas import Repository, RepositoryStatus, RepositoryType
from lisa.retrieval.schemas import EmbeddedChunk, Passage, SearchAnswer, SearchMode, SearchRequest
from lisa.retrieval.service import similarity_search
from lisa.retrieval.store import IndexedDocument

ADA = Caller(username="ada", groups=frozenset({"hr"}))
BOB = Caller(username="bob")


def repository(**more: Any) -> Repository:
    return Repository(
        **{
            "repository_id": "demo",
            "type": RepositoryType.PGVECTOR,
            "status": RepositoryStatus.CREATE_COMPLETE,
            "embedding_model_id": "minilm",
            **more,
        }
    )


class World:
    """Stores, index and embedding model in memory; `seen` is what was searched and embedded."""

    def __init__(self, repository: Repository, *collections: Collection) -> None:
        self.repository = repository
        self.rows = {(c.repository_id, c.collection_id): c for c in collections}
        self.seen: list[Any] = []

    def ask(self, caller: Caller, repository_id: str = "demo", **request: Any) -> SearchAnswer:
        return similarity_search(
            Repositories(self.repository),
            Collections(self.rows),
            lambda _: Index(self.seen),
            self.embed,
            caller,
            repository_id,
            SearchRequest(query="wing", **request),
        )

    def embed(self, texts: Sequence[str], model_id: str) -> list[list[float]]:
        self.seen.append((list(texts), model_id))
        return [[1.0, 0.0]]


class Repositories:
    def __init__(self, row: Repository) -> None:
        self.row = row

    def get(self, repository_id: str) -> Repository | None:
        return self.row if repository_id == self.row.repository_id else None


class Collections:
    def __init__(self, rows: dict[tuple[str, str], Collection]) -> None:
        self.rows = rows

    def get(self, repository_id: str, collection_id: str) -> Collection | None:
        return self.rows.get((repository_id, collection_id))


class Index:
    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def search(
        self,
        repository_id: str,
        collection_id: str,
        query_text: str,
        query_vector: Sequence[float] | None,
        top_k: int,
        mode: SearchMode = SearchMode.HYBRID,
        filters: Mapping[str, Any] | None = None,
    ) -> list[Passage]:
        self.seen.append((repository_id, collection_id, query_text, query_vector, top_k, mode, filters))
        return [
            Passage(
                ordinal=2, text="lift", page=4, headings=["A"], start=5, end=9, document_id="d1", document_name="a.pdf",
                source="s3://b/a.pdf", metadata={"year": 2020, "name": "a trick"}, score=0.5, vector_score=0.4,
            )
        ]  # fmt: skip

    def create_repository(self, repository_id: str) -> None: ...

    def drop_repository(self, repository_id: str) -> None: ...

    def drop_collection(self, repository_id: str, collection_id: str) -> None: ...

    def replace_document(
        self, repository_id: str, collection_id: str, document: IndexedDocument, chunks: Iterable[EmbeddedChunk]
    ) -> int:
        raise AssertionError("a search writes nothing")

    def delete_document(self, repository_id: str, collection_id: str, document_id: str, version: str = "") -> bool:
        raise AssertionError("a search writes nothing")


def test_a_question_without_a_collection_searches_the_default_one() -> None:
    world = World(repository())

    world.ask(BOB, top_k=7, filters={"year": 2020})

    assert world.seen == [
        (["wing"], "minilm"),
        ("demo", "minilm", "wing", [1.0, 0.0], 7, SearchMode.HYBRID, {"year": 2020}),
    ]


def test_the_model_name_of_the_originals_clients_means_the_default_collection_too() -> None:
    world = World(repository())

    world.ask(BOB, model_name="minilm")

    assert world.seen[1][1] == "minilm"


def test_a_collection_is_searched_with_its_own_model() -> None:
    world = World(repository(), Collection(collection_id="c1", repository_id="demo", name="C", embedding_model="bge"))

    world.ask(BOB, collection_id="c1", model_name="minilm")

    assert world.seen[0] == (["wing"], "bge")
    assert world.seen[1][1] == "c1"


def test_a_text_search_embeds_nothing() -> None:
    world = World(repository())

    world.ask(BOB, mode=SearchMode.TEXT)

    assert world.seen == [("demo", "minilm", "wing", None, 3, SearchMode.TEXT, {})]


def test_the_answer_has_the_shape_of_the_original_and_its_own_fields_win() -> None:
    answer = World(repository()).ask(BOB).model_dump(by_alias=True)

    assert answer == {
        "docs": [
            {
                "Document": {
                    "page_content": "lift",
                    "metadata": {
                        "year": 2020, "name": "a.pdf", "source": "s3://b/a.pdf", "document_id": "d1",
                        "repositoryId": "demo", "collectionId": "minilm", "part": 3, "page": 4, "headings": ["A"],
                        "start": 5, "end": 9,
                    },
                }
            }
        ]
    }  # fmt: skip


def test_scores_come_when_asked_for() -> None:
    [found] = World(repository()).ask(BOB, score=True).docs

    assert found.document.metadata["similarity_score"] == 0.5
    assert found.document.metadata["vector_score"] == 0.4
    assert found.document.metadata["text_score"] is None


def test_a_repository_of_another_group_is_forbidden_and_an_unknown_one_not_found() -> None:
    world = World(repository(allowed_groups=["hr"]))

    assert world.ask(ADA).docs
    with pytest.raises(ForbiddenError):
        world.ask(BOB)
    with pytest.raises(NotFoundError):
        world.ask(ADA, "other")


def test_a_collection_of_another_group_is_forbidden_before_anything_is_asked_of_a_model() -> None:
    world = World(repository(), Collection(collection_id="c1", repository_id="demo", name="C", allowed_groups=["hr"]))

    with pytest.raises(ForbiddenError):
        world.ask(BOB, collection_id="c1")
    assert world.seen == []
    assert world.ask(ADA, collection_id="c1").docs


def test_a_repository_in_the_making_is_a_conflict() -> None:
    with pytest.raises(ConflictError):
        World(repository(status=RepositoryStatus.CREATE_IN_PROGRESS)).ask(ADA)


def test_without_an_embedding_model_only_the_text_is_searched() -> None:
    world = World(repository(embedding_model_id=None), Collection(collection_id="c1", repository_id="demo", name="C"))

    with pytest.raises(BadRequestError, match="`mode` = text"):
        world.ask(BOB, collection_id="c1")
    assert world.ask(BOB, collection_id="c1", mode=SearchMode.TEXT).docs


def test_a_url_says_the_same_as_a_body() -> None:
    request = SearchRequest.of_query(
        {
            "query": ["wing"], "topK": ["7"], "score": ["true"], "collectionId": ["c1"], "repositoryType": ["pgvector"],
            "mode": ["text"], "filter.year": ["2020", "2021"], "filter.note": ["[1]"], "filter.ok": ["true"],
        }
    )  # fmt: skip

    assert request == SearchRequest(
        query="wing", top_k=7, score=True, collection_id="c1", mode=SearchMode.TEXT,
        filters={"year": ["2020", 2020, "2021", 2021], "note": ["[1]"], "ok": ["true", True]},
    )  # fmt: skip
