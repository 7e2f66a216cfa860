"""What stops the local stack and what the person at the keyboard can do about it."""

from pathlib import Path


class LocalError(Exception):
    """Shown without a traceback: `message` says what happened and what to do; `log` has the rest."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.log = log


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file, or nothing when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20_000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
