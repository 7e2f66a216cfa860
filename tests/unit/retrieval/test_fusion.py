import pytest
from hypothesis import given
from hypothesis import strategies as st
from lisa.retrieval.fusion import best_first, fuse

COSINES = st.dictionaries(st.integers(1, 9), st.floats(-1, 1))
BM25 = st.dictionaries(st.integers(1, 9), st.floats(0.01, 40))


def test_the_score_is_the_mean_of_both_legs() -> None:
    fused = fuse({1: 0.9, 2: 0.8, 3: 0.7}, {2: 8.0, 4: 6.0})

    assert fused == pytest.approx({2: 0.75, 1: 0.5, 4: 0.375, 3: 0.0})
    assert list(fused) == [2, 1, 4, 3]


def test_a_leg_that_found_nothing_does_not_count() -> None:
    assert fuse({1: 0.9, 2: 0.5}, {}) == {1: 1.0, 2: 0.0}
    assert fuse({}, {1: 9.0, 2: 4.5}) == {1: 1.0, 2: 0.5}


def test_cosines_that_are_all_equal_count_fully() -> None:
    assert fuse({1: 0.3, 2: 0.3}, {}) == {1: 1.0, 2: 1.0}


@given(vector=COSINES, text=BM25)
def test_fusion_loses_nothing_stays_in_bounds_and_orders_by_score_then_id(
    vector: dict[int, float], text: dict[int, float]
) -> None:
    fused = fuse(vector, text)

    assert set(fused) == set(vector) | set(text)
    assert all(0 <= score <= 1 + 1e-9 for score in fused.values())
    assert list(fused.items()) == list(best_first(fused).items())
