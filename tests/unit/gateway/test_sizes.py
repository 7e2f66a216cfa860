"""What LiteLLM would work on for too long is refused before it sees it."""

from typing import Any

import pytest
from gateway.translate.sizes import MOST_PARTS, refuse_large
from lisa.errors import BadRequestError


def doubling(levels: int, text: str = "") -> dict[str, Any]:
    """A schema of a few hundred bytes that is 2 to the power of `levels` once its references are written out."""
    definitions: dict[str, Any] = {f"d{levels}": {"type": "string", "description": text}}
    for level in range(levels):
        both = {name: {"$ref": f"#/$defs/d{level + 1}"} for name in "ab"}
        definitions[f"d{level}"] = {"type": "object", "properties": both}
    return {"type": "object", "$defs": definitions, "properties": {"x": {"$ref": "#/$defs/d0"}}}


def circle(size: int) -> dict[str, Any]:
    """Each definition refers to all others: written out, a schema of their orders, of which there are `size`!."""
    properties = {f"d{number}": {"$ref": f"#/$defs/d{number}"} for number in range(size)}
    return {"$defs": {name: {"properties": properties} for name in properties}, "$ref": "#/$defs/d0"}


def shadowed(schema: dict[str, Any]) -> dict[str, Any]:
    """The same, beside a place where its definitions are harmless ones."""
    harmless: dict[str, Any] = {"$defs": {name: {} for name in schema["$defs"]}}
    return {**schema, "properties": {**schema["properties"], "y": harmless}}


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def tool(schema: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": schema}}


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [tool(doubling(16))]},
        {"tools": [{"name": "f", "input_schema": doubling(16)}]},
        {"tools": [tool(doubling(8))] * 80},
        {"tools": [tool(doubling(6, "long " * 10_000))]},
        {"functions": [{"name": "f", "parameters": doubling(16)}]},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": doubling(16)}}},
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": doubling(16)}}},
        {"tools": [tool(doubling(300))]},
        {"tools": [tool(circle(10))]},
        {"tools": [tool(shadowed(doubling(16)))]},
        {"tools": [tool({"$defs": {f"d{number}": 0 for number in range(50_000)}, "items": [{}] * 1_000})]},
        {"tools": [tool(nested(70))]},
        {"messages": [{"role": "user", "content": nested(900)}]},
        {"messages": [{"role": "user", "content": "x"}] * (MOST_PARTS + 1)},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}] * MOST_PARTS}]},
        {"input": [{"role": "user", "content": "x"}] * (MOST_PARTS + 1)},
    ],
)
def test_too_large(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError, match=f"^`{next(iter(body))}`"):
        refuse_large(body)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": "x", "tools": None, "text": 3, "response_format": {"type": "text"}},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x" * 10**6}] * 100}] * 30},
        {"tools": [tool(doubling(5))] * 50},
        {"tools": [tool(circle(6))]},
        {"tools": [tool({"$ref": "#"}), tool({"$ref": 7}), tool({"$defs": 3, "definitions": [1]}), 7]},
        {"tools": [tool({"$defs": {"tree": {"items": {"$ref": "#/$defs/tree"}}}, "$ref": "#/$defs/tree"})]},
    ],
)
def test_large_enough(body: dict[str, Any]) -> None:
    refuse_large(body)
