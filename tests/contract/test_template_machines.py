"""Template and state machines fit: substitutions, permissions, logs, alarms."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.fixtures.template import ROOT, listed, resources, walk

MACHINES = {name: item["Properties"] for name, item in resources("AWS::Serverless::StateMachine").items()}
PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")
# What an integration needs beyond the action of its own name.
MORE = {
    "codebuild:startBuild.sync": {"codebuild:StartBuild", "codebuild:StopBuild", "codebuild:BatchGetBuilds"}
    | {"events:PutTargets", "events:PutRule", "events:DescribeRule"},
    "lambda:invoke": {"lambda:InvokeFunction"},
    "aws-sdk:s3:listObjectsV2": {"s3:ListBucket"},
    "aws-sdk:s3:headObject": {"s3:GetObject"},
    "aws-sdk:sfn:startExecution": {"states:StartExecution"},
    "states:startExecution": {"states:StartExecution"},
}
PREFIX = "arn:aws:states:::"

each_machine = pytest.mark.parametrize(("name", "machine"), MACHINES.items(), ids=MACHINES)


def text(machine: dict[str, Any]) -> str:
    return (ROOT / str(machine["DefinitionUri"])).read_text()


def integrations(machine: dict[str, Any]) -> Iterator[str]:
    for part in walk(yaml.safe_load(text(machine))):
        if isinstance(part, dict) and str(part.get("Resource", "")).startswith(PREFIX):
            yield part["Resource"].removeprefix(PREFIX)


def actions(integration: str) -> set[str]:
    if integration in MORE:
        return MORE[integration]
    *_, service, action = integration.split(":")
    return {f"{service}:{action[0].upper()}{action[1:]}"}


def statements(machine: dict[str, Any]) -> list[dict[str, Any]]:
    return [statement for policy in machine["Policies"] for statement in policy.get("Statement", [])]


def test_every_file_is_a_machine_and_named_like_it() -> None:
    files = {path.name.removesuffix(".asl.yaml") for path in (ROOT / "statemachines").glob("*.asl.yaml")}
    named = {
        machine["DefinitionUri"].split("/")[-1].removesuffix(".asl.yaml"): name for name, machine in MACHINES.items()
    }
    assert named.keys() == files
    for file, name in named.items():
        assert name == "".join(part.capitalize() for part in file.split("_")) + "Machine"


@each_machine
def test_every_placeholder_is_filled_and_no_other(name: str, machine: dict[str, Any]) -> None:
    assert set(PLACEHOLDER.findall(text(machine))) == machine["DefinitionSubstitutions"].keys()


@each_machine
def test_a_placeholder_holds_what_it_is_called(name: str, machine: dict[str, Any]) -> None:
    for placeholder, value in machine["DefinitionSubstitutions"].items():
        if placeholder.endswith("Arn"):
            assert value == {"Fn::GetAtt": [placeholder.removesuffix("Arn") + "Function", "Arn"]}
        elif placeholder.endswith(("Table", "Bucket", "Bus", "Machine")):
            assert value == {"Ref": placeholder}


@each_machine
def test_it_may_do_what_its_states_do_and_nothing_else(name: str, machine: dict[str, Any]) -> None:
    needed = set().union(*map(actions, integrations(machine)))
    granted = {action for statement in statements(machine) for action in listed(statement["Action"])}
    extra = {"states:StartExecution", "states:DescribeExecution", "states:StopExecution", "s3:GetObject"}
    distributed = "DISTRIBUTED" in text(machine)  # starts executions of itself, and its reader reads the list from S3
    assert needed <= granted
    assert granted - needed <= (extra if distributed else set())


@each_machine
def test_it_may_call_the_functions_that_it_calls_and_no_other(name: str, machine: dict[str, Any]) -> None:
    called = {name for name in machine["DefinitionSubstitutions"] if name.endswith("Arn")}
    allowed = {
        f"{listed(arn['Fn::GetAtt'])[0].removesuffix('Function')}Arn"
        for statement in statements(machine)
        if "lambda:InvokeFunction" in listed(statement["Action"])
        for arn in listed(statement["Resource"])
    }
    assert allowed == called


@each_machine
def test_it_logs_failures_without_data_and_is_traced(name: str, machine: dict[str, Any]) -> None:
    assert machine["Logging"]["Level"] == "ERROR"
    assert machine["Logging"]["IncludeExecutionData"] is False
    assert {"Ref": "MachinesLogPolicy"} in machine["Policies"]
    assert machine["Tracing"] == {"Enabled": True}


@each_machine
def test_its_failures_ring(name: str, machine: dict[str, Any]) -> None:
    alarms = [
        alarm["Properties"]
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["Dimensions"] == [{"Name": "StateMachineArn", "Value": {"Ref": name}}]
    ]
    assert [alarm["MetricName"] for alarm in alarms] == ["ExecutionsFailed"]
