"""The vector store against a real PostgreSQL, compared with a reference in plain Python."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lisa.errors import ConflictError, InvalidError, NotFoundError, UnavailableError, UpstreamError
from lisa.retrieval.pgvector import PgVectorStore
from lisa.retrieval.postgres import Credentials, Database
from lisa.retrieval.schemas import EmbeddedChunk, Passage, SearchMode
from lisa.retrieval.sql import Names
from lisa.retrieval.store import IndexedDocument

from tests.fixtures.postgres import Postgres

# None of these is a stop word, and each is its own stem.
WORDS = ["wing", "lift", "drag", "flow", "heat", "mach", "shock", "plate", "boundari", "layer"]
COLLECTION = "minilm-l6-v2"


def chunk(text: str, vector: Sequence[float] = (1.0, 0.0, 0.0), ordinal: int = 0, **more: Any) -> EmbeddedChunk:
    return EmbeddedChunk(ordinal=ordinal, text=text, embedding=list(vector), **more)


def document(document_id: str = "d", version: str = "", **metadata: Any) -> IndexedDocument:
    return IndexedDocument(
        document_id=document_id,
        document_name=f"{document_id}.txt",
        source=f"s3://b/{document_id}",
        version=version,
        metadata=metadata,
    )


def put(
    store: PgVectorStore, repository: str, document_id: str, *texts: str, version: str = "", **metadata: Any
) -> int:
    chunks = [chunk(text, ordinal=n) for n, text in enumerate(texts)]
    return store.replace_document(repository, COLLECTION, document(document_id, version, **metadata), chunks)


def texts_of(store: PgVectorStore, repository: str, query: str, **more: Any) -> list[str]:
    found = store.search(repository, COLLECTION, query, None, 100, SearchMode.TEXT, **more)
    return [passage.text for passage in found]


def bm25(texts: Sequence[str], query: str) -> dict[str, float]:
    """The formula of the book, straight from the texts, whose words are their own lexemes."""
    bags = [Counter(text.split()) for text in texts]
    mean = sum(map(len, (t.split() for t in texts))) / len(texts)
    scores: dict[str, float] = {}
    for text, bag in zip(texts, bags, strict=True):
        for term in query.split():
            df = sum(term in other for other in bags)
            if term in bag:
                idf = math.log(1 + (len(texts) - df + 0.5) / (df + 0.5))
                saturation = bag[term] * 2.2 / (bag[term] + 1.2 * (0.25 + 0.75 * bag.total() / mean))
                scores[text] = scores.get(text, 0.0) + idf * saturation
    return scores


def assert_consistent(database: Database, repository: str, indexed: dict[str, list[str]]) -> None:
    """Every count that the text leg relies on is what a recount of the live chunks gives."""
    names = Names.of(repository, COLLECTION)
    texts = [text for texts in indexed.values() for text in texts]
    df = Counter(term for text in texts for term in set(text.split()))

    def work(connection: Any) -> None:
        registered = connection.run(names.fill("select chunk_count, total_length from {registry}"))
        assert registered in ([], [[len(texts), sum(len(text.split()) for text in texts)]])
        if registered:
            assert dict(connection.run(names.fill("select term, df from {terms}"))) == df
            postings = connection.run(names.fill("select count(*), count(distinct chunk_id) from {postings}"))
            assert postings == [[df.total(), len([t for t in texts if t])]]
            assert connection.run(names.fill("select count(*) from {chunks}")) == [[len(texts)]]
            live = names.fill("select document_id, chunk_count from {documents} where deleted_at is null")
            assert dict(connection.run(live)) == {name: len(texts) for name, texts in indexed.items()}

    database.transaction(work)


@pytest.fixture
def other_store(postgres: Postgres) -> PgVectorStore:
    return PgVectorStore(Database(lambda: Credentials.model_validate_json(postgres.secret)))


TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.none() | TEXTS, st.integers(0, 40)), max_size=10)
REAL = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@REAL
@given(steps=STEPS)
def test_any_sequence_of_replaces_and_deletes_keeps_every_count_exact(
    store: PgVectorStore, database: Database, repository_id: str, steps: list[tuple[str, list[str] | None, int]]
) -> None:
    store.drop_collection(repository_id, COLLECTION)
    indexed: dict[str, list[str]] = {}
    newest: dict[str, int] = {}
    for name, texts, version in steps:
        accepted = version >= newest.get(name, 0)
        if texts is None:
            store.delete_document(repository_id, COLLECTION, name, f"{version:x}")
            if indexed and accepted:
                indexed.pop(name, None)
        else:
            put(store, repository_id, name, *texts, version=f"{version:x}")
            if accepted and (indexed or newest or texts):
                indexed[name] = texts
        if accepted and (indexed or newest):  # before the first chunk there are no tables to remember a version
            newest[name] = version
    assert_consistent(database, repository_id, indexed)


@REAL
@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join), min_size=1, unique=True),
    query=st.lists(st.sampled_from([*WORDS, "absent"]), min_size=1, max_size=6).map(" ".join),
)
def test_text_scores_are_exact_bm25(store: PgVectorStore, repository_id: str, texts: list[str], query: str) -> None:
    store.drop_collection(repository_id, COLLECTION)
    put(store, repository_id, "d", *texts)

    found = store.search(repository_id, COLLECTION, query, None, 100, SearchMode.TEXT)

    expected = bm25(texts, query)
    assert {passage.text: passage.text_score for passage in found} == pytest.approx(expected)
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_the_nearest_vectors_come_first_with_their_cosine(store: PgVectorStore, repository_id: str) -> None:
    dice = random.Random(1)
    vectors = [[dice.gauss(0, 1) for _ in range(16)] for _ in range(600)]
    query = [dice.gauss(0, 1) for _ in range(16)]
    store.replace_document(repository_id, COLLECTION, document(), [chunk(str(n), v, n) for n, v in enumerate(vectors)])

    found = store.search(repository_id, COLLECTION, "", query, 10, SearchMode.VECTOR)

    def cosine(v: list[float]) -> float:
        return sum(a * b for a, b in zip(v, query, strict=True)) / math.hypot(*v) / math.hypot(*query)

    best = sorted(range(600), key=lambda n: -cosine(vectors[n]))[:10]
    assert [int(p.text) for p in found] == best
    assert [p.score for p in found] == pytest.approx([cosine(vectors[n]) for n in best], abs=1e-5)
    assert all(p.vector_score == p.score and p.text_score is None for p in found)


def test_a_hybrid_search_finds_what_either_leg_finds(store: PgVectorStore, repository_id: str) -> None:
    chunks = [chunk("wing lift", (1, 0, 0), 0), chunk("drag", (0, 1, 0), 1), chunk("drag heat", (0, 0, 1), 2)]
    store.replace_document(repository_id, COLLECTION, document(), chunks)

    found = store.search(repository_id, COLLECTION, "heat", (1, 0.1, 0), 3)

    assert {p.text: (p.vector_score is not None, p.text_score is not None) for p in found} == {
        "wing lift": (True, False),
        "drag": (True, False),
        "drag heat": (True, True),
    }


def test_a_passage_keeps_its_place_and_its_document(store: PgVectorStore, repository_id: str) -> None:
    text = "Tab\there, back\\slash, new\nline, \\N, ümläut \U0001f600 and nul\x00."
    place: dict[str, Any] = {"page": 7, "headings": ["Leave", 'He said "no"'], "start": 10, "end": 60}
    store.replace_document(
        repository_id, COLLECTION, document(year=2020, tags=["hr"]), [chunk(text, ordinal=3, **place)]
    )

    [found] = store.search(repository_id, COLLECTION, "slash", None, 1, SearchMode.TEXT)

    assert found == Passage(
        ordinal=3, text=text.replace("\x00", ""), document_id="d", document_name="d.txt", source="s3://b/d",
        metadata={"year": 2020, "tags": ["hr"]}, score=found.score, text_score=found.score, **place,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"year": 2020}, {"a", "b"}),
        ({"year": "2020"}, set()),
        ({"year": [2019, 2021]}, {"c"}),
        ({"tags": "hr"}, {"a", "c"}),
        ({"tags": "hr", "year": 2020}, {"a"}),
        ({"document_id": ["a", "c"]}, {"a", "c"}),
        ({"name": "b.txt"}, {"b"}),
        ({"source": "s3://b/c"}, {"c"}),
        ({"nothing": None}, set()),
        ({"note": 'it\'s "quoted" {a,b} \\ %s :x'}, {"b"}),
        ({"x' or true --": "1"}, set()),
        ({"year": []}, set()),
    ],
)
@pytest.mark.parametrize("mode", list(SearchMode))
def test_filters_act_inside_both_legs(
    store: PgVectorStore, repository_id: str, mode: SearchMode, filters: dict[str, Any], expected: set[str]
) -> None:
    put(store, repository_id, "a", "wing", year=2020, tags=["hr", "x"])
    put(store, repository_id, "b", "wing", year=2020, tags=[], note='it\'s "quoted" {a,b} \\ %s :x')
    put(store, repository_id, "c", "wing", year=2021, tags="hr")

    found = store.search(repository_id, COLLECTION, "wing", (1, 0, 0), 10, mode, filters)

    assert {passage.document_id for passage in found} == expected


def test_a_filter_on_many_chunks_still_fills_the_page(
    store: PgVectorStore, repository_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lisa.retrieval.searching.EXACT_LIMIT", 0)
    dice = random.Random(2)
    for n in range(40):
        vectors = [[dice.gauss(0, 1) for _ in range(8)] for _ in range(30)]
        chunks = [chunk("wing", v, i) for i, v in enumerate(vectors)]
        store.replace_document(repository_id, COLLECTION, document(f"d{n}", part=n), chunks)

    found = store.search(repository_id, COLLECTION, "", [1.0] * 8, 50, SearchMode.VECTOR, {"part": [3, 4]})

    assert len(found) == 50
    assert {p.document_id for p in found} == {"d3", "d4"}


def test_an_overwrite_replaces_the_old_text_at_once(store: PgVectorStore, repository_id: str) -> None:
    put(store, repository_id, "d", "wing old", "lift old", version="1")

    assert put(store, repository_id, "d", "drag new", version="2") == 1
    assert texts_of(store, repository_id, "old new") == ["drag new"]


def test_a_stale_version_never_wins(store: PgVectorStore, repository_id: str) -> None:
    put(store, repository_id, "d", "wing", "lift", version="00A1")

    assert put(store, repository_id, "d", "drag", version="9F") == 2
    assert not store.delete_document(repository_id, COLLECTION, "d", "9F")
    assert texts_of(store, repository_id, "wing drag") == ["wing"]


def test_a_create_that_comes_after_the_delete_is_refused(store: PgVectorStore, repository_id: str) -> None:
    put(store, repository_id, "other", "heat")
    put(store, repository_id, "d", "wing", version="1")

    assert store.delete_document(repository_id, COLLECTION, "d", "3")
    assert put(store, repository_id, "d", "wing", version="2") == 0
    assert texts_of(store, repository_id, "wing") == []
    assert put(store, repository_id, "d", "wing", version="4") == 1


def test_a_delete_without_a_version_removes_in_any_case(store: PgVectorStore, repository_id: str) -> None:
    put(store, repository_id, "d", "wing", version="ff")

    assert store.delete_document(repository_id, COLLECTION, "d")
    assert not store.delete_document(repository_id, COLLECTION, "d")
    assert put(store, repository_id, "d", "wing", version="1") == 1


def test_a_document_without_chunks_is_indexed_as_such(store: PgVectorStore, repository_id: str) -> None:
    assert put(store, repository_id, "d", version="1") == 0
    put(store, repository_id, "d", "wing", version="2")
    assert put(store, repository_id, "d", version="3") == 0
    assert texts_of(store, repository_id, "wing") == []


def test_another_dimension_is_a_conflict_that_says_what_to_do(store: PgVectorStore, repository_id: str) -> None:
    put(store, repository_id, "d", "wing")

    with pytest.raises(ConflictError, match=r"3 numbers, and these have 2.*new collection"):
        store.replace_document(repository_id, COLLECTION, document(), [chunk("lift", (1, 0))])
    with pytest.raises(ConflictError, match="3 numbers, and the question's has 2"):
        store.search(repository_id, COLLECTION, "wing", (1, 0), 3)
    assert texts_of(store, repository_id, "wing") == ["wing"]


def test_vectors_of_different_length_or_none_are_refused_before_anything_is_written(
    store: PgVectorStore, repository_id: str
) -> None:
    with pytest.raises(InvalidError, match="same dimension"):
        store.replace_document(repository_id, COLLECTION, document(), [chunk("a"), chunk("b", (1, 0), 1)])
    for broken in ((0, 0, 0), (math.nan, 0, 0), (math.inf, 0, 0)):
        with pytest.raises(UpstreamError, match="without direction"):
            store.replace_document(repository_id, COLLECTION, document(), [chunk("a", broken)])
    with pytest.raises(InvalidError, match="4001 numbers"):
        store.replace_document(repository_id, COLLECTION, document(), [chunk("a", [1.0] * 4001)])


def test_vectors_beyond_two_thousand_numbers_are_indexed_in_half_precision(
    store: PgVectorStore, repository_id: str
) -> None:
    vectors = [[1.0] * 3072, [1.0, -1.0] * 1536]
    store.replace_document(repository_id, COLLECTION, document(), [chunk(str(n), v, n) for n, v in enumerate(vectors)])

    found = store.search(repository_id, COLLECTION, "", vectors[1], 1, SearchMode.VECTOR)

    assert [(p.text, round(p.score, 3)) for p in found] == [("1", 1.0)]


def test_a_long_text_is_indexed_to_its_end(store: PgVectorStore, repository_id: str) -> None:
    text = "boundari layer " * 100_000 + "shock"

    put(store, repository_id, "d", text)

    assert texts_of(store, repository_id, "shock") == [text]


def test_collections_do_not_see_each_other(store: PgVectorStore, repository_id: str) -> None:
    strange = 'x"; drop schema public; -- ' + "é" * 300
    store.replace_document(repository_id, strange, document("s"), [chunk("wing")])
    put(store, repository_id, "d", "lift")

    assert [p.document_id for p in store.search(repository_id, strange, "wing lift", None, 9)] == ["s"]
    store.drop_collection(repository_id, strange)
    assert store.search(repository_id, strange, "wing", None, 9) == []
    assert texts_of(store, repository_id, "lift") == ["lift"]


def test_what_was_never_made_is_empty_to_search_and_to_drop(store: PgVectorStore, repository_id: str) -> None:
    for repository in (repository_id, "never-made"):
        assert store.search(repository, COLLECTION, "wing", (1, 0), 3) == []
        assert not store.delete_document(repository, COLLECTION, "d", "1")
        store.drop_collection(repository, COLLECTION)
    store.drop_repository("never-made")
    with pytest.raises(NotFoundError, match="has no index"):
        put(store, "never-made", "d", "wing")
    with pytest.raises(InvalidError):
        store.search('x"; drop table y', COLLECTION, "wing", None, 3)


def test_creating_twice_keeps_what_is_there(store: PgVectorStore, repository_id: str) -> None:
    put(store, repository_id, "d", "wing")

    store.create_repository(repository_id)

    assert texts_of(store, repository_id, "wing") == ["wing"]


def test_documents_indexed_at_the_same_time_are_all_there(
    database: Database, repository_id: str, postgres: Postgres
) -> None:
    dice = random.Random(3)
    work = {f"d{n}": [" ".join(dice.choices(WORDS, k=20)) for _ in range(5)] for n in range(24)}

    def ingest(name: str) -> None:
        database = Database(lambda: Credentials.model_validate_json(postgres.secret))
        try:
            put(PgVectorStore(database), repository_id, name, *work[name])
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ingest, [*work, *work]))

    assert_consistent(database, repository_id, work)


def test_versions_that_race_end_with_the_newest(
    store: PgVectorStore, database: Database, repository_id: str, postgres: Postgres
) -> None:
    def ingest(version: int) -> None:
        database = Database(lambda: Credentials.model_validate_json(postgres.secret))
        try:
            put(PgVectorStore(database), repository_id, "d", *["wing lift"] * version, version=f"{version:x}")
        finally:
            database.close()

    versions = [*range(1, 17), *range(1, 17)]
    random.Random(4).shuffle(versions)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ingest, versions))

    assert_consistent(database, repository_id, {"d": ["wing lift"] * 16})


def test_drops_beside_writers_end_clean(
    store: PgVectorStore, other_store: PgVectorStore, database: Database, repository_id: str
) -> None:
    with ThreadPoolExecutor(2) as pool:
        writes = [pool.submit(put, store, repository_id, f"d{n}", "wing lift") for n in range(20)]
        drops = [pool.submit(other_store.drop_collection, repository_id, COLLECTION) for _ in range(5)]
        for done in writes:
            assert done.result(60) == 1
        for dropped in drops:
            dropped.result(60)

    store.drop_collection(repository_id, COLLECTION)
    put(store, repository_id, "d", "wing")
    assert_consistent(database, repository_id, {"d": ["wing"]})


@pytest.mark.parametrize("statement", range(1, 16))
def test_a_connection_that_dies_at_any_step_leaves_nothing_behind_and_is_tried_again(
    store: PgVectorStore, database: Database, repository_id: str, postgres: Postgres, statement: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from pg8000.native import Connection

    put(store, repository_id, "d", "wing old", "lift old", version="1")
    run, calls = Connection.run, 0

    def dying(self: Connection, sql: str, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == statement:
            killer = postgres.connect()
            killer.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lisa'")
            killer.close()
        return run(self, sql, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "run", dying)
        assert put(store, repository_id, "d", "drag new", version="2") == 1

    assert calls > statement
    assert_consistent(database, repository_id, {"d": ["drag new"]})


def test_a_search_that_meets_a_broken_connection_reconnects(
    store: PgVectorStore, repository_id: str, postgres: Postgres
) -> None:
    put(store, repository_id, "d", "wing")
    killer = postgres.connect()
    killer.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lisa'")
    killer.close()

    assert texts_of(store, repository_id, "wing") == ["wing"]


def test_a_database_out_of_reach_is_unavailable() -> None:
    nowhere = Credentials(host="127.0.0.1", port=9, username="u", password="p")

    with pytest.raises(UnavailableError, match="out of reach"):
        PgVectorStore(Database(lambda: nowhere)).create_repository("demo")


def test_a_rotated_password_is_asked_for_again(postgres: Postgres) -> None:
    good = Credentials.model_validate_json(postgres.secret)
    known = [good.model_copy(update={"password": "old"}), good]

    database = Database(lambda: known[0], forget=lambda: known.reverse())

    assert database.transaction(lambda c: c.run("select 1")) == [[1]]
    database.close()


def test_a_statement_that_takes_too_long_is_unavailable(database: Database) -> None:
    with pytest.raises(UnavailableError, match="longer than 1 s"):
        database.transaction(lambda c: c.run("select pg_sleep(5)"), seconds=1)
    assert database.transaction(lambda c: c.run("select 1")) == [[1]]


def test_a_server_without_room_for_a_connection_is_unavailable(postgres: Postgres) -> None:
    good = Credentials.model_validate_json(postgres.secret)
    with_admin = postgres.connect()
    with_admin.run("create role crowded login password 'x' connection limit 0")
    crowded = good.model_copy(update={"username": "crowded", "password": "x"})
    try:
        with pytest.raises(UnavailableError, match="too busy"):
            Database(lambda: crowded).transaction(lambda c: c.run("select 1"))
    finally:
        with_admin.run("drop role crowded")
        with_admin.close()
