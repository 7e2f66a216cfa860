"""One run per home folder; a lock of a killed run is nothing."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.problems import LocalError
from local.run_lock import only_run, running_pid, stop_running

HOLD = """
import sys, time
from pathlib import Path
from local.run_lock import only_run
with only_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(30)
"""


def holder(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_says_that_there_is_one(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        assert running_pid(tmp_path) == first.pid
        with pytest.raises(LocalError, match=f"running already \\(process {first.pid}\\)"), only_run(tmp_path):
            pass
        first.kill()


def test_stop_ends_the_run_and_waits(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        assert stop_running(tmp_path)
        assert first.wait(5) == -signal.SIGTERM
    assert not stop_running(tmp_path)


def test_a_killed_run_leaves_no_lock(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        first.kill()
        first.wait(5)
    time.sleep(0.05)
    assert running_pid(tmp_path) is None
    with only_run(tmp_path):
        assert running_pid(tmp_path) is not None
