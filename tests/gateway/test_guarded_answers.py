"""Streams behind a screen, cut at every place: nothing forbidden gets out, nothing harmless is lost."""

import asyncio
import re
from typing import Any

import orjson
import pytest
from gateway.errors import GuardrailTriggeredError
from gateway.guardrails.answers import MARGIN, MOST_HELD, PIECE, StreamScreen, WholeScreen
from gateway.guardrails.texts import answer_places, request_places
from hypothesis import given
from hypothesis import strategies as st
from lisa.errors import BadRequestError

EMAIL = re.compile(r"<[a-z]{1,40}>")
END = b"data: [DONE]\n\n"
# Words that fill more than one piece, among them some that are masked and, rarely, one that is blocked.
words = st.lists(st.sampled_from(["word ", "<ada>", "<abcdefghijklmnopqrstuvwxyz>", "x" * 90, "  "]), max_size=120)
cuts = st.lists(st.integers(1, 60), min_size=1, max_size=40)


async def check(texts: list[str]) -> list[str]:
    if any("forbidden" in text for text in texts):
        raise GuardrailTriggeredError("no")
    return [EMAIL.sub("{}", text) for text in texts]


def pieces_of(text: str, sizes: list[int]) -> list[str]:
    pieces, start, number = [], 0, 0
    while start < len(text):
        pieces.append(text[start : start + sizes[number % len(sizes)]])
        start += len(pieces[-1])
        number += 1
    return pieces


def chunk(text: str, index: int = 0) -> bytes:
    return b"data: " + orjson.dumps({"choices": [{"index": index, "delta": {"content": text}}]}) + b"\n\n"


def read(raw: bytes, index: int = 0) -> str:
    """What a client makes of a stream."""
    bodies = [orjson.loads(line[6:]) for line in raw.splitlines() if line.startswith(b"data: {")]
    choices = [choice for body in bodies for choice in body["choices"] if choice["index"] == index]
    return "".join(choice["delta"]["content"] for choice in choices)


def passed(events: list[bytes], sizes: list[int]) -> tuple[bytes, bool]:
    """What a screen releases of a stream whose bytes come in chunks of `sizes`; and whether it was blocked."""

    async def run() -> tuple[bytes, bool]:
        screen = StreamScreen(check, lambda event: None)
        stream, out, start, number = b"".join(events), b"", 0, 0
        try:
            while start < len(stream):
                size = sizes[number % len(sizes)] * 20
                out += await screen.take(stream[start : start + size], False)
                start, number = start + size, number + 1
            return out + await screen.take(b"", True), False
        except GuardrailTriggeredError:
            return out, True

    return asyncio.run(run())


@given(words, cuts, cuts)
def test_masked_stream_is_the_masked_text(parts: list[str], deltas: list[int], chunks: list[int]) -> None:
    text = "".join(parts)
    raw, is_blocked = passed([chunk(piece) for piece in pieces_of(text, deltas)] + [END], chunks)
    assert not is_blocked
    assert read(raw) == EMAIL.sub("{}", text)
    assert raw.endswith(END)


@given(words.map(lambda parts: [part for part in parts if "<" not in part]), cuts, cuts)
def test_harmless_stream_is_not_touched(parts: list[str], deltas: list[int], chunks: list[int]) -> None:
    events = [b": ping\n\n", *(chunk(piece) for piece in pieces_of("".join(parts), deltas)), END]
    assert passed(events, chunks) == (b"".join(events), False)


@given(words, words, cuts, cuts)
def test_blocked_word_never_gets_out(before: list[str], after: list[str], deltas: list[int], chunks: list[int]) -> None:
    text = "".join(before) + "forbidden" + "".join(after)
    raw, is_blocked = passed([chunk(piece) for piece in pieces_of(text, deltas)] + [END], chunks)
    assert is_blocked
    assert EMAIL.sub("{}", "".join(before)).startswith(read(raw))


@given(words, words, cuts, cuts)
def test_interleaved_choices_are_masked_each_for_itself(
    first: list[str], second: list[str], deltas: list[int], chunks: list[int]
) -> None:
    texts = ["".join(first), "".join(second)]
    pieces = [pieces_of(text, deltas) for text in texts]
    events = []
    for number in range(max(map(len, pieces))):
        events += [chunk(each[number], index) for index, each in enumerate(pieces) if number < len(each)]
    raw, _ = passed([*events, END], chunks)
    assert [read(raw, index) for index in (0, 1)] == [EMAIL.sub("{}", text) for text in texts]


def test_what_is_held_back_has_a_bound() -> None:
    async def run() -> int:
        screen = StreamScreen(masks_everything, lambda event: None)
        sent = released = most = 0
        for _ in range(100):
            sent += PIECE
            released += len(read(await screen.take(chunk("a" * PIECE), False)))
            most = max(most, sent - released)
        return most

    async def masks_everything(texts: list[str]) -> list[str]:
        return ["*" * len(text) for text in texts]

    assert MARGIN < asyncio.run(run()) <= MOST_HELD + PIECE


def test_texts_of_an_answer_are_found_in_every_protocol() -> None:
    bodies: list[tuple[dict[str, Any], list[str]]] = [
        ({"choices": [{"message": {"role": "assistant", "content": "a", "reasoning_content": "b"}}]}, ["a", "b"]),
        ({"choices": [{"message": {"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "c"}}]}}]}, ["c"]),
        ({"object": "response", "instructions": "x", "output": [{"content": [{"text": "a"}]}]}, ["a"]),
        ({"type": "response.completed", "response": {"object": "response", "output": [{"text": "a"}]}}, ["a"]),
        (
            {"content": [{"type": "tool_use", "name": "f", "input": {"name": "a", "id": ["b"]}}]},
            ["name", "a", "id", "b"],
        ),
        ({"content": [{"type": "thinking", "thinking": "a", "signature": "s"}]}, ["a"]),
        ({"type": "something.new", "unheard_of": {"words": "a"}}, ["a"]),
    ]
    for body, texts in bodies:
        assert [place.text for place in answer_places(body)] == texts


@pytest.mark.parametrize("key", ["<ada>", "forbidden"])
async def test_name_that_a_guardrail_would_change_is_blocked(key: str) -> None:
    """Under another name a value is another argument."""
    body = {"content": [{"type": "tool_use", "input": {"a": [{"id": {key: 1}}]}}]}
    whole = WholeScreen(check, is_json=True)
    stream = StreamScreen(check, lambda event: None)
    for screen, raw in ((whole, orjson.dumps(body)), (stream, b"data: " + orjson.dumps(body) + b"\n\n")):
        with pytest.raises(GuardrailTriggeredError):
            await screen.take(raw, True)
    harmless = orjson.dumps(body).replace(key.encode(), b"x")
    assert await WholeScreen(check, is_json=True).take(harmless, True) == harmless


def test_request_that_hides_texts_in_the_depth_is_refused() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    with pytest.raises(BadRequestError):
        request_places({"messages": deep})
