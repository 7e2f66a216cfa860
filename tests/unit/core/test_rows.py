"""Rows: what goes into DynamoDB comes out as it was."""

from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st
from lisa import rows
from lisa.schemas import check_free_form

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(), parts, max_size=4),
    max_leaves=12,
)


def as_floats(value: Any) -> Any:
    """A whole number comes back as int, whatever it went in as."""
    if isinstance(value, dict):
        return {key: as_floats(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_floats(part) for part in value]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_every_free_form_that_is_accepted_can_be_stored_and_read_back(value: dict[str, Any]) -> None:
    try:
        check_free_form(value)
    except ValueError:
        return
    wire = TypeSerializer().serialize(rows.stored(value))
    assert as_floats(rows.plain(TypeDeserializer().deserialize(wire))) == as_floats(value)


def test_odd_values_are_refused_in_words() -> None:
    deep: dict[str, Any] = {}
    for _ in range(20):
        deep = {"a": deep}
    for value in (deep, {"a": 1e300}, {"a": float("inf")}, {"a": 10**60}, {"a": "\ud800"}, {"a": "x" * 20_000}):
        try:
            check_free_form(value)
        except ValueError as error:
            assert str(error).startswith(("may ", "has "))
        else:
            raise AssertionError(value)


def test_update_touches_only_what_it_names() -> None:
    assert rows.set_expression({"name": "x", "size": 1.5}) == {
        "UpdateExpression": "SET #c0 = :c0, #c1 = :c1",
        "ExpressionAttributeNames": {"#c0": "name", "#c1": "size"},
        "ExpressionAttributeValues": {":c0": "x", ":c1": rows.stored(1.5)},
    }


def test_every_page_of_a_table_is_read() -> None:
    def scan(**page: Any) -> dict[str, Any]:
        start = page.get("ExclusiveStartKey", {"modelId": 0})["modelId"]
        more = {"LastEvaluatedKey": {"modelId": start + 1}} if start < 3 else {}
        return {"Items": [{"modelId": start}], **more}

    assert [item["modelId"] for item in rows.pages(scan)] == [0, 1, 2, 3]
