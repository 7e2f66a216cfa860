"""Load with faults, for minutes or hours: does memory stay flat, and does nothing of a call stay behind?"""

import asyncio
import contextlib
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import uvloop

from benchmarks.gateway.answers import request
from benchmarks.gateway.cloud import Cloud
from benchmarks.gateway.rounds import say
from benchmarks.gateway.subjects import Subject, start_gateway, start_upstream

SAMPLES = 20
WORKERS = 24
PAUSE_SECONDS = (0.0, 0.05)
ANSWER_SECONDS = 30
FIRST_BYTE_SECONDS = 10
WARM_UP_SHARE = 0.25  # caches fill and the allocator finds its size
ALLOWED_GROWTH = 0.05
IDLE_SECONDS = 60  # at most: idle connections are kept for 5 s to clients, and for up to twice 4 s to upstreams
# What the upstream, or the client, does; how often; what the client sees.
CALLS = (
    ("fast", False, 30, b" 200 "),
    ("fast", True, 30, b"[DONE]"),
    ("paced-20", True, 10, b"[DONE]"),
    ("error", False, 8, b" 500 "),
    ("half", False, 8, b" 502 "),
    ("cut", True, 8, b'"error"'),
    ("hang", False, 2, b" 504 "),
    ("unknown", False, 4, b" 404 "),
)
ABORTS = 12  # of 100 calls, the client leaves in the middle


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment. `files` are without the pools of AWS's clients, `objects` are Python's."""

    minute: float
    calls: int
    memory_mb: float
    files: int
    threads: int
    tasks: int
    objects: int


@dataclass(slots=True)
class Report:
    """`idle`: before the load and after it, when every connection has ended."""

    samples: list[Sample] = field(default_factory=list)
    idle: list[Sample] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def growth(self) -> float:
        """Of memory, as a share: the last third's median against the first third's after the warm-up."""
        warm = [sample.memory_mb for sample in self.samples[int(len(self.samples) * WARM_UP_SHARE) :]]
        third = max(len(warm) // 3, 1)
        return median(warm[-third:]) / median(warm[:third]) - 1

    @property
    def is_flat(self) -> bool:
        return self.growth <= ALLOWED_GROWTH

    @property
    def leaves_nothing(self) -> bool:
        before, after = self.idle
        return after.tasks <= before.tasks and after.files <= before.files

    @property
    def unexpected(self) -> int:
        return sum(count for name, count in self.outcomes.items() if name.startswith("unexpected"))

    def markdown(self) -> str:
        lines = [
            "| minute | calls | memory (MB) | open files | threads | tasks | objects |",
            "|---|---|---|---|---|---|---|",
        ]
        for sample in (self.idle[0], *self.samples, self.idle[1]):
            lines.append(
                f"| {sample.minute:.1f} | {sample.calls:,} | {sample.memory_mb:.1f} | {sample.files} "
                f"| {sample.threads} | {sample.tasks} | {sample.objects:,} |"
            )
        lines += ["", "| call | times |", "|---|---|"]
        lines += [f"| {name} | {count:,} |" for name, count in sorted(self.outcomes.items())]
        lines += [
            "",
            f"Memory {self.growth:+.1%} from the first to the last third after the warm-up: "
            f"{'flat' if self.is_flat else '**it grows**'}. "
            f"{'Nothing' if self.leaves_nothing else '**Something**'} of the calls stays behind. "
            f"{self.unexpected} unexpected answers.",
        ]
        return "\n".join(lines)


class Soak:
    """The gateway alone, with short patience, under calls of which many fail."""

    def __init__(self, seconds: float, folder: Path, measured: int, other: int) -> None:
        self._seconds = seconds
        self._folder = folder
        self._measured = measured
        self._other = other
        self._counts: Counter[str] = Counter()
        self._report = Report()
        self._random = random.Random(1)

    def __call__(self) -> Report:
        with ExitStack() as stack:
            upstream, process = start_upstream(self._folder, self._other)
            stack.callback(process.stop)
            self._cloud = Cloud(self._folder, self._other)
            stack.callback(self._cloud.process.stop)
            for name in {name for name, *_ in CALLS} - {"unknown"}:
                self._cloud.register(name, f"http://127.0.0.1:{upstream.port}/{name}/v1")
            self._gateway = start_gateway(
                self._folder,
                self._measured,
                self._cloud,
                "benchmarks.gateway.observed",
                FIRST_BYTE_SECONDS=str(FIRST_BYTE_SECONDS),
                KEEP_ALIVE_SECONDS="5",
                LOG_LEVEL="WARNING",
            )
            assert self._gateway.process is not None
            stack.callback(self._gateway.process.stop)
            uvloop.run(self._load())
        self._report.outcomes = dict(self._counts)
        return self._report

    async def _load(self) -> None:
        self._started = time.monotonic()
        await self._one(self._gateway, *CALLS[0])  # what the first call makes belongs to the idle process
        self._report.idle.append(await self._sample())
        workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
        for number in range(1, SAMPLES + 1):
            await asyncio.sleep(max(self._started + self._seconds * number / SAMPLES - time.monotonic(), 0))
            sample = await self._sample()
            self._report.samples.append(sample)
            say(f"{sample.minute:6.1f} min  {sample.calls:>9,} calls  {sample.memory_mb:.1f} MB  {sample.files} files")
            await asyncio.to_thread(self._cloud.forget_usage)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self._report.idle.append(await self._sample())
        deadline = time.monotonic() + IDLE_SECONDS
        while not self._report.leaves_nothing and time.monotonic() < deadline:
            await asyncio.sleep(1)
            self._report.idle[1] = await self._sample()

    async def _work(self) -> None:
        while True:
            name, streamed, _, expected = self._random.choices(CALLS, [weight for _, _, weight, _ in CALLS])[0]
            leaves = self._random.random() * 100 < ABORTS
            step = self._abort if leaves else self._one
            await step(self._gateway, name, streamed, 0, expected)
            await asyncio.sleep(self._random.uniform(*PAUSE_SECONDS))

    async def _one(self, subject: Subject, name: str, streamed: bool, _weight: int, expected: bytes) -> None:
        answer = await self._talk(subject, name, streamed, lambda reader: reader.read())
        kind = f"{name}{' streamed' if streamed else ''}"
        self._counts[kind if expected in answer else f"unexpected: {kind} {answer[9:12].decode()}"] += 1

    async def _abort(self, subject: Subject, name: str, streamed: bool, _weight: int, _expected: bytes) -> None:
        seconds = self._random.uniform(0, 0.1)

        async def leave(reader: asyncio.StreamReader) -> bytes:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    return await reader.read()
            return b""

        await self._talk(subject, name, streamed, leave)
        self._counts["client left"] += 1

    @staticmethod
    async def _talk(
        subject: Subject, name: str, streamed: bool, listen: Callable[[asyncio.StreamReader], Awaitable[bytes]]
    ) -> bytes:
        """A connection of its own, so that leaving in the middle is leaving."""
        reader, writer = await asyncio.open_connection("127.0.0.1", subject.port)
        question = request(subject.path(name), name, subject.credential, streamed)
        try:
            writer.write(question.replace(b"accept:", b"connection: close\r\naccept:", 1))
            async with asyncio.timeout(ANSWER_SECONDS):
                return await listen(reader)
        except (OSError, TimeoutError) as error:
            return type(error).__name__.encode()
        finally:
            writer.transport.abort()

    async def _sample(self) -> Sample:
        process = self._gateway.process
        assert process is not None
        seen = process.log().count('{"tasks"')
        process.signal(signal.SIGUSR1)
        while process.log().count('{"tasks"') == seen:  # noqa: ASYNC110 - another process answers
            await asyncio.sleep(0.05)
        told = json.loads([line for line in process.log().splitlines() if line.startswith('{"tasks"')][-1])
        return Sample(
            minute=(time.monotonic() - self._started) / 60,
            calls=self._counts.total(),
            memory_mb=process.memory_bytes() / 1e6,
            files=process.open_files(but_to=self._cloud.port),
            threads=process.threads(),
            tasks=told["tasks"],
            objects=told["objects"],
        )
