"""Writes the API's description from what the functions declare; run `python -m local.openapi` after a change of theirs.

The file lies in the core package, which serves it; docs/openapi.json is a link to it.
"""

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FILE = ROOT / "layers" / "core" / "src" / "lisa" / "openapi.json"
TITLE = "LISA on SAM: control plane"
NO_JSON_API = frozenset({"site"})  # answers with files
GENERATED = frozenset(
    {"HTTPValidationError", "ValidationError", "ResponseValidationError"}
)  # Powertools' own; we answer with Error
ERROR = {
    "type": "object",
    "required": ["code", "message", "requestId"],
    "properties": {
        "code": {"type": "string", "description": "for programs, e.g. not_found"},
        "message": {"type": "string", "description": "for people: what happened and what to do"},
        "requestId": {"type": "string"},
        "details": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    },
}
ANSWERS_ERROR = {
    "description": "An error",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


def document() -> dict[str, Any]:
    """One OpenAPI document of all functions. Raises: ValueError when two mean different things by one name."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Error": ERROR}
    for source in sorted((ROOT / "functions").glob("*/api.py")):
        concern = source.parent.name
        if concern in NO_JSON_API:
            continue
        app = importlib.import_module(f"functions.{concern}.api").app
        part = json.loads(app.get_openapi_json_schema(title=TITLE, version="1"))
        for name, schema in part.get("components", {}).get("schemas", {}).items():
            if name not in GENERATED and schemas.setdefault(name, schema) != schema:
                raise ValueError(f"two concerns have different schemas named {name}; rename that of {concern}")
        for path, operations in part["paths"].items():
            for method, operation in operations.items():
                _tidy(operation, path, method, concern)
            paths[_camel_parameters(path)] = operations
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1"},
        "security": [{"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {name: _without_titles(schema) for name, schema in sorted(schemas.items())},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def text() -> str:
    """The document as the file holds it."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _tidy(operation: dict[str, Any], path: str, method: str, concern: str) -> None:
    """Our names and our errors in place of the generator's."""
    suffix = re.sub(r"[^A-Za-z0-9_]", "_", path).strip("_")
    name = operation["operationId"].removesuffix(f"_{method}").removesuffix("_").removesuffix(suffix).strip("_")
    is_alias = "/collections" in path and path != "/repository/collections"
    operation["operationId"] = _camel(f"{concern}_{name}_alias" if is_alias else f"{concern}_{name}")
    operation["tags"] = [concern]
    operation.pop("summary", None)
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["name"] = _camel(parameter["name"])
        parameter["schema"] = _without_titles(parameter["schema"])
    operation["responses"].pop("422", None)
    for answer in operation["responses"].values():
        for content in answer.get("content", {}).values():
            content["schema"] = _without_titles(content.get("schema", {}))
    operation["responses"]["default"] = ANSWERS_ERROR


def _camel_parameters(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: f"{{{_camel(match[1])}}}", path)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _without_titles(schema: Any) -> Any:
    """Titles that only repeat a property's name say nothing."""
    if isinstance(schema, dict):
        return {
            key: {name: _without_titles(part) for name, part in value.items()}
            if key == "properties"
            else _without_titles(value)
            for key, value in schema.items()
            if key != "title" or not isinstance(value, str)
        }
    if isinstance(schema, list):
        return [_without_titles(part) for part in schema]
    return schema


def main() -> None:
    FILE.write_text(text(), encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {len(document()['paths'])} paths")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core" / "src")]
    main()
