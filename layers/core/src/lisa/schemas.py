"""The base of everything that crosses a wire: camelCase outside, snake_case inside."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Schema(BaseModel):
    """Unknown keys are ignored: clients of the original send some that it never used."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


def now() -> datetime:
    """The present, in UTC, to the millisecond (what JSON and DynamoDB rows keep)."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
