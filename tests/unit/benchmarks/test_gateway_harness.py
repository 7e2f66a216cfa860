"""The harness works end to end, for a few seconds each and without LiteLLM's proxy; no time is judged."""

from pathlib import Path

from benchmarks.gateway.figures import DIRECT, GATEWAY, RELAY
from benchmarks.gateway.processes import cores
from benchmarks.gateway.rounds import Plan, Run
from benchmarks.gateway.soak import Soak
from benchmarks.gateway.table import markdown

PLAN = Plan(
    seconds=0.5,
    rounds=1,
    starts=1,
    calls=50,
    paced_streams=1,
    slow_streams=20,
    slow_chunks=2,
    with_litellm=False,
)


def test_a_run_measures_every_subject(tmp_path: Path) -> None:
    results = Run(PLAN, tmp_path, *cores())()
    everything = set(results.values[GATEWAY])
    assert everything == set(results.values[RELAY])
    assert everything > set(results.values[DIRECT]) >= {"requests", "streams", "latency_p50", "slow_gap"}
    assert all(min(values) > 0 for name, values in results.values[GATEWAY].items() if name != "slow_gap")
    assert "not measured" in markdown(results)


def test_nothing_of_calls_that_fail_stays_behind(tmp_path: Path) -> None:
    report = Soak(6, tmp_path, *cores())()
    assert report.unexpected == 0, report.markdown()
    assert report.leaves_nothing, report.markdown()
    assert report.outcomes.keys() >= {"fast", "fast streamed", "client left", "cut streamed"}
