"""An append-only file of JSON lines that survives `kill -9`: a line is with the system before `append` returns.

It has two segments: rotation starts a new one and keeps the one before, so that what was under way while the state
was being saved is replayed once more rather than lost. Replaying a line twice must be harmless.
"""

import json
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


class Journal:
    """`path` is the segment being written, `path` + ".1" the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.previous = path.with_name(path.name + ".1")
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._open()

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, records: Iterable[dict[str, Any]]) -> None:
        """Write the records in one piece: after a crash all of them are there, or none."""
        line = json.dumps(list(records), separators=(",", ":")).encode() + b"\n"
        with self._lock:
            view = memoryview(line)
            while view:
                view = view[os.write(self._file, view) :]

    def size(self) -> int:
        """Bytes in the current segment."""
        return os.fstat(self._file).st_size

    def rotate(self) -> None:
        """Start a new segment; the one before the current is forgotten."""
        with self._lock:
            os.close(self._file)
            self.path.replace(self.previous)
            self._file = self._open()

    def clear(self) -> None:
        """Forget both segments: what they say is saved elsewhere."""
        self.rotate()
        self.rotate()

    def replay(self) -> Iterator[dict[str, Any]]:
        """Every record of both segments, oldest first; a last line cut off by the crash is left out."""
        for segment in (self.previous, self.path):
            if segment.exists():
                for line in segment.read_bytes().splitlines():
                    try:
                        yield from json.loads(line)
                    except ValueError:
                        continue  # cut off while being written, so never answered
