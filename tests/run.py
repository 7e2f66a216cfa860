"""The whole suite, as `make test` runs it: static checks, every level of tests, and a table of counts at the end.

The stack for the end-to-end and browser tests starts at once, with data and ports of its own, while the levels that
need none are running. A second one, with IAM enforced, comes up while the first is being killed part by part: there a
missing permission fails a test.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree  # reads only what our own pytest wrote

from local.build import build_page
from local.settings import LocalSettings
from local.terminal import Terminal

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".local" / "test"
REPORTS = HOME / "reports"
STACK_SECONDS = 600
# In this order their modules are run; those of many seconds, the harness and the linter, are not left to the end.
LEVELS = ["tests/unit", "tests/contract", "tests/functional", "tests/gateway"]
LOGS_OF_CODE = ("functions.log", "gateway.log")
COMPLAINT = re.compile(r'"level": ?"(WARNING|ERROR|CRITICAL)"')
TRACEBACK = re.compile(r"(?P<start>[^{]*)Traceback \(most recent call last\):")  # `start`: time and function, if any
REFUSAL = "Exception: Unauthorized"  # an authorizer says so to API Gateway that somebody may not come in
SHOWN_LINES = 40
CHECKS = (
    (["ruff", "check"], ROOT),
    (["ruff", "format", "--check"], ROOT),
    (["mypy"], ROOT),
    (["npm", "run", "--silent", "lint"], ROOT / "frontend"),
    (["npm", "test", "--silent"], ROOT / "frontend"),
)


@dataclass(frozen=True)
class Stack:
    """One running system: its data are in `home`, its servers listen from `port` on."""

    home: Path
    port: int

    @property
    def settings(self) -> dict[str, str]:
        ports = {name: str(self.port + place) for place, name in enumerate(LocalSettings().ports())}
        return {"LISA_HOME": str(self.home), **ports}

    @property
    def outputs(self) -> Path:
        return self.home / "outputs.json"

    @property
    def log(self) -> Path:
        return self.home / "stack.log"

    def complaints(self) -> Iterator[str]:
        """The last warnings and errors that its functions and its gateway logged."""
        for name in LOGS_OF_CODE:
            log = self.home / "logs" / name
            if log.exists():
                yield f"The last warnings and errors of {log}:"
                yield from complaints(log.read_text(errors="replace"))[-SHOWN_LINES:]


def complaints(log: str) -> list[str]:
    """The lines of warnings, errors and tracebacks."""
    found: list[str] = []
    first = 0  # of a traceback's lines
    inside: str | None = None  # a traceback, whose lines start so
    for line in log.splitlines():
        if begins := TRACEBACK.match(line):
            first, inside = len(found), begins["start"]
        elif inside is not None and not line.startswith(f"{inside} "):
            inside = None  # this line, without the indent of the others, names the exception
            if line.endswith(REFUSAL):
                del found[first:]
                continue
        elif inside is None and not COMPLAINT.search(line):
            continue
        found.append(line)
    return found


class Suite:
    """Runs parts one after another and remembers how each ended."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.failed: list[str] = []
        self.counts: dict[str, Counter[str]] = {}

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.started:5.0f} s] {text}", flush=True)

    def check(self, command: list[str], folder: Path) -> None:
        program = ROOT / ".venv" / "bin" / command[0]
        done = subprocess.run(
            [str(program) if program.exists() else command[0], *command[1:]],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        name = " ".join(command)
        self.say(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'}")
        if done.returncode:
            self.failed.append(name)
            print(done.stdout[-4000:] + done.stderr[-4000:], flush=True)

    def pytest(self, name: str, paths: list[str], *options: str, stack: Stack | None = None) -> None:
        report = REPORTS / f"{name.replace(' ', '-')}.xml"
        self.say(f"{name} …")
        environment = dict(os.environ)
        if stack:
            environment |= {"LISA_OUTPUTS": str(stack.outputs)} | stack.settings
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *paths, f"--junitxml={report}", *options],
            cwd=ROOT,
            env=environment,
            check=False,
        )
        if done.returncode:
            self.failed.append(name)
            if stack:
                print(*stack.complaints(), sep="\n", flush=True)
        if report.exists():
            self._count(name, report)

    def _count(self, name: str, report: Path) -> None:
        suffix = name.partition(" ")[2]
        for case in ElementTree.parse(report).iter("testcase"):
            _, _, level = case.get("classname", "").partition("tests.")
            level = " ".join([level.partition(".")[0] or "collection", suffix]).strip()
            kinds = {child.tag for child in case}
            ended = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
            self.counts.setdefault(level, Counter())[ended] += 1

    def finish(self) -> int:
        total: Counter[str] = Counter()
        print(f"\n{'level':<16}{'passed':>8}{'failed':>8}{'skipped':>8}")
        for level, count in self.counts.items():
            print(f"{level:<16}{count['passed']:>8}{count['failed']:>8}{count['skipped']:>8}")
            total += count
        self.say("done" if not self.failed else f"FAILED: {', '.join(self.failed)}")
        print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
        return 1 if self.failed else 0


@contextlib.contextmanager
def running(suite: Suite, stack: Stack, **settings: str) -> Iterator[None]:
    """A stack with nothing in it yet; its output is kept, and shown when it does not start."""
    shutil.rmtree(stack.home, ignore_errors=True)
    stack.home.mkdir(parents=True)
    environment = {**os.environ, **stack.settings, **settings}
    with stack.log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "up"], cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            suite.failed.append("stopping the stack")


def ready(suite: Suite, stack: Stack) -> bool:
    """Whether the stack came up in time."""
    deadline = time.monotonic() + STACK_SECONDS
    while time.monotonic() < deadline:
        if stack.outputs.exists() and json.loads(stack.outputs.read_text()):
            suite.say("the stack is ready")
            return True
        time.sleep(0.5)
    suite.failed.append("starting the stack")
    print(stack.log.read_text()[-6000:], flush=True)
    return False


def main() -> int:
    suite = Suite()
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    asyncio.run(build_page(LocalSettings(home=HOME), Terminal()))  # its packages are needed by the checks, too
    free, enforcing = Stack(HOME / "stack", 8780), Stack(HOME / "iam", 8790)
    shared = ("-n", "3", "-m", "not disruptive and not slow")
    with contextlib.ExitStack() as second:
        with running(suite, free):
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda check: suite.check(*check), CHECKS))
            # By module, so that each makes its servers once; three at a time, since many tests wait for silence.
            suite.pytest("fast", LEVELS, "-n", "3", "--dist", "loadscope", "--no-loadscope-reorder")
            is_ready = ready(suite, free)
            if is_ready:
                suite.pytest("stack", ["tests/e2e", "tests/browser"], *shared, stack=free)
            second.enter_context(running(suite, enforcing, LISA_ENFORCE_IAM="1"))
            if is_ready:
                suite.pytest("alone", ["tests/e2e"], "-m", "disruptive or slow", stack=free)
        if ready(suite, enforcing):
            suite.pytest("stack (IAM)", ["tests/e2e"], *shared, stack=enforcing)
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
