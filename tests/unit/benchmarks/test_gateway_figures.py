import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gateway.figures import (
    BY_NAME,
    DIRECT,
    GATEWAY,
    GOALS,
    LITELLM,
    RELAY,
    Results,
    Verdict,
    percentile,
    ratio,
    verdicts,
)
from benchmarks.gateway.table import figures_table, goals_table, markdown, times

TIMES = st.lists(st.floats(0, 1e6), min_size=1)


def results(**values: dict[str, list[float]]) -> Results:
    return Results(values)


def test_percentiles_are_values_that_were_seen() -> None:
    assert percentile([3, 1, 2, 4], 0.5) == 2
    assert percentile(list(range(1, 101)), 0.99) == 99
    assert percentile([7], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(TIMES, st.floats(0, 1))
def test_a_percentile_is_exceeded_by_its_share_at_most(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value > found for value in values) <= (1 - share) * len(values) + 1e-6


def test_a_figure_is_the_median_of_its_rounds() -> None:
    assert results(gateway={"requests": [10, 30, 20]}).of(GATEWAY, BY_NAME["requests"]) == 20
    assert results().of(GATEWAY, BY_NAME["requests"]) is None


def test_an_added_time_is_compared_within_its_round() -> None:
    drifting = results(gateway={"latency_p50": [1.5, 10.5]}, direct={"latency_p50": [1.0, 10.0]})
    assert drifting.of(GATEWAY, BY_NAME["latency_p50"]) == 0.5
    assert drifting.of(DIRECT, BY_NAME["latency_p50"]) == 5.5


def test_what_was_not_measured_has_no_ratio() -> None:
    assert ratio(10, 4) == 2.5
    assert ratio(None, 4) is ratio(10, None) is ratio(10, 0) is None


def test_goals_are_met_at_their_limit() -> None:
    found = {
        (verdict.goal.measure, verdict.goal.against): verdict
        for verdict in verdicts(
            results(
                gateway={"requests": [2000], "streams": [390], "start": [1.0], "memory": [121.0]},
                litellm={"requests": [100], "streams": [10]},
                relay={"requests": [4001], "streams": [500]},
            )
        )
    }
    assert found["requests", LITELLM].is_met is True
    assert found["streams", LITELLM].is_met is False
    assert found["requests", RELAY].is_met is False
    assert found["streams", RELAY].is_met is True
    assert found["start", None].is_met is True
    assert found["memory", None].is_met is False
    assert found["slow_gap", None].is_met is None
    assert len(found) == len(GOALS)


@pytest.mark.parametrize(("value", "met"), [(99.9, True), (100, True), (100.1, False), (None, None)])
def test_a_limit_from_above(value: float | None, met: bool | None) -> None:
    assert Verdict(GOALS[-1], value).is_met is met


def test_the_tables_show_ratios_and_leave_out_what_was_not_measured() -> None:
    found = results(
        gateway={"requests": [3000], "latency_p50": [0.4], "streams": [12]},
        relay={"requests": [4000], "latency_p50": [0.3]},
        litellm={"requests": [120]},
        direct={"requests": [20000], "latency_p50": [0.1]},
    )
    assert figures_table(found).splitlines()[2:] == [
        "| requests/s, 16 connections (1/s) | 3,000 | 4,000 | 120 | 20,000 | 25.0 × | 0.75 × |",
        "| streams/s of 50 chunks, 16 connections (1/s) | 12 |  |  |  |  |  |",
        "| added latency, 1 connection, p50 (ms) | 0.30 | 0.20 |  | 0.10 |  |  |",
    ]
    goals = goals_table(found).splitlines()
    assert goals[2] == "| requests/s, 16 connections: at least 20 × LiteLLM's proxy | 25.0 × | met |"
    assert goals[3].endswith("|  | not measured |")
    assert "added latency, 1 connection, p50: at most 1 ms | 0.30 | met" in markdown(found)


def test_ratios_are_short() -> None:
    assert [times(value) for value in (None, 0.5, 12.345)] == ["", "0.50 ×", "12.3 ×"]
