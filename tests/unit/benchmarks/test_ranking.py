import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ranking import ndcg, recall

GRADES = {"a": 3.0, "b": 1.0, "c": 0.0}
SOME_GRADES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([0.0, 1.0, 2.0, 4.0]))


def test_a_ranking_by_grade_is_perfect_and_a_swapped_one_is_not() -> None:
    assert ndcg(["a", "b", "x"], GRADES) == pytest.approx(1)
    assert ndcg(["b", "a"], GRADES) == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))
    assert ndcg(["x"] * 10 + ["a"], GRADES) == 0


def test_recall_counts_what_is_relevant() -> None:
    assert recall(["c", "a", "x", "b"], GRADES, 2) == 0.5
    assert recall(["c", "a", "x", "b"], GRADES, 4) == 1
    assert recall(["a"], {}, 4) == 0


@given(st.permutations("abcdefgh"), SOME_GRADES)
def test_figures_are_shares(ranking: list[str], grades: dict[str, float]) -> None:
    assert 0 <= ndcg(ranking, grades) <= 1 + 1e-9
    assert 0 <= recall(ranking, grades, 3) <= 1
