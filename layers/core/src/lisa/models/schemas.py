"""AI models: what an admin sends, what a row keeps, what a client sees."""

from enum import StrEnum
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from lisa.schemas import Schema


class ModelType(StrEnum):
    TEXTGEN = "textgen"
    IMAGEGEN = "imagegen"
    VIDEOGEN = "videogen"
    EMBEDDING = "embedding"


class HostingType(StrEnum):
    THIRD_PARTY = "third_party"
    INTERNAL_HOSTED = "internal_hosted"
    LISA_HOSTED = "lisa_hosted"


class ModelStatus(StrEnum):
    CREATING = "Creating"
    IN_SERVICE = "InService"
    STARTING = "Starting"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    UPDATING = "Updating"
    DELETING = "Deleting"
    FAILED = "Failed"


class Feature(Schema):
    name: str
    overview: str = ""


class ModelFields(Schema):
    """What may be set at creation and is shown to everybody who may use the model."""

    model_id: str = Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
    model_name: str = Field(min_length=1, description="provider path for LiteLLM, e.g. `openai/gpt-4o` or `bedrock/…`")
    model_type: ModelType
    model_description: str | None = None
    model_url: str | None = Field(None, description="base address of an OpenAI-compatible endpoint, including /v1")
    streaming: bool = False
    features: list[Feature] = []
    allowed_groups: list[str] = []
    hosting_type: HostingType = HostingType.THIRD_PARTY
    context_window: int | None = Field(None, gt=0)

    @field_validator("hosting_type", mode="before")
    @classmethod
    def in_any_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("features", "allowed_groups", mode="before")
    @classmethod
    def null_is_empty(cls, value: Any) -> Any:
        return [] if value is None else value


class CreateModelRequest(ModelFields):
    api_key: str | None = Field(
        None, description="the provider's key; kept in Secrets Manager, never shown", repr=False
    )

    @model_validator(mode="after")
    def coherent(self) -> Self:
        if self.streaming and self.model_type is ModelType.EMBEDDING:
            raise ValueError("an embedding model cannot stream; leave `streaming` out")
        if self.hosting_type is HostingType.INTERNAL_HOSTED and not self.model_url:
            raise ValueError("an internal_hosted model needs `modelUrl`, the address of its load balancer")
        return self


class UpdateModelRequest(Schema):
    """At least one field; absent fields stay as they are."""

    enabled: bool | None = None
    model_type: ModelType | None = None
    model_name: str | None = None
    model_description: str | None = None
    model_url: str | None = None
    streaming: bool | None = None
    features: list[Feature] | None = None
    allowed_groups: list[str] | None = None
    context_window: int | None = Field(None, gt=0)
    api_key: str | None = Field(None, repr=False)

    @model_validator(mode="after")
    def something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("send at least one field to change")
        return self


class Model(ModelFields):
    """A model as clients see it (the original's `LISAModel`)."""

    status: ModelStatus = ModelStatus.CREATING
    failure_reason: str | None = None


class ModelRow(Model):
    """A row of the models table; `api_key_secret_arn` never leaves the backend."""

    api_key_secret_arn: str | None = None
    last_modified: str = ""

    def public(self) -> Model:
        return Model.model_validate(self.model_dump())
