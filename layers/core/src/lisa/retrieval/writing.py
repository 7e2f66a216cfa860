"""Replacing and deleting one document in a collection's tables, inside of one transaction."""

from pg8000.native import Connection

from lisa.errors import ConflictError
from lisa.retrieval import sql
from lisa.retrieval.copying import Staged, json_text, storable
from lisa.retrieval.sql import Names, vector_type
from lisa.retrieval.store import IndexedDocument


def is_older(version: str, than: str) -> bool:
    """Whether an S3 sequencer comes before another one; they are hexadecimal numbers of unequal length."""
    width = max(len(version), len(than))
    return version.rjust(width, "0") < than.rjust(width, "0")


def create_collection(connection: Connection, names: Names, collection_id: str, dimension: int) -> None:
    """Makes the tables unless they are there."""
    connection.run(sql.SHARE, name=names.schema)
    connection.run(sql.HOLD, name=names.chunks)
    if connection.run(names.fill(sql.COLLECTION), collection_id=collection_id):
        return
    column = vector_type(dimension)
    operators = f"{column.partition('(')[0]}_cosine_ops"
    connection.run(names.fill(sql.CREATE_COLLECTION, vector_type=column, operators=operators))
    connection.run(names.fill(sql.REGISTER_COLLECTION), collection_id=collection_id, dimension=dimension)


def drop_collection(connection: Connection, names: Names, collection_id: str) -> None:
    connection.run(sql.SHARE, name=names.schema)
    connection.run(sql.HOLD, name=names.chunks)  # waits for the writers in flight
    connection.run(names.fill(sql.DROP_COLLECTION))
    connection.run(names.fill(sql.FORGET_COLLECTION), collection_id=collection_id)


def replace_document(
    connection: Connection, names: Names, collection_id: str, document: IndexedDocument, staged: Staged
) -> int | None:
    """How many chunks of the document are indexed afterwards; None when the collection has no tables yet.

    Raises: ConflictError when the collection has vectors of another dimension.
    """
    dimension = _enter(connection, names, collection_id, document.document_id)
    if dimension is None:
        return None
    if staged.dimension not in (0, dimension):
        raise ConflictError(
            f"Collection {collection_id!r} holds vectors of {dimension} numbers, and these have {staged.dimension}:"
            " the embedding model changed. Ingest with the model that it was made with, or into a new collection."
        )
    known = connection.run(names.fill(sql.DOCUMENT), document_id=document.document_id)
    version = document.version
    if known and not version:
        version = known[0][1]
    elif known and is_older(version, known[0][1]):
        return int(known[0][2])

    connection.run(sql.STAGE)
    connection.run(sql.COPY, stream=staged.rewound())
    connection.run(sql.INCOMING_TERMS)
    removed, removed_length = _remove_chunks(connection, names, known[0][0]) if known else (0, 0)
    # The number of chunks is known only now: COPY counted them.
    [[count]] = connection.run("select count(*) from lisa_incoming")
    [[key]] = connection.run(
        names.fill(sql.PUT_DOCUMENT),
        document_id=document.document_id,
        document_name=storable(document.document_name),
        source=storable(document.source),
        version=version,
        metadata=json_text(document.metadata),
        chunk_count=count,
    )
    [[added, added_length]] = connection.run(names.fill(sql.ADD_CHUNKS, vector_type=vector_type(dimension)), key=key)
    _count(connection, names, collection_id, added - removed, added_length - removed_length)
    return int(count)


def delete_document(connection: Connection, names: Names, collection_id: str, document_id: str, version: str) -> bool:
    """True when chunks were removed. With a version, a marker stays that refuses older ones."""
    if _enter(connection, names, collection_id, document_id) is None:
        return False
    known = connection.run(names.fill(sql.DOCUMENT), document_id=document_id)
    if known and version and is_older(version, known[0][1]):
        return False
    removed = 0
    if known:
        removed, length = _remove_chunks(connection, names, known[0][0])
        _count(connection, names, collection_id, -removed, -length)
    if version:
        connection.run(names.fill(sql.BURY_DOCUMENT), document_id=document_id, version=version)
        connection.run(names.fill(sql.FORGET_BURIED))
    else:
        connection.run(names.fill(sql.FORGET_DOCUMENT), document_id=document_id)
    return bool(removed)


def _enter(connection: Connection, names: Names, collection_id: str, document_id: str) -> int | None:
    """Locks out other writers of the document, and who would drop the tables. Returns the collection's dimension."""
    connection.run(sql.SHARE, name=names.schema)
    connection.run(sql.SHARE, name=names.chunks)
    connection.run(sql.HOLD, name=f"{names.documents}/{document_id}")
    found = connection.run(names.fill(sql.COLLECTION), collection_id=collection_id)
    return int(found[0][0]) if found else None


def _remove_chunks(connection: Connection, names: Names, key: int) -> tuple[int, int]:
    connection.run(sql.STAGE)
    [[chunks, length]] = connection.run(names.fill(sql.REMOVE_CHUNKS), key=key)
    return int(chunks), int(length)


def _count(connection: Connection, names: Names, collection_id: str, chunks: int, length: int) -> None:
    connection.run(names.fill(sql.COUNT), collection_id=collection_id, chunks=chunks, length=length)
    connection.run(names.fill(sql.COUNT_TERMS))
    connection.run(names.fill(sql.FORGET_TERMS))
