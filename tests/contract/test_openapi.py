"""docs/openapi.json is what the functions declare, and what the template routes to them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from local import openapi

UNDESCRIBED = {"/", "/{proxy+}", "/docs", "/openapi.json"}  # pages and files
SERVE = re.compile(r"^/(v1|v2|anthropic|health)")


class Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short forms as their plain values."""


Loader.add_multi_constructor(
    "!", lambda loader, _, node: loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None
)


def routes_of_template() -> Iterator[tuple[str, str]]:
    template = yaml.load((openapi.ROOT / "template.yaml").read_text(), Loader)
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        for event in resource["Properties"].get("Events", {}).values():
            if event["Type"] == "Api":
                yield event["Properties"]["Method"].lower(), event["Properties"]["Path"]


def described() -> dict[str, Any]:
    return dict(json.loads(openapi.FILE.read_text()))


def test_file_is_up_to_date() -> None:
    assert openapi.FILE.read_text() == openapi.text(), "run `python -m local.openapi` and commit what it writes"
    assert (openapi.ROOT / "docs" / "openapi.json").resolve() == openapi.FILE.resolve()


def test_every_described_route_is_in_the_template() -> None:
    anonymous = {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in routes_of_template()}
    for path, operations in described()["paths"].items():
        for method in operations:
            assert (method, re.sub(r"\{\w+\}", "{}", path)) in anonymous, f"{method} {path}"


def test_every_route_of_the_template_is_described() -> None:
    known = {
        (method, re.sub(r"\{\w+\}", "{}", path))
        for path, operations in described()["paths"].items()
        for method in operations
    }
    for method, path in routes_of_template():
        if path not in UNDESCRIBED and not SERVE.match(path) and method != "options":
            assert (method, re.sub(r"\{\w+\}", "{}", path)) in known, f"{method} {path}"


def test_operations_have_names_of_their_own() -> None:
    names = [o["operationId"] for operations in described()["paths"].values() for o in operations.values()]
    assert len(set(names)) == len(names)


def test_references_lead_somewhere() -> None:
    document = described()
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]


@pytest.mark.parametrize("path", ["/models", "/repository", "/repository/{repositoryId}/collection"])
def test_answers_are_typed(path: str) -> None:
    for operation in described()["paths"][path].values():
        assert "schema" in operation["responses"]["200"]["content"]["application/json"]
        assert operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")
