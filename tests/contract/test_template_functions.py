"""Every function of the template: its code, its name, its role, its samples, its log."""

import re
from typing import Any

import pytest

from tests.fixtures.template import ROOT, functions, references, template, walk

NAMED_OTHERWISE = {"on_schedule": "sweep_documents"}  # what it does says more than when
HANDLER = re.compile(r"^functions\.([a-z_]+)\.([a-z_]+)\.handler$")
# They speak with the database, or with Serve behind its internal load balancer.
NETWORKED = ("DATABASE_SECRET", "SERVE_URL")
# Settings that are read as a whole ask for more than these tasks touch.
UNTOUCHED = {
    "CreateSchemaFunction": {"CollectionsTable"},
    "DeleteCollectionDocumentsFunction": {"RepositoriesTable", "JobsTable"},
}

each_function = pytest.mark.parametrize(("name", "function"), functions().items(), ids=functions())


def parts(function: dict[str, Any]) -> tuple[str, str]:
    found = HANDLER.match(function["Handler"])
    assert found, function["Handler"]
    return found[1], found[2]


def variables(function: dict[str, Any]) -> dict[str, Any]:
    return dict(function["Environment"]["Variables"])


def pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


@each_function
def test_its_handler_exists(name: str, function: dict[str, Any]) -> None:
    concern, module = parts(function)
    file = ROOT / "functions" / concern / f"{module}.py"
    assert re.search(r"^def handler\(", file.read_text(), re.MULTILINE)


def test_every_handler_is_a_function() -> None:
    files = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / "functions").glob("*/*.py")}
    handlers = {function["Handler"].removesuffix(".handler") for function in functions().values()}
    assert handlers == {".".join(path.parts) for path in files if path.name != "__init__"}


@each_function
def test_its_name_says_its_module(name: str, function: dict[str, Any]) -> None:
    concern, module = parts(function)
    expected = NAMED_OTHERWISE.get(module, concern if module == "api" else module)
    assert name == f"{pascal(expected)}Function"
    assert variables(function)["POWERTOOLS_SERVICE_NAME"] == concern


@each_function
def test_it_has_a_role_of_its_own_with_statements_of_its_own(name: str, function: dict[str, Any]) -> None:
    assert "Role" not in function
    for policy in function.get("Policies", []):
        assert set(policy) == {"Version", "Statement"}, "say the actions and the resource"


@each_function
def test_it_has_a_sample_event(name: str, function: dict[str, Any]) -> None:
    assert list((ROOT / "events" / "invoke" / name).glob("*.json")), f"add events/invoke/{name}/<case>.json"


@each_function
def test_an_answer_fits_into_the_gateways_patience(name: str, function: dict[str, Any]) -> None:
    events = function.get("Events", {}).values()
    if any(event["Type"] == "Api" for event in events):
        assert function.get("Timeout", template()["Globals"]["Function"]["Timeout"]) <= 29


@each_function
def test_it_is_in_the_network_only_when_it_must(name: str, function: dict[str, Any]) -> None:
    assert ("VpcConfig" in function) == any(variable in variables(function) for variable in NETWORKED)


@each_function
def test_it_is_built_by_make(name: str, function: dict[str, Any]) -> None:
    assert template()["Resources"][name]["Metadata"] == {"BuildMethod": "makefile"}


@each_function
def test_it_may_touch_every_table_and_bucket_that_it_is_told_of(name: str, function: dict[str, Any]) -> None:
    """A name in the environment without a permission is a mistake in one of the two places."""
    allowed = set(references(function.get("Policies", [])))
    told = {
        value["Ref"]
        for variable, value in variables(function).items()
        if variable.endswith(("_TABLE", "_BUCKET", "_MACHINE")) and "Ref" in value
    }
    assert told - allowed == UNTOUCHED.get(name, set())


@each_function
def test_it_is_told_of_every_table_and_bucket_that_it_may_touch(name: str, function: dict[str, Any]) -> None:
    kinds = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Serverless::StateMachine")
    named = references(function.get("Policies", []))
    allowed = {item for item in named if template()["Resources"].get(item, {}).get("Type") in kinds}
    assert allowed <= set(references(function["Environment"]))


def test_all_log_into_a_group_that_forgets() -> None:
    group = template()["Globals"]["Function"]["LoggingConfig"]["LogGroup"]["Ref"]
    assert template()["Resources"][group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert not any("LogGroup" in function.get("LoggingConfig", {}) for function in functions().values())


def test_globals_hold_what_is_equal() -> None:
    shared = template()["Globals"]["Function"]
    assert shared["Tracing"] == "Active"
    assert shared["Runtime"] == {"Ref": "LambdaRuntime"}
    for name, function in functions().items():
        for key in ("Runtime", "Tracing", "Architectures", "CodeUri"):
            assert key not in function, f"{name}.{key} is in Globals"
        assert not set(variables(function)) & set(shared["Environment"]["Variables"]), name


def test_no_credential_is_in_an_environment() -> None:
    for name, function in functions().items():
        for found in walk(function["Environment"]):
            assert "resolve:secretsmanager" not in str(found), name


def test_metrics_are_not_filtered_with_the_log() -> None:
    """They are lines without a level, which Lambda takes for INFO; LogLevel=WARN would drop them."""
    assert functions()["OnUsageFunction"]["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
