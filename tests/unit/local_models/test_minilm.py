import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.models.minilm import BATCH_TOKENS, DIMENSION, MiniLm, batches


@pytest.fixture(scope="module")
def minilm() -> MiniLm:
    return MiniLm()


def test_vectors_have_length_one_and_mean_what_the_words_mean(minilm: MiniLm) -> None:
    vectors = minilm.embed(["How do I reset my password?", "I forgot my login.", "The whale is a mammal."])

    assert vectors.shape == (3, DIMENSION)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert vectors[0] @ vectors[1] > 0.5 > 0.2 > vectors[0] @ vectors[2]


def test_a_vector_does_not_depend_on_its_company(minilm: MiniLm) -> None:
    texts = ["short", "a text of some more words", "long " * 300]

    together = minilm.embed(texts)

    for text, vector in zip(texts, together, strict=True):
        assert float(minilm.embed([text])[0] @ vector) > 0.999


@given(st.lists(st.integers(2, 256).map(lambda n: [7] * n)))
def test_batches_hold_each_text_once_and_stay_within_the_budget(texts: list[list[int]]) -> None:
    found = list(batches(texts))

    assert sorted(row for batch in found for row in batch.rows) == list(range(len(texts)))
    assert all(batch.ids == [texts[row] for row in batch.rows] for batch in found)
    assert all(len(b.ids) == 1 or len(b.ids) * max(map(len, b.ids)) <= BATCH_TOKENS for b in found)
