"""What clients may write, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lisa.documents.changes import flat
from lisa.documents.requests import BulkQuery, BulkRequest, JobsQuery, ListQuery
from lisa.documents.service import file_name_of
from lisa.errors import BadRequestError
from lisa.repositories.schemas import Metadata


@given(st.text(max_size=300))
def test_file_name_is_one_part_of_a_path_or_refused(text: str) -> None:
    try:
        name = file_name_of(text)
    except BadRequestError:
        return
    assert "/" not in name
    assert "\\" not in name
    assert name.isprintable()
    assert name not in ("", ".", "..")
    assert len(name.encode()) <= 255


def test_deprecated_chunking_counts_only_with_a_collection_in_the_query() -> None:
    assert BulkQuery(chunk_size=512, chunk_overlap=51).chunking() is None
    found = BulkQuery(collection_id="c", chunk_size=400, chunk_overlap=40).chunking()
    assert found is not None
    assert (found.size, found.overlap) == (400, 40)
    with pytest.raises(BadRequestError):
        BulkQuery(collection_id="c", chunk_size=5).chunking()


def test_null_is_as_absent() -> None:
    body = {"keys": ["k"], "collectionId": None, "metadata": None, "chunkingStrategy": None, "embeddingModel": None}
    assert BulkRequest.model_validate(body) == BulkRequest(keys=["k"])


def test_metadata_is_flattened_for_filters() -> None:
    assert flat(Metadata(tags=["b", "a", "b"], custom_fields={"year": 2020})) == {"year": 2020, "tags": ["a", "b"]}
    assert flat(Metadata()) == {}


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (-5, 1), (10, 10), (1000, 100)])
def test_page_size_is_bounded(asked: int, given: int) -> None:
    assert ListQuery(page_size=asked).page_size == JobsQuery(page_size=asked).page_size == given


def test_place_to_continue_names_collection_and_document() -> None:
    query = ListQuery(last_evaluated_key_pk="docs#minilm", last_evaluated_key_document_id="d")
    assert query.after("docs") == ("minilm", "d")
    assert ListQuery(collection_id="c", last_evaluated_key_document_id="d").after("docs") == ("c", "d")
    assert ListQuery().after("docs") is None
