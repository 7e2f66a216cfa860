"""Events of the bucket: what they name, and in which order they happened."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lisa.ingestion.changes import ChangeType, ObjectChange, Place, comparable
from pydantic import ValidationError

HEX = st.text("0123456789abcdefABCDEF", min_size=1, max_size=24)


def event(key: str = "docs/minilm/a.txt", **detail: Any) -> dict[str, Any]:
    item = {"key": key, "sequencer": "00617F08299329D189", "version-id": "v1"}
    return {"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": item} | detail}


@given(HEX, HEX)
def test_order_of_sequencers_is_that_of_their_digits_filled_up_on_the_right(one: str, other: str) -> None:
    width = max(len(one), len(other))
    numbers = [int(text.ljust(width, "0"), 16) for text in (one, other)]
    texts = [comparable(text) for text in (one, other)]
    assert (texts[0] < texts[1], texts[0] == texts[1]) == (numbers[0] < numbers[1], numbers[0] == numbers[1])


def test_key_is_taken_as_it_is() -> None:
    change = ObjectChange.of_event(event("docs/minilm/a+b %20ü.txt"))
    assert (change.type, change.version_id, change.permanent) == (ChangeType.CREATED, "v1", False)
    assert change.source == "s3://b/docs/minilm/a+b %20ü.txt"
    assert change.place == Place("docs", "minilm", "a+b %20ü.txt")


@pytest.mark.parametrize(
    "key", ["a.txt", "docs/a.txt", "docs/minilm/", "docs//a.txt", "/minilm/a.txt", "docs/minilm/x/"]
)
def test_key_outside_of_a_collection_is_no_document(key: str) -> None:
    assert ObjectChange.of_event(event(key)).place is None


@pytest.mark.parametrize(
    "broken", [{}, {"detail": None}, event(object={}), event(bucket={}), {**event(), "detail-type": "Object Restored"}]
)
def test_other_shape_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ObjectChange.of_event(broken)
