"""The results as Markdown."""

from collections.abc import Iterable, Sequence

from benchmarks.gateway.figures import (
    BY_NAME,
    DIRECT,
    GATEWAY,
    LITELLM,
    MEASURES,
    RELAY,
    Measure,
    Results,
    Verdict,
    ratio,
    verdicts,
)

COLUMNS = (
    (GATEWAY, "gateway"),
    (RELAY, "bare relay"),
    (LITELLM, "LiteLLM's proxy"),
    (DIRECT, "upstream alone"),
)
ANSWERS = {True: "met", False: "**not met**", None: "not measured"}


def markdown(results: Results) -> str:
    """Two tables: the figures with their ratios, and the goals."""
    return f"{figures_table(results)}\n\n{goals_table(results)}\n"


def figures_table(results: Results) -> str:
    rows = []
    for measure in MEASURES:
        values = [results.of(subject, measure) for subject, _ in COLUMNS]
        if any(value is not None for value in values):
            to_litellm, to_relay = ratio(values[0], values[2]), ratio(values[0], values[1])
            if measure.added:  # a ratio of small differences says nothing
                to_litellm = to_relay = None
            cells = [number(value, measure) for value in values]
            title = f"{measure.title} ({measure.unit})" if measure.unit else measure.title
            rows.append([title, *cells, times(to_litellm), times(to_relay)])
    heads = ["", *(title for _, title in COLUMNS), "gateway ÷ LiteLLM", "gateway ÷ relay"]
    return _table(heads, rows)


def goals_table(results: Results) -> str:
    return _table(["goal", "measured", ""], [_goal(verdict) for verdict in verdicts(results)])


def number(value: float | None, measure: Measure) -> str:
    return "" if value is None else f"{value:,.{measure.digits}f}"


def times(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f} ×" if value >= 10 else f"{value:.2f} ×"


def _goal(verdict: Verdict) -> Sequence[str]:
    goal = verdict.goal
    measure = BY_NAME[goal.measure]
    if goal.against is None:
        wanted, found = f"{goal.limit:g} {measure.unit}", number(verdict.value, measure)
    else:
        wanted, found = f"{goal.limit:g} × {dict(COLUMNS)[goal.against]}", times(verdict.value)
    return [f"{measure.title}: {goal.sense} {wanted}", found, ANSWERS[verdict.is_met]]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
