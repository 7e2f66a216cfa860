import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.models.wordpiece import CLS, SEP, UNKNOWN, encode, vocabulary, words


@pytest.mark.parametrize(
    ("text", "ids"),  # as Hugging Face's tokenizers 0.23 gives them for all-MiniLM-L6-v2
    [
        ("", [101, 102]),
        ("Parental leave is 24 weeks.", [101, 18643, 2681, 2003, 2484, 3134, 1012, 102]),
        ("Übergrößenträger naïve café", [101, 19169, 16523, 2080, 17499, 3372, 24449, 2099, 15743, 7668, 102]),
        (
            "東京 don't STOP--now… €5",
            [101, 1879, 1755, 2123, 1005, 1056, 2644, 1011, 1011, 2085, 1529, 1574, 2629, 102],
        ),
    ],
)
def test_ids_are_those_of_the_reference(text: str, ids: list[int]) -> None:
    assert encode(text) == ids


def test_accents_case_and_controls_do_not_matter() -> None:
    assert list(words("Naïve\u200b CAFÉ\x07!")) == ["naive", "cafe", "!"]
    assert list(words("東京 tower")) == ["東", "京", "tower"]


def test_a_word_out_of_all_pieces_is_unknown() -> None:
    assert encode("\U0001f600") == [CLS, UNKNOWN, SEP]
    assert encode("a" * 101) == [CLS, UNKNOWN, SEP]


@given(st.text(), st.integers(2, 300))
def test_ids_stay_within_the_limit_and_the_vocabulary(text: str, limit: int) -> None:
    ids = encode(text, limit)

    assert ids[0] == CLS
    assert ids[-1] == SEP
    assert len(ids) <= limit
    assert all(0 <= number < len(vocabulary()) for number in ids)
