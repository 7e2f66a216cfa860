from collections.abc import Iterator
from itertools import count

import pytest
from lisa.retrieval.pgvector import PgVectorStore
from lisa.retrieval.postgres import Credentials, Database

from tests.fixtures.control_plane import cloud as cloud
from tests.fixtures.postgres import Postgres
from tests.fixtures.postgres import postgres as postgres

NUMBERS = count(1)


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    database = Database(lambda: Credentials.model_validate_json(postgres.secret))
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> PgVectorStore:
    return PgVectorStore(database)


@pytest.fixture
def repository_id(store: PgVectorStore) -> Iterator[str]:
    """A repository of the test's own."""
    repository_id = f"test-{next(NUMBERS)}"
    store.create_repository(repository_id)
    yield repository_id
    store.drop_repository(repository_id)
