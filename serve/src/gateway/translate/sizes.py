"""How large a call may be that LiteLLM translates: it works on the event loop, where everybody waits for it."""

from typing import Any

from lisa.errors import BadRequestError

SCHEMAS = ("tools", "functions", "response_format", "text", "output_config", "output_format")
# LiteLLM writes references out for some providers: two in each of 18 definitions are 250,000 copies of the last.
MOST_SCHEMA_VALUES = 100_000  # written out in a tenth of a second
CHARACTERS_A_VALUE = 32
MOST_PARTS = 5_000
MOST_LEVELS = 64  # as written
MOST_LEVELS_WRITTEN_OUT = 200


def refuse_large(body: dict[str, Any]) -> None:
    """Raises: BadRequestError for too many messages and parts, too deep ones, and schemas that grow too large."""
    for name in ("messages", "input"):
        given = body.get(name)
        items = given if isinstance(given, list) else []
        parts = [item["content"] for item in items if isinstance(item, dict) and isinstance(item.get("content"), list)]
        if len(items) + sum(map(len, parts)) > MOST_PARTS:
            raise BadRequestError(f"`{name}` has over {MOST_PARTS} messages and parts, too many for this model.")
        _refuse_deep(items, name, MOST_LEVELS)
    for name in SCHEMAS:
        given = body.get(name)
        _refuse_deep(given, name, MOST_LEVELS)
        schemas = given if isinstance(given, list) else [given]
        if sum([_Schema(schema, name).values for schema in schemas]) > MOST_SCHEMA_VALUES:
            raise BadRequestError(f"`{name}`: schemas are too large once their references are written out.")


class _Schema:
    """`values`: how many it has when each `$ref` is replaced by what it names; a long text counts as many."""

    def __init__(self, root: Any, name: str) -> None:
        self._name = name
        self._definitions: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._collect(root)
        self.values = self._size(root, MOST_LEVELS_WRITTEN_OUT)

    def _collect(self, value: Any) -> None:
        if isinstance(value, dict):
            for key in ("$defs", "definitions"):
                if isinstance(value.get(key), dict):
                    self._definitions |= value[key]
        for inner in _inner(value):
            self._collect(inner)

    def _size(self, value: Any, levels: int) -> int:
        if not levels:
            raise _too_deep(self._name)
        if isinstance(value, str):
            return 1 + len(value) // CHARACTERS_A_VALUE
        size = 1 + sum([self._size(inner, levels - 1) for inner in _inner(value)])
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            size += self._size_of(value["$ref"].rpartition("/")[2], levels - 1)
        return size

    def _size_of(self, definition: str, levels: int) -> int:
        if definition not in self._sizes:
            self._sizes[definition] = 0  # one that contains itself is not written out again
            self._sizes[definition] = self._size(self._definitions.get(definition), levels)
        return self._sizes[definition]


def _inner(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _refuse_deep(value: Any, name: str, levels: int) -> None:
    if not levels:
        raise _too_deep(name)
    for inner in _inner(value):
        if isinstance(inner, dict | list):
            _refuse_deep(inner, name, levels - 1)


def _too_deep(name: str) -> BadRequestError:
    return BadRequestError(f"`{name}` is nested too deeply.")
