"""The template is clean for SAM and cfn-lint, and whole for every combination of its switches."""

import json
import os
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.template import ROOT, choices, conditions, references, resolve, template, tool

Outcome = tuple[tuple[str, bool], ...]
# A resolved template does not use all parameters, and an empty SubnetIds is no list of subnets.
IGNORED = ("W2001", "W1030")


def outcomes() -> dict[Outcome, dict[str, str]]:
    """The different ways that the conditions can come out, each with a choice that leads there."""
    return {tuple(sorted(conditions(chosen).items())): chosen for chosen in choices()}


def covering() -> list[dict[str, str]]:
    """A few choices among which every pair of conditions has every pair of values that it can have.

    Linting takes seconds each; LISA_LINT_ALL=1 lints all of them.
    """
    found = outcomes()
    if os.environ.get("LISA_LINT_ALL"):
        return list(found.values())
    pairs = {outcome: set(combinations(outcome, 2)) for outcome in found}
    wanted = set().union(*pairs.values())
    picked = []
    while wanted:
        best = max(found, key=lambda outcome: len(pairs[outcome] & wanted))
        wanted -= pairs[best]
        picked.append(found[best])
    return picked


def name_of(number: int, chosen: dict[str, str]) -> str:
    return "-".join([str(number), *(switch for switch, value in chosen.items() if value == "true")])


COVERING = {name_of(number, chosen): chosen for number, chosen in enumerate(covering())}


def run(*command: str | Path) -> tuple[int, str]:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_sam_finds_nothing() -> None:
    status, said = run(tool("sam"), "validate", "--lint")
    assert status == 0, said[-3000:]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What cfn-lint finds, by the name of the choice; in one call, since it reads rules and schemas for seconds."""
    folder = tmp_path_factory.mktemp("templates")
    for name, chosen in COVERING.items():
        (folder / f"{name}.json").write_text(json.dumps(resolve(chosen)))
    answer = folder / "answer"
    options = ("--ignore-checks", *IGNORED, "--format", "json", "--output-file", answer)
    status, said = run(tool("cfn-lint"), *options, "--template", *folder.glob("*.json"))
    assert answer.exists(), said[-3000:]
    matches = json.loads(answer.read_text())
    assert (status == 0) == (matches == []), said[-3000:]
    return {name: [match for match in matches if Path(match["Filename"]).stem == name] for name in COVERING}


@pytest.mark.parametrize("name", COVERING)
def test_cfn_lint_finds_nothing_in_what_is_created(found: dict[str, list[Any]], name: str) -> None:
    assert found[name] == []


def test_nothing_refers_to_what_a_combination_leaves_out() -> None:
    source = template()
    always = set(source["Parameters"])
    for chosen in outcomes().values():
        resolved = resolve(chosen)
        for section in ("Resources", "Outputs"):
            for name, item in resolved[section].items():
                for referred in references(item):
                    known = referred in resolved["Resources"] or referred in always or referred.startswith("AWS::")
                    assert known, f"{section} {name} refers to {referred}, which is not created with {chosen}"


def test_every_condition_comes_out_both_ways() -> None:
    seen = {pair for outcome in outcomes() for pair in outcome}
    assert seen == {(name, value) for name in template()["Conditions"] for value in (True, False)}


def test_every_parameter_and_condition_is_used() -> None:
    source = template()
    used = set(references([source["Resources"], source["Outputs"], source["Conditions"], source["Globals"]]))
    assert set(source["Parameters"]) <= used


def test_parameters_explain_themselves_and_are_grouped_once() -> None:
    source = template()
    for name, parameter in source["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, f"{name} has no default: a guided deployment would have to ask"
    groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(source["Parameters"])
