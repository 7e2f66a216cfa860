import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from lisa.retrieval.copying import PIECE_CHARACTERS, cuts, storable, vector_text


@given(st.lists(st.sampled_from(["word ", "x" * 3000, "\n", "y" * 9000]), max_size=12).map("".join))
def test_pieces_cover_the_text_and_part_it_at_white_space_where_there_is_some(text: str) -> None:
    ends = list(cuts(text))
    pieces = [text[a:b] for a, b in pairwise(ends)]

    assert "".join(pieces) == text
    assert all(0 < len(piece) <= PIECE_CHARACTERS for piece in pieces)
    for piece, following in pairwise(pieces):
        assert following[0].isspace() or not any(map(str.isspace, piece[1:]))


@given(st.lists(st.floats(-1e30, 1e30), min_size=1).filter(lambda v: math.fsum(x * x for x in v) > 0))
def test_vectors_are_stored_at_length_one(vector: list[float]) -> None:
    stored = [float(x) for x in vector_text(vector).strip("[]").split(",")]

    assert math.isclose(math.fsum(x * x for x in stored), 1, rel_tol=1e-4)


def test_what_postgresql_cannot_hold_is_left_out() -> None:
    assert storable({"a\x00": ["b\x00", "\ud800", math.nan, 1.5, None, True]}) == {
        "a": ["b", "?", None, 1.5, None, True]
    }
