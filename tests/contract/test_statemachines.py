"""Every state machine holds what Step Functions would tell only when it runs, and what we ask of ours."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "statemachines").glob("*.asl.yaml"))
PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")
TERMINAL = ("Succeed", "Fail")


def machines_in(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The machine and those inside of its Map and Parallel states."""
    yield definition
    for state in definition["States"].values():
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state] + state.get("Branches", [])
        for part in inner:
            yield from machines_in(part)


def next_of(state: dict[str, Any]) -> Iterator[str]:
    if "Next" in state:
        yield state["Next"]
    if "Default" in state:
        yield state["Default"]
    for rule in [*state.get("Choices", []), *state.get("Catch", [])]:
        yield rule["Next"]


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


def states_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for machine in machines_in(load(path)):
        yield from machine["States"].items()


def named(path: Path) -> str:
    return path.name.removesuffix(".asl.yaml")


each_file = pytest.mark.parametrize("path", FILES, ids=named)


def test_there_are_machines() -> None:
    assert FILES


@each_file
def test_parses_before_and_after_substitution(path: Path) -> None:
    before = load(path)
    values = PLACEHOLDER.sub(
        lambda match: f"arn:aws:lambda:us-east-1:123456789012:function:{match[1]}", path.read_text()
    )
    after = yaml.safe_load(values)
    assert after["States"].keys() == before["States"].keys()
    assert not PLACEHOLDER.search(str(after))


@each_file
def test_every_target_exists_and_every_state_is_reached(path: Path) -> None:
    for machine in machines_in(load(path)):
        states = machine["States"]
        reached, waiting = set(), [machine["StartAt"]]
        while waiting:
            name = waiting.pop()
            assert name in states, f"{name} does not exist"
            if name not in reached:
                reached.add(name)
                waiting += next_of(states[name])
        assert reached == states.keys()


@each_file
def test_every_state_leads_somewhere(path: Path) -> None:
    for name, state in states_of(path):
        if state["Type"] in TERMINAL:
            assert not {"Next", "End", "Catch"} & state.keys(), name
        elif state["Type"] == "Choice":
            assert "Default" in state, f"{name}: without Default an unforeseen value fails with States.NoChoiceMatched"
        else:
            assert ("Next" in state) != (state.get("End") is True), name


@each_file
def test_every_task_has_a_deadline_retries_and_a_catch_for_everything(path: Path) -> None:
    for name, state in states_of(path):
        if state["Type"] != "Task":
            continue
        assert 0 < int(state["TimeoutSeconds"]) <= 3600, name
        assert state["Retry"], name
        for rule in state["Retry"]:
            if rule.get("MaxAttempts") != 0:
                assert rule["BackoffRate"] > 1, f"{name}: retries must back off"
                assert rule["JitterStrategy"] == "FULL", f"{name}: retries must not come together"
        caught = [error for rule in state["Catch"] for error in rule["ErrorEquals"]]
        assert caught[-1] == "States.ALL", name


@each_file
def test_states_all_stands_alone_and_last(path: Path) -> None:
    for name, state in states_of(path):
        for rules in (state.get("Retry", []), state.get("Catch", [])):
            for index, rule in enumerate(rules):
                if "States.ALL" in rule["ErrorEquals"]:
                    assert rule["ErrorEquals"] == ["States.ALL"], name
                    assert index == len(rules) - 1, name


@each_file
def test_parameters_with_paths_say_so(path: Path) -> None:
    def check(value: Any, where: str) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                if isinstance(part, str) and (part.startswith(("$.", "$$.", "States.")) or part == "$"):
                    assert key.endswith(".$"), f"{where}: {key} would be the text {part!r}"
                check(part, where)
        elif isinstance(value, list):
            for part in value:
                check(part, where)

    for name, state in states_of(path):
        check(state.get("Parameters"), name)
        check(state.get("ResultSelector"), name)


@each_file
def test_dynamodb_expressions_use_every_name_and_value_that_they_define(path: Path) -> None:
    for name, state in states_of(path):
        parameters = state.get("Parameters")
        if not isinstance(parameters, dict) or ":dynamodb:" not in state.get("Resource", ""):
            continue
        # A `#` in text without quotes begins a comment in YAML: then half of an expression is missing here.
        expressions = " ".join(text for key, text in parameters.items() if key.endswith("Expression"))
        defined = {*parameters.get("ExpressionAttributeNames", {}), *parameters.get("ExpressionAttributeValues", {})}
        assert set(re.findall(r"[#:]\w+", expressions)) == defined, name


@each_file
def test_tasks_use_integrations_by_name(path: Path) -> None:
    for name, state in states_of(path):
        if state["Type"] == "Task":
            assert re.fullmatch(r"arn:aws:states:::[A-Za-z0-9:.-]+", state["Resource"]), name


@each_file
def test_events_fit_their_classes(path: Path) -> None:
    from lisa.events import EVENTS

    classes = {kind.detail_type: kind for kind in EVENTS}
    for name, state in states_of(path):
        if not state.get("Resource", "").endswith("events:putEvents"):
            continue
        for entry in state["Parameters"]["Entries"]:
            kind = classes[entry["DetailType"]]
            assert entry["Source"] == kind.source, name
            detail = entry.get("Detail")
            if isinstance(detail, dict):
                keys = {key.removesuffix(".$") for key in detail}
                assert keys == {field.alias for field in kind.model_fields.values()}, name
