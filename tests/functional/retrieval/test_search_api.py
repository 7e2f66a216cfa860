"""The handler on tables that moto plays and a real PostgreSQL; only the embedding model is a stand-in."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import boto3
import pytest
from lisa import serve_client
from lisa.collections.schemas import Collection
from lisa.collections.store import DynamoCollectionStore
from lisa.repositories.schemas import Repository, RepositoryStatus, RepositoryType
from lisa.repositories.store import DynamoRepositoryStore
from lisa.retrieval import wiring
from lisa.retrieval.pgvector import PgVectorStore
from lisa.retrieval.schemas import EmbeddedChunk
from lisa.retrieval.store import IndexedDocument

from tests.fixtures.control_plane import ADMIN, BOB, Answer, Cloud, Person
from tests.fixtures.postgres import Postgres

MODULE = "functions.retrieval.api"
HR = Person("ada", ("hr",))
Search = Callable[..., Answer]


def embed(texts: Sequence[str], model_id: str) -> list[list[float]]:
    assert model_id == "minilm"
    return [[float("wing" in text), 1.0] for text in texts]


@pytest.fixture
def url(
    cloud: Cloud, postgres: Postgres, store: PgVectorStore, repository_id: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The search of a repository with one indexed document, and a collection for the group hr."""
    secret = boto3.client("secretsmanager").create_secret(Name="db", SecretString=postgres.secret)["ARN"]
    repositories = DynamoRepositoryStore(cloud.table("repositories", "repositoryId"))
    collections = DynamoCollectionStore(cloud.table("collections", "repositoryId", "collectionId"))
    cloud.configure(
        REPOSITORIES_TABLE="repositories",
        COLLECTIONS_TABLE="collections",
        DATABASE_SECRET=secret,
        SERVE_URL="http://serve.invalid",
        MANAGEMENT_KEY_SECRET="key",
    )
    wiring._database.cache_clear()
    monkeypatch.setattr(serve_client, "embed", embed)
    repositories.create(
        Repository(
            repository_id=repository_id,
            type=RepositoryType.PGVECTOR,
            embedding_model_id="minilm",
            status=RepositoryStatus.CREATE_COMPLETE,
        )
    )
    collections.create(Collection(collection_id="c-hr", repository_id=repository_id, name="HR", allowed_groups=["hr"]))
    document = IndexedDocument(
        document_id="d1", document_name="wings.pdf", source="s3://b/wings.pdf", version="1", metadata={"year": 2020}
    )
    texts = ["The wing has lift.", "The plate is hot."]
    chunks = [
        EmbeddedChunk(ordinal=n, text=text, page=n + 1, end=len(text), embedding=embed([text], "minilm")[0])
        for n, text in enumerate(texts)
    ]
    store.replace_document(repository_id, "minilm", document, chunks)
    return f"/repository/{repository_id}/similaritySearch"


def texts(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [doc["Document"]["page_content"] for doc in answer.body["docs"]]


def test_a_client_of_the_original_gets_its_passages(cloud: Cloud, url: str) -> None:
    answer = cloud.call(
        MODULE, "GET", f"{url}?query=wing+lift&topK=1&score=true&modelName=minilm&repositoryType=x", BOB
    )

    assert texts(answer) == ["The wing has lift."]
    metadata = answer.body["docs"][0]["Document"]["metadata"]
    assert metadata["source"] == "s3://b/wings.pdf"
    assert (metadata["part"], metadata["page"], metadata["year"]) == (1, 1, 2020)
    assert metadata["similarity_score"] > 0


def test_a_body_says_more(cloud: Cloud, url: str) -> None:
    def search(**body: Any) -> Answer:
        return cloud.call(MODULE, "POST", url, BOB, {"query": "hot wing", "topK": 5, **body})

    assert len(texts(search())) == 2
    assert texts(search(mode="text", query="hot"))[0] == "The plate is hot."
    assert texts(search(filters={"year": 2021})) == []
    assert len(texts(search(filters={"year": [2020, 2021], "name": "wings.pdf"}))) == 2
    assert len(texts(cloud.call(MODULE, "GET", f"{url}?query=wing&filter.year=2020&mode=vector", BOB))) == 2


def test_groups_are_enforced_at_the_collection(cloud: Cloud, url: str) -> None:
    asked = f"{url}?query=wing&collectionId=c-hr"

    assert cloud.call(MODULE, "GET", asked, BOB).status == 403
    assert texts(cloud.call(MODULE, "GET", asked, HR)) == []
    assert texts(cloud.call(MODULE, "GET", asked, ADMIN)) == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("query=wing&collectionId=nope", 404),
        ("query=wing&modelName=nope", 404),
        ("", 422),
        ("query=", 422),
        ("query=wing&topK=0", 422),
        ("query=wing&topK=101", 422),
        ("query=wing&mode=magic", 422),
        ("query=" + "x" * 10_001, 422),
    ],
)
def test_what_makes_no_sense_is_told(cloud: Cloud, url: str, query: str, status: int) -> None:
    answer = cloud.call(MODULE, "GET", f"{url}?{query}", BOB)

    assert answer.status == status
    assert answer.body["message"]


def test_an_unknown_repository_is_not_found(cloud: Cloud, url: str) -> None:
    assert cloud.call(MODULE, "GET", "/repository/nope/similaritySearch?query=x", BOB).status == 404


@pytest.mark.parametrize(
    "query", ['"; drop table x; --', "' or 1=1 --", "\\", "%", "🦋", "the of and", ":a & !b | (", "\t"]
)
@pytest.mark.parametrize("mode", ["hybrid", "text"])
def test_any_question_is_only_a_question(cloud: Cloud, url: str, query: str, mode: str) -> None:
    answer = cloud.call(MODULE, "POST", url, BOB, {"query": query, "mode": mode})

    assert answer.status == 200


def test_a_repository_with_a_database_of_its_own_is_searched_there(cloud: Cloud, url: str, postgres: Postgres) -> None:
    repository_id = url.split("/")[2]
    secret = boto3.client("secretsmanager").create_secret(
        Name="own", SecretString=json.dumps({"username": "ignored", "password": postgres.password})
    )
    DynamoRepositoryStore(boto3.resource("dynamodb").Table("repositories")).update(
        repository_id,
        {"rdsConfig": {"passwordSecretId": secret["ARN"], "dbHost": postgres.host, "dbPort": postgres.port}},
    )
    cloud.configure(DATABASE_SECRET="")

    assert texts(cloud.call(MODULE, "GET", f"{url}?query=wing&topK=1", BOB)) == ["The wing has lift."]


def test_a_deployment_without_a_database_says_so(cloud: Cloud, url: str) -> None:
    cloud.configure(DATABASE_SECRET="")

    answer = cloud.call(MODULE, "GET", f"{url}?query=wing", BOB)

    assert (answer.status, "no database" in answer.body["message"]) == (503, True)
