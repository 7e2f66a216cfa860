"""Puts the chunks of a streamed chat in the order of Anthropic's protocol: one content block ends before the next.

OpenAI's protocol may tell of several tool calls in one chunk, or of each a bit by turns. LiteLLM's translation reads
one call per chunk, and takes each bit for one of the latest call.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import orjson

Block = tuple[int, str | None] | None
"""A call's index and id (some servers give all calls the same index); None: text and thoughts."""


async def in_turn(chunks: AsyncIterator[Any], is_blank: Callable[[Any], bool]) -> AsyncIterator[Any]:
    """LiteLLM's chunks, each with at most one call. What comes before its turn waits for the end of the block before.

    `is_blank`: says nothing to LiteLLM, which would begin a text for it in the middle of a call.
    """
    turns = _Turns(is_blank)
    async for chunk in chunks:
        for piece in (chunk,) if turns.passes(chunk) else turns.take(chunk):
            yield piece
    for piece in turns.rest():
        yield piece


class _Turns:
    def __init__(self, is_blank: Callable[[Any], bool]) -> None:
        self._has_calls = self._is_over = False
        self._is_blank = is_blank
        self._waiting: dict[Block, list[Any]] = {}
        self._block: Block = None
        self._arguments = ""  # of the call that is told now
        self._ids: dict[int, str] = {}

    def passes(self, chunk: Any) -> bool:
        """Whether there is nothing to order: no call was told yet, or all are."""
        if self._is_over or not chunk.choices:
            return True
        self._has_calls = self._has_calls or bool(chunk.choices[0].delta.tool_calls)
        return not self._has_calls

    def take(self, chunk: Any) -> Iterator[Any]:
        """The pieces whose turn it is."""
        for block, delta in self._split(chunk.choices[0].delta):
            piece = _with(chunk, delta, None)
            if not self._is_blank(piece):
                self._waiting.setdefault(block, []).append(piece)
        reason = chunk.choices[0].finish_reason
        if reason is None:
            yield from self._ready()
            return
        self._is_over = True
        yield from self.rest()
        yield _with(chunk, type(chunk.choices[0].delta)(), reason)

    def rest(self) -> Iterator[Any]:
        """What still waits, when nothing comes any more."""
        for block in (self._block, *self._waiting):
            yield from self._waiting.pop(block, ())

    def _split(self, delta: Any) -> Iterator[tuple[Block, Any]]:
        yield None, delta.model_copy(update={"tool_calls": None})
        for call in delta.tool_calls or ():
            if call.id:
                self._ids[call.index] = call.id
            if call.function.name or call.function.arguments:
                yield (call.index, self._ids.get(call.index)), type(delta)(tool_calls=[call])

    def _ready(self) -> Iterator[Any]:
        while True:
            for piece in self._waiting.pop(self._block, ()):
                for call in piece.choices[0].delta.tool_calls or ():
                    self._arguments += call.function.arguments or ""
                yield piece
            if not self._waiting or (self._block is not None and not _is_whole(self._arguments)):
                return
            self._block, self._arguments = next(iter(self._waiting)), ""


def _with(chunk: Any, delta: Any, reason: str | None) -> Any:
    choice = chunk.choices[0].model_copy(update={"delta": delta, "finish_reason": reason})
    return chunk.model_copy(update={"choices": [choice]})


def _is_whole(arguments: str) -> bool:
    try:
        orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return False
    return True
