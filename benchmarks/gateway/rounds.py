"""One run: every subject is measured in turn, again and again, so that a drift of the machine meets all of them."""

import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.gateway import load
from benchmarks.gateway.answers import request
from benchmarks.gateway.cloud import Cloud
from benchmarks.gateway.figures import Results
from benchmarks.gateway.subjects import (
    Subject,
    install_litellm,
    start_gateway,
    start_litellm,
    start_relay,
    start_upstream,
)

CONNECTIONS = 16
WARM_UP_SECONDS = 0.5
TOUCHES = 20
PACED, PACED_CHUNKS = "paced-20", 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often. `slow_chunks`: of each slow stream, one every 0.5 to 1 s."""

    seconds: float = 5
    rounds: int = 3
    starts: int = 5
    calls: int = 1000
    paced_streams: int = 8
    slow_streams: int = 500
    slow_chunks: int = 20
    slow_per_second: float = 100
    with_litellm: bool = True

    @classmethod
    def quick(cls, with_litellm: bool) -> "Plan":
        return cls(1, 1, 1, 200, 2, 100, 3, 100, with_litellm)

    @property
    def slow(self) -> str:
        return f"slow-{self.slow_chunks}"

    @property
    def behaviours(self) -> list[str]:
        return ["fast", PACED, self.slow]


class Run:
    """Starts everything, measures, stops everything."""

    def __init__(self, plan: Plan, folder: Path, measured: int, other: int) -> None:
        self._plan = plan
        self._folder = folder
        self._measured = measured
        self._other = other
        self._stack = ExitStack()
        self.results = Results()

    def __call__(self) -> Results:
        with self._stack:
            subjects = self._start()
            for number in range(self._plan.rounds):
                for subject in subjects:
                    say(f"round {number + 1} of {self._plan.rounds}: {subject.name}")
                    self._awake(subject, self._round)
            for subject in subjects:
                say(f"slow streams: {subject.name}")
                self._awake(subject, self._slow)
                if subject.process is not None:
                    self.results.add(subject.name, "memory_after", subject.process.memory_bytes() / 1e6)
        return self.results

    def _start(self) -> Sequence[Subject]:
        plan = self._plan
        if plan.with_litellm:
            install_litellm()
        upstream, process = start_upstream(self._folder, self._other)
        self._stack.callback(process.stop)
        say("starting the emulator")
        cloud = Cloud(self._folder, self._other)
        self._stack.callback(cloud.process.stop)
        for name in plan.behaviours:
            cloud.register(name, f"http://127.0.0.1:{upstream.port}/{name}/v1")
        folder, core = self._folder, self._measured
        subjects = [
            upstream,
            self._started(plan.starts, lambda: start_gateway(folder, core, cloud)),
            self._started(plan.starts, lambda: start_relay(folder, core, upstream)),
        ]
        if plan.with_litellm:
            subjects.append(self._started(1, lambda: start_litellm(folder, core, upstream, plan.behaviours)))
        return subjects

    def _started(self, times: int, start: Callable[[], Subject]) -> Subject:
        """Started again and again; the last one stays, paused."""
        for number in range(times):
            subject = start()
            process = subject.process
            assert process is not None
            say(f"start {number + 1} of {times}: {subject.name} {process.start_seconds:.2f} s")
            self.results.add(subject.name, "start", process.start_seconds)
            self.results.add(subject.name, "memory", process.ready_bytes / 1e6)
            if number == times - 1:
                self._stack.callback(process.stop)
                uvloop.run(self._touch(subject))
                process.pause()
            else:
                process.stop()
        return subject

    @staticmethod
    async def _touch(subject: Subject) -> None:
        """The first calls import and connect, LiteLLM's for seconds."""
        for streamed in (False, True):
            ask = request(subject.path("fast"), "fast", subject.credential, streamed)
            (await load.run_times(subject.port, ask, streamed, TOUCHES)).checked()

    @staticmethod
    def _awake(subject: Subject, measure: Callable[[Subject], Coroutine[None, None, None]]) -> None:
        if subject.process is not None:
            subject.process.resume()
        try:
            uvloop.run(measure(subject))
        finally:
            if subject.process is not None:
                subject.process.pause()

    async def _round(self, subject: Subject) -> None:
        plan = self._plan
        ask = request(subject.path("fast"), "fast", subject.credential)
        ask_stream = request(subject.path("fast"), "fast", subject.credential, stream=True)
        for measure, question, streamed in (("request", ask, False), ("stream", ask_stream, True)):
            await load.run_for(subject.port, question, streamed, CONNECTIONS, WARM_UP_SECONDS)
            before, started = _processor(subject), time.perf_counter()
            tally = (await load.run_for(subject.port, question, streamed, CONNECTIONS, plan.seconds)).checked()
            used = _processor(subject) - before
            self.results.add(subject.name, f"{measure}s", len(tally.durations) / plan.seconds)
            if subject.process is not None:
                done = len(tally.durations) * (time.perf_counter() - started) / plan.seconds
                self.results.add(subject.name, f"{measure}_cpu", used / done * 1e6)
            if streamed:
                self.results.add(subject.name, "pieces", tally.pieces / len(tally.durations))
        await self._one_connection(subject, ask)

    async def _one_connection(self, subject: Subject, ask: bytes) -> None:
        plan = self._plan
        calls = (await load.run_times(subject.port, ask, False, plan.calls)).checked()
        paced_ask = request(subject.path(PACED), PACED, subject.credential, stream=True)
        paced = (await load.run_times(subject.port, paced_ask, True, plan.paced_streams)).checked()
        firsts = (await load.run_times(subject.port, _stream_ask(subject), True, plan.calls // 5)).checked()
        assert len(paced.delays_ns) == PACED_CHUNKS * plan.paced_streams, "a chunk is missing"
        for share, name in ((0.5, "p50"), (0.99, "p99")):
            self.results.add(subject.name, f"latency_{name}", load.milliseconds(calls.durations, share))
            self.results.add(subject.name, f"first_{name}", load.milliseconds(firsts.firsts, share))
            self.results.add(subject.name, f"chunk_{name}", load.milliseconds_of_ns(paced.delays_ns, share))

    async def _slow(self, subject: Subject) -> None:
        plan = self._plan
        ask = request(subject.path(plan.slow), plan.slow, subject.credential, stream=True)
        before, started = _processor(subject), time.perf_counter()
        tally = await load.run_slow_streams(subject.port, ask, plan.slow_streams, plan.slow_per_second)
        seconds = time.perf_counter() - started
        tally.checked()
        assert len(tally.durations) == plan.slow_streams, "a stream is missing"
        assert len(tally.delays_ns) == plan.slow_streams * plan.slow_chunks, "a chunk is missing"
        self.results.add(subject.name, "slow_gap", max(tally.excesses_ns) / 1e6)
        self.results.add(subject.name, "slow_late_p99", load.milliseconds_of_ns(tally.delays_ns, 0.99))
        if subject.process is not None:
            self.results.add(subject.name, "slow_cpu", 100 * (_processor(subject) - before) / seconds)


def _stream_ask(subject: Subject) -> bytes:
    return request(subject.path("fast"), "fast", subject.credential, stream=True)


def _processor(subject: Subject) -> float:
    return 0.0 if subject.process is None else subject.process.processor_seconds()


def say(text: str) -> None:
    print(text, flush=True)
