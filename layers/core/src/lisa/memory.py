"""What a process remembers between requests: a bounded cache with deadlines, and one value that ages."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from lisa.errors import UnavailableError

T = TypeVar("T")
Clock = Callable[[], float]


class DeadlineCache(Generic[T]):
    """At most `limit` entries, each with its own deadline in epoch seconds; the oldest goes first. Thread-safe."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._entries: dict[bytes, tuple[float, T]] = {}
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()

    def get(self, key: bytes) -> T | None:
        """The value while its deadline lies ahead; never blocks (the gateway asks on every request)."""
        entry = self._entries.get(key)
        if entry is None or entry[0] <= self._clock():
            return None
        return entry[1]

    def put(self, key: bytes, value: T, deadline: float) -> None:
        with self._lock:
            self._entries.pop(key, None)
            while len(self._entries) >= self._limit:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (deadline, value)

    def __len__(self) -> int:
        return len(self._entries)


class Remembered(Generic[T]):
    """One value that is expensive to read. A value read before stays in use while its source cannot be reached."""

    def __init__(self, read: Callable[[], T], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._value: T | None = None
        self._tried_at = 0.0
        self._lock = threading.Lock()

    def get(self, max_age: float) -> T:
        """The value, read again when the last try is `max_age` seconds old. Raises: UnavailableError if never read."""
        with self._lock:
            if self._value is None or self._clock() - self._tried_at >= max_age:
                try:
                    self._value = self._read()
                except UnavailableError:
                    if self._value is None:
                        raise
                self._tried_at = self._clock()
            return self._value
