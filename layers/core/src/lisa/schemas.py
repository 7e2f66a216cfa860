"""The base of everything that crosses a wire: camelCase outside, snake_case inside."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Schema(BaseModel):
    """Unknown keys are ignored: clients of the original send some that it never used."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


def now() -> datetime:
    """The present, in UTC, to the millisecond (what JSON and DynamoDB rows keep).

    Never a whole second: it would be written without a fraction, and such strings do not sort as their times do.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=max(moment.microsecond // 1000, 1) * 1000)


FREE_BYTES = 16 * 1024
FREE_DEPTH = 8


def _storable(value: Any, depth: int = 0) -> None:
    if depth > FREE_DEPTH:
        raise ValueError(f"may be nested {FREE_DEPTH} deep at most")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and not (value == 0 or 1e-38 < abs(value) < 1e38):
        raise ValueError("has a number that is too large, too small or none")
    for part in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        _storable(part, depth + 1)


def check_free_form(value: dict[str, Any]) -> dict[str, Any]:
    """An object of any shape that a table row can hold. Raises: ValueError when it is too large, deep or odd."""
    _storable(value)
    try:
        size = len(json.dumps(value, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        raise ValueError("has characters that are not valid Unicode") from None
    if size > FREE_BYTES:
        raise ValueError(f"may have {FREE_BYTES // 1024} KB at most")
    return value


FreeForm = Annotated[dict[str, Any], AfterValidator(check_free_form)]
