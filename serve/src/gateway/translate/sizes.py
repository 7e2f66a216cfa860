"""How large a call may be that LiteLLM translates: it works on the event loop, where everybody waits for it."""

from typing import Any

from lisa.errors import BadRequestError

SCHEMAS = ("tools", "functions", "response_format", "text", "output_config", "output_format")
# LiteLLM writes references out for some providers: two in each of 18 definitions are 250,000 copies of the last.
MOST_SCHEMA_VALUES = 100_000  # written out in a tenth of a second
CHARACTERS_A_VALUE, DEFINITIONS_A_VALUE = 32, 64  # it copies those that hold for each object
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
    written_out = _WrittenOut()
    for name in SCHEMAS:
        given = body.get(name)
        _refuse_deep(given, name, MOST_LEVELS)
        for schema in given if isinstance(given, list) else [given]:
            written_out.add(name, schema, {}, frozenset(), MOST_LEVELS_WRITTEN_OUT)


class _WrittenOut:
    """Counts the values of schemas as LiteLLM writes them: each `$ref` is what it names, but not within itself."""

    def __init__(self) -> None:
        self._left = MOST_SCHEMA_VALUES

    def add(self, name: str, value: Any, known: dict[str, Any], within: frozenset[str], levels: int) -> None:
        """`known` are the definitions that hold here, `within` those that are being written out.

        Raises: BadRequestError as soon as it is too much.
        """
        if not levels:
            raise _too_deep(name)
        self._count(name, 1 + (len(value) // CHARACTERS_A_VALUE if isinstance(value, str) else 0))
        if isinstance(value, dict):
            for key in ("$defs", "definitions"):
                own = value.get(key)
                known = {**known, **own} if isinstance(own, dict) else known
            self._count(name, len(known) // DEFINITIONS_A_VALUE)
            definition = str(value.get("$ref")).rpartition("/")[2]
            if definition in known:
                if definition not in within:
                    self.add(name, known[definition], known, within | {definition}, levels - 1)
                return  # what else is there goes
        for inner in _inner(value):
            self.add(name, inner, known, within, levels - 1)

    def _count(self, name: str, values: int) -> None:
        self._left -= values
        if self._left < 0:
            raise BadRequestError(f"`{name}`: schemas are too large once their references are written out.")


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
