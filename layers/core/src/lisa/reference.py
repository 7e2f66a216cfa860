"""The description of the API, as a file for programs and as a page for people."""

import json
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("openapi.json")
METHODS = ("get", "post", "put", "delete")
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "code{font-family:ui-monospace,monospace}td{padding:.15rem 1rem .15rem 0;vertical-align:top}"
)


@cache
def openapi() -> str:
    """The OpenAPI document of the control plane, as JSON text."""
    return FILE.read_text(encoding="utf-8")


@cache
def page() -> str:
    """Every route in a table, with what goes in and what comes out, and the way to the document."""
    document = json.loads(openapi())
    rows = "\n".join(
        _row(method, path, operations[method])
        for path, operations in document["paths"].items()
        for method in METHODS
        if method in operations
    )
    title = escape(document["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><h1>{title}</h1>'
        '<p>All of it as <a href="openapi.json">openapi.json</a>. Send <code>Authorization: Bearer …</code> with an id '
        "token or an API token. An error is <code>{code, message, requestId, details?}</code>.</p>"
        f"<table>{rows}</table></body></html>"
    )


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    query = ", ".join(p["name"] for p in operation.get("parameters", []) if p["in"] == "query")
    body = _name(operation.get("requestBody", {}))
    answer = _name(operation["responses"].get("200", {}))
    taken = " · ".join(part for part in (body, f"?{query}" if query else "") if part)
    cells = (f"<b>{method.upper()}</b>", f"<code>{escape(path)}</code>", escape(taken), escape(answer))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _name(holder: dict[str, Any]) -> str:
    for content in holder.get("content", {}).values():
        schema = content.get("schema", {})
        reference = schema.get("$ref") or schema.get("items", {}).get("$ref", "")
        name = str(reference).rpartition("/")[2]
        return f"[{name}]" if schema.get("type") == "array" and name else name
    return ""
