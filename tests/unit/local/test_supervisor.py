"""Parts are started, restarted and stopped; the ones of a killed runner end with it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.problems import LocalError
from local.supervisor import Part, Supervisor
from local.terminal import Terminal

WAIT = "import time, pathlib, sys; pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAIT


def part(folder: Path, name: str = "a", code: str = WAIT, **options: float) -> Part:
    marker = folder / f"{name}.ready"

    async def ready() -> bool:
        return marker.exists()

    return Part(name, (sys.executable, "-c", code, str(marker)), dict(os.environ), ready, **options)  # type: ignore[arg-type]


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path / "logs", Terminal())


async def test_a_killed_part_comes_back(tmp_path: Path, supervisor: Supervisor) -> None:
    await supervisor.start(part(tmp_path))
    first = supervisor.pids()["a"]
    (tmp_path / "a.ready").unlink()
    os.kill(first, signal.SIGKILL)
    for _ in range(100):
        await asyncio.sleep(0.05)
        if supervisor.parts["a"].ready.is_set() and supervisor.pids().get("a", first) != first:
            break
    assert supervisor.pids()["a"] != first
    assert supervisor.parts["a"].restarts == 1
    await supervisor.stop()
    assert supervisor.pids() == {}


async def test_a_part_that_ends_at_once_is_a_clear_error(tmp_path: Path, supervisor: Supervisor) -> None:
    with pytest.raises(LocalError, match=r"a ended while starting \(exit 3\)") as problem:
        await supervisor.start(part(tmp_path, code="print('no config', flush=True); raise SystemExit(3)"))
    assert problem.value.log is not None
    assert problem.value.log.read_text() == "no config\n"


async def test_a_part_that_never_gets_ready_is_a_clear_error(tmp_path: Path, supervisor: Supervisor) -> None:
    with pytest.raises(LocalError, match="not ready within 0 s"):
        await supervisor.start(part(tmp_path, code="import time; time.sleep(60)", start_seconds=0.2))
    await supervisor.stop()


async def test_the_last_started_is_stopped_first(tmp_path: Path, supervisor: Supervisor) -> None:
    log = tmp_path / "ends"
    code = (
        "import pathlib, signal, sys, time\n"
        f"def end(*_):\n    open({str(log)!r}, 'a').write(sys.argv[1][-7]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
    )
    for name in "abc":
        await supervisor.start(part(tmp_path, name, code))
    await supervisor.stop()
    assert log.read_text() == "cba"


async def test_a_part_that_ignores_the_signal_is_killed(tmp_path: Path, supervisor: Supervisor) -> None:
    await supervisor.start(part(tmp_path, code=STUBBORN, stop_seconds=0.3))
    await supervisor.stop()
    assert supervisor.pids() == {}


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_parts_end_with_a_killed_runner(tmp_path: Path) -> None:
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    pid = int(runner.stdout.readline())
    runner.kill()
    runner.wait()
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the part outlived its runner")


RUNNER = """
import asyncio, os, sys
from pathlib import Path
from local.supervisor import Part, Supervisor
from local.terminal import Terminal
async def ready(): return True
async def main():
    supervisor = Supervisor(Path(sys.argv[1]) / "logs", Terminal())
    await supervisor.start(Part("a", (sys.executable, "-c", "import time; time.sleep(60)"), dict(os.environ), ready))
    print(supervisor.pids()["a"], flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
