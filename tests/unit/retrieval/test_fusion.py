import pytest
from hypothesis import given
from hypothesis import strategies as st
from lisa.retrieval.fusion import best_first, min_max, reciprocal_rank

LEG = st.dictionaries(st.integers(1, 9), st.floats(-5, 5))


def test_reciprocal_ranks_add_up() -> None:
    fused = reciprocal_rank([{1: 0.9, 2: 0.8}, {2: 7.0, 3: 5.0}])

    assert list(fused) == [2, 1, 3]
    assert fused[2] == pytest.approx(1 / 62 + 1 / 61)


def test_min_max_stretches_each_leg_and_takes_the_mean() -> None:
    assert min_max([{1: 0.9, 2: 0.8, 3: 0.7}, {2: 7.0, 4: 5.0}]) == pytest.approx({2: 0.75, 1: 0.5, 3: 0.0, 4: 0.0})


def test_a_leg_of_equal_scores_counts_fully() -> None:
    assert min_max([{1: 0.3}, {2: 4.0, 3: 4.0}]) == {1: 0.5, 2: 0.5, 3: 0.5}


@pytest.mark.parametrize("fuse", [reciprocal_rank, min_max])
@given(legs=st.lists(LEG, max_size=3))
def test_fusion_loses_nothing_and_orders_by_score_then_id(fuse: object, legs: list[dict[int, float]]) -> None:
    assert callable(fuse)
    fused = fuse(legs)

    assert set(fused) == {chunk for leg in legs for chunk in leg}
    assert list(fused.items()) == list(best_first(fused).items())
