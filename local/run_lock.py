"""One run at a time per home folder: a lock that ends with its process, so that nothing stale is left behind."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.problems import LocalError

STOP_SECONDS = 60.0


@contextmanager
def only_run(home: Path) -> Iterator[None]:
    """Hold the lock of `home`.

    Raises: LocalError when another run holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(
                f"It is running already (process {running_pid(home)}). `make status` shows where, `make stop` ends it."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def running_pid(home: Path) -> int | None:
    """The process of the run that holds the lock; None when nothing runs."""
    file = home / "run.lock"
    if not file.exists():
        return None
    with file.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read().strip() or 0) or None
    return None


def stop_running(home: Path) -> bool:
    """Ask the run to end and wait until it has; False when nothing runs.

    Raises: LocalError when it does not end.
    """
    pid = running_pid(home)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while running_pid(home) is not None:
        if time.monotonic() > deadline:
            raise LocalError(f"Process {pid} does not end. `kill -9 {pid}` ends it; nothing is lost by that.")
        time.sleep(0.1)
    return True
