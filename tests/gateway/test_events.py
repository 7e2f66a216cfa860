"""Cutting a stream between its events."""

import itertools

import pytest
from gateway.relay.events import MAX_HELD_BYTES, WholeEvents
from hypothesis import given
from hypothesis import strategies as st

ENDS = st.sampled_from([b"\n\n", b"\r\n\r\n"])
LINES = st.binary(max_size=20).map(lambda b: b"data: " + b.replace(b"\n", b"").replace(b"\r", b""))
STREAMS = st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=8).map(b"".join)


@given(STREAMS, st.binary(max_size=12), st.lists(st.integers(0, 300), max_size=12))
def test_nothing_is_lost_and_only_whole_events_leave(stream: bytes, rest: bytes, cuts: list[int]) -> None:
    data = stream + rest
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    events = WholeEvents()
    pieces = [events.take(data[start:end]) for start, end in itertools.pairwise(places)]
    assert all(piece.endswith((b"\n\n", b"\r\n\r\n")) for piece in pieces if piece)
    assert b"".join(pieces) + events.rest() == data


def test_chunk_that_ends_with_an_event_is_passed_on_as_it_is() -> None:
    chunk = b"data: 1\n\ndata: [DONE]\n\n"
    events = WholeEvents()
    assert events.take(chunk) is chunk
    assert events.is_done


def test_endless_event_is_not_held_for_ever() -> None:
    events = WholeEvents()
    assert events.take(b"x" * MAX_HELD_BYTES) == b""
    assert len(events.take(b"x")) == MAX_HELD_BYTES + 1
    assert events.rest() == b""


def test_end_without_a_blank_line_is_an_end() -> None:
    events = WholeEvents()
    assert events.take(b"data: [DONE]") == b""
    assert not events.is_done
    assert events.rest() == b"data: [DONE]"
    assert events.is_done


@pytest.mark.parametrize("line", [b"\n", b"\r\n"])
@pytest.mark.parametrize("kind", [b"message_stop", b"response.completed", b"response.failed", b"response.incomplete"])
def test_protocols_that_name_their_events_end_with_the_last_of_them(kind: bytes, line: bytes) -> None:
    events = WholeEvents()
    first = b"event: ping" + line + b'data: {"text":"' + kind + b'"}' + line * 2
    events.take(first)
    assert not events.is_done
    events.take(
        first + b"event: " + kind + line + b'data: {"type":"' + kind + b'","long":"' + b"x" * 99 + b'"}' + line * 2
    )
    assert events.is_done
