"""Server-sent events in a stream of bytes: cut between events, never inside one."""

import contextlib
from collections.abc import Callable
from typing import Any

import orjson

MAX_HELD_BYTES = 1024 * 1024  # a longer event is passed on in pieces
END_MARK = b"data: [DONE]\n\n"  # of chat and completions
# The last events of the protocols that name theirs, in a line of their own or in `type`.
LAST_EVENTS = frozenset(
    (
        b"message_stop",
        b"response.completed",
        b"response.failed",
        b"response.incomplete",
        b"image_edit.completed",
        b"image_generation.completed",
        b"speech.audio.done",
        b"transcript.text.done",
    )
)
FIRST_BLOCK = b"event: content_block_start\n"


class WholeEvents:
    """Holds the tail of a chunk back until its event is complete, so that a stream that breaks ends after a whole one.

    Upstreams write event by event, so nothing is held back in the normal case.
    `start` makes the event that begins a stream of `messages`, for one that begins without it.
    """

    __slots__ = ("_held", "_passed", "_start")

    def __init__(self, start: Callable[[], bytes] | None = None) -> None:
        self._held = b""
        self._passed = b""  # what was passed on last
        self._start = start

    def take(self, chunk: bytes) -> bytes:
        """What can be passed on now; may be empty."""
        data = self._held + chunk if self._held else chunk
        end = len(data) if data.endswith(b"\n\n") else max(_after(data, b"\n\n"), _after(data, b"\r\n\r\n"))
        if len(data) - end > MAX_HELD_BYTES:
            end = len(data)
        self._held = data[end:]
        ready = data[:end] if self._held else data
        if ready:
            self._passed = ready
            if self._start is not None:
                start, self._start = self._start, None
                return start() + ready if ready.startswith(FIRST_BLOCK) else ready
        return ready

    def rest(self) -> bytes:
        """What is left when the upstream ended in order, its last event perhaps without its blank line."""
        rest, self._held = self._held, b""
        if rest:
            self._passed = rest
        return rest

    @property
    def is_done(self) -> bool:
        """True when the last event was one that ends a stream, in whichever protocol."""
        last = self._passed.replace(b"\r\n", b"\n").rstrip(b"\n").rpartition(b"\n\n")[2]
        return _name_of(last) in LAST_EVENTS or b"[DONE]" in last[-32:]


def message_start(message_id: str, model: str) -> bytes:
    """The event that llama.cpp's server (b11549) leaves out when the first token of an answer is half a character.

    SDKs fail without it: half of an emoji at the beginning is enough. It tells no usage, for nobody knows it.
    """
    message: dict[str, Any] = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": model,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    return b"event: message_start\ndata: " + orjson.dumps({"type": "message_start", "message": message}) + b"\n\n"


def _name_of(event: bytes) -> bytes:
    line = event.partition(b"\n")[0]
    if line.startswith(b"event:"):
        return line[6:].strip()
    with contextlib.suppress(orjson.JSONDecodeError, TypeError, KeyError):
        return str(orjson.loads(line.removeprefix(b"data:"))["type"]).encode()
    return b""


def _after(data: bytes, boundary: bytes) -> int:
    return data.rfind(boundary) + len(boundary) if boundary in data else 0
