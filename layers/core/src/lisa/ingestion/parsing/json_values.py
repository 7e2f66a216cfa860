"""JSON and JSON lines: each item becomes lines of `path: value`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lisa.ingestion.errors import CorruptDocumentError
from lisa.ingestion.parsing.blocks import Block
from lisa.ingestion.parsing.decoding import decoded


def parse(path: Path) -> Iterator[Block]:
    """Yields a block for each item of a list, of each line, or of the one value. Raises: CorruptDocumentError."""
    text = decoded(path.read_bytes())
    try:
        values = _values(text)
        for value in values:
            yield Block("\n".join(_flat(value, "")))
    except RecursionError as error:
        raise CorruptDocumentError("The JSON is nested too deeply to be read.") from error


def _values(text: str) -> Iterator[Any]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise _broken(error, error.lineno) from error
        yield from _values_by_line(text)
        return
    if isinstance(whole, list):
        yield from whole
    else:
        yield whole


def _values_by_line(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise _broken(error, number) from error


def _broken(error: json.JSONDecodeError, line: int) -> CorruptDocumentError:
    return CorruptDocumentError(f"The file is not valid JSON: {error.msg} at line {line:,}, column {error.colno:,}.")


def _flat(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        for part in value:
            yield from _flat(part, path)
    else:
        shown = ", ".join(map(_shown, value)) if isinstance(value, list) else _shown(value)
        if shown:
            yield f"{path}: {shown}" if path else shown


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
