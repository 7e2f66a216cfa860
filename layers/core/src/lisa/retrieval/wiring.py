"""Builds the stores of search and ingestion from settings and a repository's own configuration."""

import json
from functools import cache

from pydantic import Field

from lisa import aws
from lisa.collections.store import DynamoCollectionStore
from lisa.errors import ConflictError, UnavailableError
from lisa.repositories.schemas import RdsConfig, Repository, RepositoryType
from lisa.repositories.store import DynamoRepositoryStore
from lisa.retrieval.pgvector import PgVectorStore
from lisa.retrieval.postgres import Credentials, Database
from lisa.retrieval.store import VectorStore
from lisa.settings import Settings


class DatabaseSettings(Settings):
    """DATABASE_SECRET is empty in a deployment without a database of its own."""

    database_secret: str = ""


class RetrievalSettings(Settings):
    repositories_table: str = Field(min_length=3)
    collections_table: str = Field(min_length=3)


def repositories() -> DynamoRepositoryStore:
    return DynamoRepositoryStore(aws.table(RetrievalSettings.load().repositories_table))


def collections() -> DynamoCollectionStore:
    return DynamoCollectionStore(aws.table(RetrievalSettings.load().collections_table))


def vector_store(repository: Repository) -> VectorStore:
    """The store that holds the repository's index: its own database, or the deployment's.

    Raises: ConflictError for a type that this version cannot search, UnavailableError when there is no database.
    """
    if repository.type is not RepositoryType.PGVECTOR:
        raise ConflictError(
            f"Repositories of type {repository.type} are not supported yet. Create one of type pgvector."
        )
    return PgVectorStore(_database(DatabaseSettings.load().database_secret, repository.rds_config))


@cache
def _database(secret_id: str, config: RdsConfig | None) -> Database:
    """One connection a process and database."""
    if config is not None:
        return Database(lambda: _own(config), forget=aws.secret.cache_clear)
    if not secret_id:
        raise UnavailableError(
            "This deployment has no database. Deploy it with one, or create the repository with an `rdsConfig`."
        )
    return Database(lambda: Credentials.model_validate_json(aws.secret(secret_id)), forget=aws.secret.cache_clear)


def _own(config: RdsConfig) -> Credentials:
    """The secret of an `rdsConfig` is RDS's JSON, or the bare password."""
    text = aws.secret(config.password_secret_id)
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    password = held["password"] if isinstance(held, dict) else text
    return Credentials(
        host=config.db_host, port=config.db_port, username=config.username, password=password, dbname=config.db_name
    )
