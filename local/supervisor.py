"""Keeps processes running: started, checked, restarted when they end, stopped in order."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.problems import LocalError
from local.settings import ROOT
from local.terminal import Terminal

CHECK_SECONDS = 5.0
FAILED_CHECKS = 12  # a busy machine answers late; a minute of silence is a hang
STEADY_SECONDS = 60.0  # after that a crash is a new one
LONGEST_PAUSE_SECONDS = 30.0
LOG_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Part:
    """One process of the stack. `is_ready` must be quick and may raise OSError or TimeoutError."""

    name: str
    command: tuple[str | Path, ...]
    environment: Mapping[str, str]
    is_ready: Callable[[], Awaitable[bool]]
    start_seconds: float = 60.0
    stop_seconds: float = 15.0
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    folder: Path = ROOT


@dataclass
class Running:
    """A part's process and its fate so far."""

    part: Part
    log: Path
    process: asyncio.subprocess.Process | None = None
    started: float = 0.0
    restarts: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    watcher: asyncio.Task[None] | None = None


class Supervisor:
    """Owns the parts of one run; `stop` ends them in the reverse order of their start."""

    def __init__(self, logs: Path, terminal: Terminal) -> None:
        self.logs = logs
        self.terminal = terminal
        self.parts: dict[str, Running] = {}
        self.stopping = False
        logs.mkdir(parents=True, exist_ok=True)

    async def start(self, part: Part) -> None:
        """Start a part and wait until it is ready.

        Raises: LocalError when it ends, or is not ready in time.
        """
        running = Running(part, self.logs / f"{part.name}.log")
        self.parts[part.name] = running
        await self._spawn(running)
        deadline = time.monotonic() + part.start_seconds
        while not await _is_ready(part):
            assert running.process is not None
            if running.process.returncode is not None:
                raise LocalError(f"{part.name} ended while starting (exit {running.process.returncode}).", running.log)
            if time.monotonic() > deadline:
                raise LocalError(f"{part.name} was not ready within {part.start_seconds:.0f} s.", running.log)
            await asyncio.sleep(0.05)
        running.ready.set()
        running.watcher = asyncio.create_task(self._watch(running))

    async def _spawn(self, running: Running) -> None:
        part = running.part
        if running.log.exists() and running.log.stat().st_size > LOG_BYTES:
            running.log.replace(running.log.with_suffix(".log.1"))
        with running.log.open("ab") as output:
            running.process = await asyncio.create_subprocess_exec(
                *part.command,
                env=dict(part.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=part.folder,
                user=part.user,
                start_new_session=True,  # Ctrl-C is for the runner, which stops the parts in order
                preexec_fn=die_with_parent(part.stop_signal),
            )
        running.started = time.monotonic()

    async def _watch(self, running: Running) -> None:
        """Restart the part whenever it ends or stays silent."""
        pause = 0.5
        while not self.stopping:
            await self._until_broken(running)
            if self.stopping:
                return
            running.ready.clear()
            assert running.process is not None
            if time.monotonic() - running.started > STEADY_SECONDS:
                pause = 0.5
            code = running.process.returncode
            self.terminal.warn(f"{running.part.name} ended (exit {code}); starting it again. Log: {running.log}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            running.restarts += 1
            await self._spawn(running)
            deadline = time.monotonic() + running.part.start_seconds
            while time.monotonic() < deadline and running.process.returncode is None:
                if await _is_ready(running.part):
                    running.ready.set()
                    self.terminal.warn(f"{running.part.name} is back.")
                    break
                await asyncio.sleep(0.1)

    async def _until_broken(self, running: Running) -> None:
        assert running.process is not None
        failed = 0
        while failed < FAILED_CHECKS:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(running.process.wait(), CHECK_SECONDS)
                return
            failed = 0 if await _is_ready(running.part) else failed + 1
        _signal_group(running.process, signal.SIGKILL)
        await running.process.wait()

    async def stop(self) -> None:
        """End every part, the last started first: SIGTERM, then patience, then SIGKILL."""
        self.stopping = True
        for running in reversed(self.parts.values()):
            if running.watcher:
                running.watcher.cancel()
            process = running.process
            if process is None or process.returncode is not None:
                continue
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(running.part.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), running.part.stop_seconds)
            except TimeoutError:
                self.terminal.warn(f"{running.part.name} did not end by itself; it was killed.")
            _signal_group(process, signal.SIGKILL)
            await process.wait()

    def pids(self) -> dict[str, int]:
        """Part → process id, of those that run."""
        return {
            name: running.process.pid
            for name, running in self.parts.items()
            if running.process and running.process.returncode is None
        }


async def _is_ready(part: Part) -> bool:
    try:
        return await asyncio.wait_for(part.is_ready(), CHECK_SECONDS)
    except (OSError, TimeoutError):
        return False


def _signal_group(process: asyncio.subprocess.Process, what: signal.Signals) -> None:
    """To the process and all it has started: each part leads a group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, what)


def die_with_parent(how: signal.Signals) -> Callable[[], None]:
    """To be called in a child: on Linux the kernel ends it when its parent was killed, so that no port stays taken."""
    if sys.platform != "linux":
        return lambda: None
    libc = ctypes.CDLL(None)

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(how))

    return ask_kernel
