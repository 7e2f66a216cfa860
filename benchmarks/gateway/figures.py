"""The arithmetic: percentiles, medians over rounds, ratios, and which goals are met."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

GATEWAY, LITELLM, RELAY, DIRECT = "gateway", "litellm", "relay", "direct"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all values do not exceed. Raises: ValueError for none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


def ratio(mine: float | None, theirs: float | None) -> float | None:
    """None where one of them was not measured, or is 0."""
    return mine / theirs if mine is not None and theirs else None


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. `added`: what is reported is the difference to the upstream alone."""

    name: str
    title: str
    unit: str
    digits: int = 1
    added: bool = False


MEASURES = (
    Measure("requests", "requests/s, 16 connections", "1/s", 0),
    Measure("streams", "streams/s of 50 chunks, 16 connections", "1/s", 0),
    Measure("request_cpu", "processor time of a request", "µs", 0),
    Measure("stream_cpu", "processor time of a stream", "µs", 0),
    Measure("pieces", "pieces in which such a stream arrives", "", 0),
    Measure("latency_p50", "added latency, 1 connection, p50", "ms", 2, added=True),
    Measure("latency_p99", "added latency, 1 connection, p99", "ms", 2, added=True),
    Measure("first_p50", "added time to first token, p50", "ms", 2, added=True),
    Measure("first_p99", "added time to first token, p99", "ms", 2, added=True),
    Measure("chunk_p50", "a chunk every 20 ms is late by, p50", "ms", 2, added=True),
    Measure("chunk_p99", "a chunk every 20 ms is late by, p99", "ms", 2, added=True),
    Measure("start", "start to readiness", "s", 2),
    Measure("memory", "memory when ready", "MB", 0),
    Measure("memory_after", "memory after the load", "MB", 0),
    Measure("slow_gap", "largest gap beyond the upstream's own, slow streams", "ms", 0),
    Measure("slow_late_p99", "a chunk of slow streams is late by, p99", "ms", 1),
    Measure("slow_cpu", "core used by slow streams", "%", 0),
)


class Results:
    """What was measured: a list of values (one a round) by subject and measure."""

    def __init__(self, values: dict[str, dict[str, list[float]]] | None = None) -> None:
        self.values: dict[str, dict[str, list[float]]] = values or {}

    def add(self, subject: str, measure: str, value: float) -> None:
        self.values.setdefault(subject, {}).setdefault(measure, []).append(value)

    def of(self, subject: str, measure: Measure) -> float | None:
        """The median of the rounds; of an added time, the median of the rounds' differences to the upstream alone."""
        found = self.values.get(subject, {}).get(measure.name)
        if not found:
            return None
        if measure.added and subject != DIRECT:
            alone = self.values[DIRECT][measure.name]
            return median(mine - base for mine, base in zip(found, alone, strict=True))
        return median(found)


@dataclass(frozen=True, slots=True)
class Goal:
    """`against`: the goal is a ratio to that subject; None: a value of our own."""

    measure: str
    limit: float
    sense: Literal["at least", "at most"]
    against: str | None = None


GOALS = (
    Goal("requests", 20, "at least", LITELLM),
    Goal("streams", 40, "at least", LITELLM),
    Goal("requests", 0.5, "at least", RELAY),
    Goal("streams", 0.5, "at least", RELAY),
    Goal("latency_p50", 1, "at most"),
    Goal("latency_p99", 5, "at most"),
    Goal("start", 1, "at most"),
    Goal("memory", 120, "at most"),
    Goal("slow_gap", 100, "at most"),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and what was measured; `value` and `is_met` are None where that was not done."""

    goal: Goal
    value: float | None

    @property
    def is_met(self) -> bool | None:
        if self.value is None:
            return None
        return self.value >= self.goal.limit if self.goal.sense == "at least" else self.value <= self.goal.limit


def verdicts(results: Results) -> list[Verdict]:
    """Every goal, in order."""
    found = []
    for goal in GOALS:
        measure = BY_NAME[goal.measure]
        value = results.of(GATEWAY, measure)
        if goal.against is not None:
            value = ratio(value, results.of(goal.against, measure))
        found.append(Verdict(goal, value))
    return found
