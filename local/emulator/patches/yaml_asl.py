"""State machines are written in YAML; AWS reads both, ministack's DefinitionS3Location only JSON."""

import json
from typing import Any

import yaml


def install() -> None:
    """Make every definition of a template JSON."""
    from ministack.services.cloudformation import provisioners

    original = provisioners._sfn_definition

    def definition(props: dict[str, Any]) -> str:
        return as_json(original(props))

    provisioners._sfn_definition = definition


def as_json(definition: str) -> str:
    """The same state machine as JSON; what is JSON already stays untouched."""
    try:
        json.loads(definition)
    except ValueError:
        return json.dumps(yaml.safe_load(definition))
    return definition
