"""However a chat's stream mixes its parts, each is told to its end before the next begins, and nothing is lost."""

import asyncio
import importlib
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from gateway.translate.messages import STREAM
from gateway.translate.turns import in_turn
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("litellm_imported")

Delta = dict[str, Any]
words = st.lists(st.sampled_from(["They ", "greet.", ""]), max_size=3)
inputs = st.dictionaries(st.sampled_from(["city", "day"]), st.text(max_size=9), max_size=2)


def call_deltas(index: int, given: dict[str, str], size: int) -> list[Delta]:
    text = json.dumps(given)
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    begun = {"index": index, "id": f"call_{index}", "function": {"name": "weather", "arguments": ""}}
    return [begun, *({"index": index, "function": {"arguments": part}} for part in parts)]


@st.composite
def mixed(draw: st.DrawFn) -> tuple[list[dict[str, str]], list[str], list[Delta]]:
    """Inputs of calls, words, and a stream that tells both: each call's deltas in order, otherwise anyhow."""
    calls, said = draw(st.lists(inputs, max_size=3)), draw(words)
    rows: list[list[Delta]] = [[{"content": word} for word in said]]
    rows += [
        [{"tool_calls": [delta]} for delta in call_deltas(index, given, draw(st.integers(1, 20)))]
        for index, given in enumerate(calls)
    ]
    order = draw(st.permutations([number for number, row in enumerate(rows) for _ in row]))
    iterators = [iter(row) for row in rows]
    deltas = [next(iterators[number]) for number in order]
    return calls, said, together(deltas) if draw(st.booleans()) else deltas


def together(deltas: list[Delta]) -> list[Delta]:
    """Deltas of calls that follow each other in one."""
    joined: list[Delta] = []
    for delta in deltas:
        if joined and "tool_calls" in delta and "tool_calls" in joined[-1]:
            joined[-1] = {"tool_calls": joined[-1]["tool_calls"] + delta["tool_calls"]}
        else:
            joined.append(delta)
    return joined


def is_blank() -> Any:
    return importlib.import_module(STREAM).AnthropicStreamWrapper._is_blank_delta


def told(deltas: list[Delta], reason_with_last: bool) -> list[Any]:
    """The deltas in turn; only the last chunk has the reason."""
    types = importlib.import_module("litellm.types.utils")
    last = deltas.pop() if deltas and reason_with_last else {}

    async def chunks() -> AsyncIterator[Any]:
        for delta, reason in (*((delta, None) for delta in deltas), (last, "tool_calls")):
            choice = types.StreamingChoices(delta=types.Delta(**delta), finish_reason=reason)
            yield types.ModelResponseStream(choices=[choice])

    async def run() -> list[Any]:
        return [chunk.choices[0] async for chunk in in_turn(chunks(), is_blank())]

    *choices, end = asyncio.run(run())
    assert {choice.finish_reason for choice in choices} <= {None} and end.finish_reason == "tool_calls"
    return [choice.delta for choice in (*choices, end)]


@given(mixed(), st.booleans())
def test_each_part_is_told_to_its_end(
    stream: tuple[list[dict[str, str]], list[str], list[Delta]], reason_with_last: bool
) -> None:
    calls, said, deltas = stream
    ordered = told(deltas, reason_with_last)
    assert "".join(delta.content or "" for delta in ordered) == "".join(said)
    assert all(len(delta.tool_calls or ()) < 2 for delta in ordered)
    from_first_call = itertools.dropwhile(lambda delta: not delta.tool_calls, ordered[:-1])
    assert all(delta.content or delta.tool_calls for delta in from_first_call)
    blocks = [(index, list(group)) for index, group in itertools.groupby(ordered, index_of)]
    assert sorted(index for index, _ in blocks if index is not None) == list(range(len(calls)))
    for index, block in blocks:
        if index is not None:
            assert block[0].tool_calls[0].id == f"call_{index}"
            assert json.loads("".join(delta.tool_calls[0].function.arguments for delta in block)) == calls[index]


def index_of(delta: Any) -> int | None:
    return delta.tool_calls[0].index if delta.tool_calls else None


def test_what_is_whole_is_told_at_once() -> None:
    first, second = call_deltas(0, {}, 2), call_deltas(1, {"city": "Bern"}, 20)
    types = importlib.import_module("litellm.types.utils")
    seen: list[Any] = []

    async def chunks() -> AsyncIterator[Any]:
        for number, delta in enumerate([*first, *second]):
            assert len(seen) == number
            yield types.ModelResponseStream(choices=[types.StreamingChoices(delta=types.Delta(tool_calls=[delta]))])

    async def run() -> None:
        async for chunk in in_turn(chunks(), is_blank()):
            seen.append(chunk)

    asyncio.run(run())
    assert len(seen) == len(first) + len(second)
