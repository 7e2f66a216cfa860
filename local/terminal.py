"""Progress on the terminal: one line per stage, when it ends, with its time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

BOLD, DIM, GREEN, RED, YELLOW, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[33m", "\033[0m"
WIDTH = 46


class Terminal:
    """Colours only where somebody looks; otherwise plain lines for a log."""

    def __init__(self) -> None:
        self.is_interactive = sys.stdout.isatty()
        self.started = time.monotonic()
        self.times: dict[str, float] = {}

    def paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self.is_interactive else text

    def line(self, text: str = "") -> None:
        print(text, flush=True)

    @contextmanager
    def stage(self, title: str) -> Iterator["Stage"]:
        """Print `title` with the seconds that the block took; stages may overlap."""
        stage, start = Stage(), time.monotonic()
        try:
            yield stage
        except Exception:
            self.line(f"  {self.paint(RED, '✗')} {title}")
            raise
        seconds = time.monotonic() - start
        self.times[title] = round(seconds, 1)
        note = self.paint(DIM, f"  {stage.note}") if stage.note else ""
        self.line(f"  {self.paint(GREEN, '✓')} {title:<{WIDTH}} {seconds:5.1f} s{note}")

    def warn(self, text: str) -> None:
        self.line(f"  {self.paint(YELLOW, '!')} {text}")

    def error(self, text: str) -> None:
        self.line(f"\n{self.paint(RED, text)}")

    def total(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started


class Stage:
    """What a stage may say about itself when it ends."""

    note = ""
