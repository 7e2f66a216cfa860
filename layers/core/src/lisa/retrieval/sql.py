"""The tables of a collection in PostgreSQL, and every statement on them.

A repository is a schema, and a collection four tables in it: `documents`, `chunks` (text and vector), `postings` (how
often a term is in a chunk) and `terms` (in how many chunks). Terms are the lexemes of PostgreSQL's own English
dictionary. A row in the schema's `collections` keeps the number of chunks and their summed length in terms.

BM25 is Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), eq. 3.15, with the idf
of Lucene's BM25Similarity, ln(1 + (N - df + 0.5) / (df + 0.5)), which is never negative.
"""

import hashlib
import re
from dataclasses import dataclass

from lisa.errors import InvalidError
from lisa.repositories.schemas import REPOSITORY_ID

K1, B = 1.2, 0.75
VECTOR_INDEX_LIMIT, HALFVEC_INDEX_LIMIT = 2_000, 4_000  # dimensions that pgvector's HNSW takes


@dataclass(frozen=True)
class Names:
    """The quoted names that statements are filled with. No id of a caller gets into them but through here."""

    schema: str
    registry: str
    documents: str
    chunks: str
    postings: str
    terms: str

    @classmethod
    def of(cls, repository_id: str, collection_id: str = "") -> "Names":
        """Raises: InvalidError for a repository id that no repository can have."""
        if not re.fullmatch(REPOSITORY_ID, repository_id):
            raise InvalidError("A repository id has 3 to 20 of a-z, 0-9, _ and -, and begins with a letter or digit.")
        schema = f'"lisa_{repository_id}"'
        key = hashlib.sha256(collection_id.encode("utf-8", "replace")).hexdigest()[:32]
        tables = {kind: f'{schema}."c_{key}_{kind}"' for kind in ("documents", "chunks", "postings", "terms")}
        return cls(schema=schema, registry=f"{schema}.collections", **tables)

    def fill(self, statement: str, **more: str) -> str:
        return statement.format(**vars(self), **more)


def vector_type(dimension: int) -> str:
    """The column type: half precision where pgvector could not index single precision.

    Raises: InvalidError above what it can index at all.
    """
    if dimension > HALFVEC_INDEX_LIMIT:
        raise InvalidError(
            f"Vectors of {dimension} numbers cannot be indexed; the limit is {HALFVEC_INDEX_LIMIT}."
            " Choose a smaller embedding model, or one with a `dimensions` setting."
        )
    return f"vector({dimension})" if dimension <= VECTOR_INDEX_LIMIT else f"halfvec({dimension})"


# Advisory locks: writers share those of their repository and collection, whoever makes or drops one holds it alone.
SHARE = "select pg_advisory_xact_lock_shared(hashtextextended(:name, 0))"
HOLD = "select pg_advisory_xact_lock(hashtextextended(:name, 0))"

CREATE_REPOSITORY = """
create extension if not exists vector;
create schema if not exists {schema};
create table if not exists {registry} (
  collection_id text collate "C" primary key,
  dimension int not null,
  chunk_count bigint not null default 0,
  total_length bigint not null default 0
)
"""
DROP_REPOSITORY = "drop schema if exists {schema} cascade"

CREATE_COLLECTION = """
create table {documents} (
  key bigint generated always as identity primary key,
  document_id text collate "C" not null unique,
  document_name text not null,
  source text not null,
  version text collate "C" not null,
  metadata jsonb not null,
  chunk_count int not null,
  deleted_at timestamptz
);
create index on {documents} (deleted_at) where deleted_at is not null;
create table {chunks} (
  id bigint generated always as identity primary key,
  document_key bigint not null,
  ordinal int not null,
  content text not null,
  page int,
  headings jsonb not null,
  span_start int not null,
  span_end int not null,
  length int not null,
  embedding {vector_type} not null,
  unique (document_key, ordinal)
);
create index on {chunks} using hnsw (embedding {operators});
create table {postings} (
  term text collate "C" not null,
  chunk_id bigint not null,
  tf int not null,
  length int not null
);
create index on {postings} (term) include (chunk_id, tf, length);
create index on {postings} (chunk_id);
create table {terms} (term text collate "C" primary key, df int not null)
"""
REGISTER_COLLECTION = """
insert into {registry} (collection_id, dimension) values (:collection_id, :dimension)
"""
DROP_COLLECTION = "drop table if exists {documents}, {chunks}, {postings}, {terms}"
FORGET_COLLECTION = "delete from {registry} where collection_id = :collection_id"
COLLECTION = "select dimension, chunk_count, total_length from {registry} where collection_id = :collection_id"

# Replace and delete

