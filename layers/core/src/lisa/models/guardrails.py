"""Which guardrails of Amazon Bedrock a model's calls pass, and whose calls."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from lisa.auth.schemas import Group
from lisa.schemas import Schema


class GuardrailMode(StrEnum):
    PRE_CALL = "pre_call"
    DURING_CALL = "during_call"
    POST_CALL = "post_call"


class GuardrailConfig(Schema):
    """A Bedrock guardrail that a model's calls pass."""

    guardrail_name: str = Field(min_length=1, max_length=100)
    guardrail_identifier: str = Field(
        max_length=2048,
        pattern=r"^([a-z0-9]+|arn:aws[a-z-]*:bedrock:[a-z0-9-]+:[0-9]{12}:guardrail/[a-z0-9]+)$",
        description="id or ARN",
    )
    guardrail_version: str = Field("DRAFT", pattern=r"^([1-9][0-9]{0,7}|DRAFT)$")
    mode: GuardrailMode
    description: str | None = Field(None, max_length=2000)
    allowed_groups: list[Group] = Field([], max_length=100, description="whose calls it checks; none = everybody's")
    marked_for_deletion: bool = Field(False, description="in an update: this entry is removed")

    @field_validator("guardrail_version", "allowed_groups", "marked_for_deletion", mode="before")
    @classmethod
    def null_is_default(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.model_fields[str(info.field_name)].default if value is None else value


GuardrailKey = Annotated[str, Field(min_length=1, max_length=100)]
Guardrails = Annotated[dict[GuardrailKey, GuardrailConfig], Field(max_length=20)]
