"""Processes on one core each: how they start, what they use, how they stop."""

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.supervisor import die_with_parent

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
STOP_SECONDS = 15
PROBE_SECONDS = 0.005
TICKS = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 0.5  # after a pause: what was due meanwhile is done


def cores() -> tuple[int, int]:
    """One for what is measured, one for everything else; the same one where there is no other."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1]


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, path: str) -> Callable[[], bool]:
    """A probe: does GET `path` answer 200? Sockets only, so that probing costs next to nothing."""
    question = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode()

    def probe() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(question)
                return connection.recv(64)[9:12] == b"200"
        except OSError:
            return False

    return probe


def _prepare(core: int) -> Callable[[], None]:
    """What a child does first: a benchmark that was killed leaves nothing that still runs, or is paused."""
    die = die_with_parent(signal.SIGKILL)

    def prepare() -> None:
        os.sched_setaffinity(0, {core})
        die()

    return prepare


class Process:
    """A child on one core. Raises: RuntimeError with the end of its output when it does not become ready."""

    def __init__(
        self,
        command: str,
        core: int,
        is_ready: Callable[[], bool],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._log = log
        started = time.perf_counter()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                shlex.split(command),
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=_prepare(core),
            )
        try:
            self._wait(is_ready)
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.perf_counter() - started
        self.ready_bytes = self.memory_bytes()

    def _wait(self, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._process.args!r} did not become ready:\n{self.log()[-3000:]}")
            time.sleep(PROBE_SECONDS)

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def memory_bytes(self) -> int:
        """Resident memory, also what is shared with other processes."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        found = re.search(r"^Rss:\s+(\d+) kB", rollup, re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024

    def processor_seconds(self) -> float:
        """Used so far, all threads, own time and the system's for it."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def open_files(self, but_to: int) -> int:
        """Without connections to the port `but_to`."""
        rows = [line.split() for line in Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]]
        left_out = {f"socket:[{row[9]}]" for row in rows if int(row[2].rpartition(":")[2], 16) == but_to}
        files = 0
        for descriptor in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                files += str(descriptor.readlink()) not in left_out
        return files

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def pause(self) -> None:
        """So that it costs the others nothing while they are measured."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        time.sleep(SETTLE_SECONDS)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def stop(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
                self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
