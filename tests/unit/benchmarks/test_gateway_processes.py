"""What a benchmark starts ends with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCHMARK = """
import shlex, sys, time
from pathlib import Path
from benchmarks.gateway.processes import Process, cores
wait = shlex.join([sys.executable, "-c", "import time; time.sleep(60)"])
process = Process(wait, cores()[0], lambda: True, Path(sys.argv[1]))
if sys.argv[2] == "paused":
    process.pause()
print(process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("state", ["running", "paused"])
def test_children_end_with_a_killed_benchmark(tmp_path: Path, state: str) -> None:
    command = [sys.executable, "-c", BENCHMARK, str(tmp_path / "log"), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as benchmark:
        assert benchmark.stdout is not None
        pid = int(benchmark.stdout.readline())
        benchmark.kill()
    for _ in range(200):
        if not _is_alive(pid):
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the child outlived its benchmark")


def _is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
