"""Holds an answer back until guardrails have seen it: a whole one to its end, a streamed one in pieces."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from lisa.errors import UpstreamError

from gateway.guardrails.texts import Path, Place, TooDeepError, answer_places, strip_copies

PIECE = 1_000  # characters that are checked together: a text unit of Bedrock
# What follows is checked together with this much of what came before, lest something hide on the boundary of two
# pieces; so this much stays back.
MARGIN = 100
MOST_HELD = 8 * PIECE
MAX_EVENT_BYTES = 8 * 1024 * 1024
FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
UNREADABLE = "The model's endpoint answered in a form that its guardrail cannot read, so nothing was let through."

Check = Callable[[list[str]], Awaitable[list[str]]]
"""Texts → the same number of texts, masked. Raises: GuardrailTriggeredError, UnavailableError."""


class Screen(Protocol):
    async def take(self, data: bytes, is_last: bool) -> bytes:
        """What may be released now. Raises: as `Check`; UpstreamError for what cannot be read."""
        ...


class WholeScreen:
    """An answer in one JSON document, or (transcriptions) in plain text."""

    def __init__(self, check: Check, is_json: bool) -> None:
        self._check = check
        self._is_json = is_json
        self._held = bytearray()

    async def take(self, data: bytes, is_last: bool) -> bytes:
        self._held += data
        if not is_last:
            return b""
        answer = bytes(self._held)
        try:
            if not self._is_json:
                return (await self._check([answer.decode()]))[0].encode()
            body = orjson.loads(answer)
            places = answer_places(body)
        except (UnicodeDecodeError, orjson.JSONDecodeError, TooDeepError) as error:
            raise UpstreamError(UNREADABLE) from error
        checked = await self._check([place.text for place in places])
        if not _replaced(places, checked):
            return answer
        strip_copies(body)
        return orjson.dumps(body)


@dataclass(slots=True)
class Event:
    raw: bytes
    body: dict[str, Any] | None
    places: list[Place]
    stream: Path | None  # which text its pieces continue; None: each of its texts is whole

    @property
    def size(self) -> int:
        return sum(len(place.text) for place in self.places)

    def rewrite(self) -> None:
        if self.body is not None:
            strip_copies(self.body)
            lines = [line for line in self.raw.splitlines() if line and not line.startswith(b"data:")]
            self.raw = b"\n".join((*lines, b"data: " + orjson.dumps(self.body))) + b"\n\n"


class StreamScreen:
    """Server-sent events; `seen` is told each that is released."""

    def __init__(self, check: Check, seen: Callable[[dict[str, Any]], None]) -> None:
        self._check = check
        self._seen = seen
        self._rest = b""
        self._held: list[Event] = []
        self._unchecked = 0
        self._has_begun = False

    async def take(self, data: bytes, is_last: bool) -> bytes:
        for event in self._events(data, is_last):
            self._held.append(event)
            self._unchecked += event.size
        count = len(self._held)
        # What opens a stream waits for the first check: a refusal can then be an answer of its own.
        if any(event.places for event in self._held) or not self._has_begun:
            if not is_last and self._unchecked < PIECE:
                return b""
            count = await self._checked(is_last)
            self._unchecked = 0
        self._has_begun = self._has_begun or count > 0
        released, self._held = self._held[:count], self._held[count:]
        for event in released:
            if event.body is not None:
                self._seen(event.body)
        return b"".join(event.raw for event in released)

    def _events(self, data: bytes, is_last: bool) -> Iterator[Event]:
        *whole, self._rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise UpstreamError(UNREADABLE)
        for raw in whole:
            yield _parsed(raw + b"\n\n")
        if is_last and self._rest.strip():
            yield _parsed(self._rest + b"\n\n")

    async def _checked(self, is_last: bool) -> int:
        """Checks and masks what is held. Returns how many of the events may go."""
        texts: dict[Path, list[Place]] = {}
        for number, event in enumerate(self._held):
            for place in event.places:
                key = (number, *place.path) if event.stream is None else ("", *event.stream, *place.path)
                texts.setdefault(key, []).append(place)
        before = ["".join(place.text for place in places) for places in texts.values()]
        after = await self._check(before)
        count = len(self._held) if is_last else self._margin_start(len(texts))
        masked = [
            (places, old, new) for places, old, new in zip(texts.values(), before, after, strict=True) if old != new
        ]
        if not masked:
            return count
        if not is_last:
            count = self._masked_count(count, masked)
        going = {id(place) for event in self._held[:count] for place in event.places}
        for places, old, new in masked:
            _mask([place for place in places if id(place) in going], old, new)
        for event in self._held[:count]:
            event.rewrite()
        return count

    def _margin_start(self, texts: int) -> int:
        """Where the events begin that stay back."""
        kept = 0
        for number in range(len(self._held) - 1, -1, -1):
            kept += self._held[number].size
            if kept >= MARGIN * texts:
                return number
        return 0

    def _masked_count(self, count: int, masked: list[tuple[list[Place], str, str]]) -> int:
        """Fewer events may go where a mask reaches into what stays: whether it goes on is not known yet."""
        if sum(event.size for event in self._held) > MOST_HELD:
            return len(self._held)
        while True:
            fewer = min((self._start_of_open_mask(count, *each) for each in masked), default=count)
            if fewer >= count:
                return count
            count = fewer

    def _start_of_open_mask(self, count: int, places: list[Place], old: str, new: str) -> int:
        """The event with which a text begins whose mask reaches into what stays; `count` when none does."""
        staying = {id(place) for event in self._held[count:] for place in event.places}
        kept = "".join(place.text for place in places if id(place) in staying)
        if new.endswith(kept):
            return count
        return next(n for n, event in enumerate(self._held) if any(place is places[0] for place in event.places))


def _mask(going: list[Place], old: str, new: str) -> None:
    """Puts the masked text where the first piece was; the rest of the pieces that go are emptied."""
    if not going:
        return
    kept = len(old) - sum(len(place.text) for place in going)
    going[0].replace(new[: len(new) - kept])
    for place in going[1:]:
        place.replace("")


def _replaced(places: list[Place], texts: list[str]) -> bool:
    """Puts the texts in place. True when any of them is another than before."""
    changed = False
    for place, text in zip(places, texts, strict=True):
        if place.text != text:
            place.replace(text)
            changed = True
    return changed


def _parsed(raw: bytes) -> Event:
    lines = [line for line in raw.splitlines() if line]
    if not all(line.startswith(FIELDS) for line in lines):
        raise UpstreamError(UNREADABLE)
    data = b"\n".join(line[5:] for line in lines if line.startswith(b"data:"))
    if not data.strip() or data.strip() == b"[DONE]":
        return Event(raw, None, [], None)
    try:
        body = orjson.loads(data)
        places = answer_places(body)
    except (orjson.JSONDecodeError, TooDeepError) as error:
        raise UpstreamError(UNREADABLE) from error
    if not isinstance(body, dict):
        raise UpstreamError(UNREADABLE)
    return Event(raw, body, places, _stream_of(body))


def _stream_of(body: dict[str, Any]) -> Path | None:
    kind = body.get("type")
    if isinstance(kind, str) and "delta" not in kind:
        return None
    return tuple(str(body.get(name)) for name in ("index", "item_id", "output_index", "content_index", "summary_index"))