STAGE = """
create temp table if not exists lisa_incoming (
  ordinal int, content text, cuts int[], page int, headings jsonb, span_start int, span_end int, embedding vector
) on commit delete rows;
create temp table if not exists lisa_incoming_terms (ordinal int, term text collate "C", tf int) on commit delete rows;
create temp table if not exists lisa_df_changes (term text collate "C", change int) on commit delete rows
"""
COPY = "copy lisa_incoming from stdin"
# A tsvector holds 1 MB, positions up to 16383 and 256 of them for a lexeme, so a long text is read in pieces.
INCOMING_TERMS = """
insert into lisa_incoming_terms
select i.ordinal, l.lexeme, sum(cardinality(l.positions))
from lisa_incoming i
cross join lateral generate_series(1, cardinality(i.cuts) - 1) piece
cross join lateral unnest(to_tsvector('english',
  substring(i.content from i.cuts[piece] + 1 for i.cuts[piece + 1] - i.cuts[piece]))) l
group by 1, 2
"""
DOCUMENT = "select key, version, chunk_count from {documents} where document_id = :document_id"
PUT_DOCUMENT = """
insert into {documents} (document_id, document_name, source, version, metadata, chunk_count)
values (:document_id, :document_name, :source, :version, cast(:metadata as jsonb), :chunk_count)
on conflict (document_id) do update set document_name = excluded.document_name, source = excluded.source,
  version = excluded.version, metadata = excluded.metadata, chunk_count = excluded.chunk_count, deleted_at = null
returning key
"""
REMOVE_CHUNKS = """
with gone as (delete from {chunks} where document_key = :key returning id, length),
  postings as (delete from {postings} where chunk_id in (select id from gone) returning term),
  changes as (insert into lisa_df_changes select term, -count(*) from postings group by term)
select count(*), coalesce(sum(length), 0) from gone
"""
ADD_CHUNKS = """
with added as (
  insert into {chunks}
    (document_key, ordinal, content, page, headings, span_start, span_end, length, embedding)
  select cast(:key as bigint), ordinal, content, page, headings, span_start, span_end, coalesce(t.length, 0),
    cast(embedding as {vector_type})
  from lisa_incoming left join (
    select ordinal, sum(tf) as length from lisa_incoming_terms group by ordinal) t using (ordinal)
  order by ordinal
  returning id, ordinal, length),
  postings as (
  insert into {postings}
  select t.term, a.id, t.tf, a.length from added a join lisa_incoming_terms t using (ordinal)),
  changes as (insert into lisa_df_changes select term, count(*) from lisa_incoming_terms group by term)
select count(*), coalesce(sum(length), 0) from added
"""
# This row lock is held to the commit: from here the writers of a collection follow one another.
COUNT = """
update {registry} set chunk_count = chunk_count + :chunks, total_length = total_length + :length
where collection_id = :collection_id
"""
COUNT_TERMS = """
insert into {terms} as known (term, df)
select term, sum(change) from lisa_df_changes group by term having sum(change) <> 0
on conflict (term) do update set df = known.df + excluded.df
"""
FORGET_TERMS = "delete from {terms} where df = 0 and term in (select term from lisa_df_changes)"
BURY_DOCUMENT = """
insert into {documents} (document_id, document_name, source, version, metadata, chunk_count, deleted_at)
values (:document_id, '', '', :version, '{{}}', 0, now())
on conflict (document_id) do update
  set version = excluded.version, metadata = '{{}}', chunk_count = 0, deleted_at = now()
"""
FORGET_DOCUMENT = "delete from {documents} where document_id = :document_id"
FORGET_BURIED = "delete from {documents} where deleted_at < now() - interval '7 days'"  # S3 delivers no event that late

# Search

BEGIN_SEARCH = """
begin isolation level repeatable read read only;
set local hnsw.ef_search = {depth};
set local hnsw.iterative_scan = strict_order;
set local hnsw.max_scan_tuples = 200000
"""
MATCHING_DOCUMENTS = """
select coalesce(array_agg(key), '{{}}'), coalesce(sum(chunk_count), 0)
from {documents} where chunk_count > 0 and {condition}
"""
HAS_METADATA = "(metadata -> cast(:key{n} as text)) @> any(cast(:value{n} as jsonb[]))"
HAS_COLUMN = "{column} = any(cast(:value{n} as text[]))"
OF_THEM = "document_key = any(cast(:keys as bigint[]))"

NEAREST = """
select id, 1 - (embedding <=> cast(:vector as {vector_type})) from {chunks} where {condition}
order by embedding <=> cast(:vector as {vector_type}) limit :depth
"""
# For few candidates the order of all of them is exact and quicker than walking the graph past everything else.
NEAREST_OF_FEW = """
with candidates as materialized (select id, embedding from {chunks} where {condition})
select id, 1 - (embedding <=> cast(:vector as {vector_type})) as score from candidates
order by score desc limit :depth
"""
QUERY_TERMS = """
select term, cardinality(positions) * ln(1 + (:chunk_count - df + 0.5) / (df + 0.5))
from unnest(to_tsvector('english', :query)) join {terms} on term = lexeme collate "C"
"""
# `offset 0` keeps the lookup of each term in the index, whatever the planner believes about the table.
BEST_TEXT = """
select chunk_id, sum(weight * tf * ({k1} + 1) / (tf + {k1} * (1 - {b} + {b} * length / :mean_length))) as score
from unnest(cast(:terms as text[]), cast(:weights as float8[])) as query (wanted, weight)
cross join lateral (
  select chunk_id, tf, length from {postings} where term = wanted collate "C" offset 0) posting
where {condition}
group by chunk_id order by score desc, chunk_id limit :depth
"""
IN_THEM = "exists (select from {chunks} where id = chunk_id and document_key = any(cast(:keys as bigint[])))"
PASSAGES = """
select c.id, c.ordinal, c.content, c.page, c.headings, c.span_start, c.span_end,
  d.document_id, d.document_name, d.source, d.metadata
from {chunks} c join {documents} d on d.key = c.document_key where c.id = any(cast(:ids as bigint[]))
"""
