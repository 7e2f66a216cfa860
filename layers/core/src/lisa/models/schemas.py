"""AI models: what an admin sends, what a row keeps, what a client sees."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from lisa.auth.schemas import Group
from lisa.models.endpoints import checked_url
from lisa.models.guardrails import Guardrails
from lisa.schemas import Schema

MODEL_ID = r"^[A-Za-z0-9][A-Za-z0-9._:-]*$"
# Fields by which clients of the original ask for a container on our own instances.
SELF_HOSTING_FIELDS = (
    "autoScalingConfig",
    "containerConfig",
    "inferenceContainer",
    "instanceType",
    "loadBalancerConfig",
)
SELF_HOSTING = (
    "self-hosting is not in this version; register an endpoint that already runs: "
    "hostingType third_party, or internal_hosted with `modelUrl`"
)


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

    @property
    def is_stable(self) -> bool:
        return self in (ModelStatus.IN_SERVICE, ModelStatus.STOPPED, ModelStatus.FAILED)


class Feature(Schema):
    name: str = Field(min_length=1, max_length=100)
    overview: str = Field("", max_length=1000)

    @field_validator("overview", mode="before")
    @classmethod
    def null_is_empty(cls, value: Any) -> Any:
        return "" if value is None else value


def _url(value: str | None) -> str | None:
    return checked_url(value) if value else value


ModelId = Annotated[str, Field(min_length=1, max_length=128, pattern=MODEL_ID)]
ModelUrl = Annotated[str, Field(max_length=2000), BeforeValidator(lambda v: v.strip() if isinstance(v, str) else v)]


class ModelDeployment(Schema):
    """One of the registered models that together answer for another."""

    model_id: ModelId
    weight: int = Field(1, ge=1, le=1000, description="how often it is chosen, compared with the others")


class Pricing(Schema):
    """What a token costs, in US dollars. Zero is a price: nothing is counted against a budget."""

    # A price per thousand or million tokens is refused here rather than charged a million times.
    input_cost_per_token: float = Field(ge=0, le=1, allow_inf_nan=False)
    output_cost_per_token: float = Field(ge=0, le=1, allow_inf_nan=False)


# The name of a model that has no endpoint of its own.
DEPLOYMENTS = "lisa/deployments"


class ModelFields(Schema):
    """What may be set at creation and is shown to everybody who may use the model."""

    model_id: ModelId
    model_name: str = Field(
        min_length=1, max_length=500, description="provider path for LiteLLM, e.g. `openai/gpt-4o` or `bedrock/…`"
    )
    model_type: ModelType
    model_description: str | None = Field(None, max_length=2000)
    model_url: ModelUrl | None = Field(None, description="base address of an OpenAI-compatible endpoint, with /v1")
    streaming: bool = False
    features: list[Feature] = Field([], max_length=50)
    allowed_groups: list[Group] = Field([], max_length=100, description="none = everybody")
    hosting_type: HostingType = HostingType.THIRD_PARTY
    context_window: int | None = Field(None, gt=0)
    max_output_tokens: int | None = Field(None, gt=0, description="tokens that an answer may have at most")
    deployments: list[ModelDeployment] = Field(
        [], max_length=20, description="registered models that answer for this one, by weight; then it has no endpoint"
    )
    fallbacks: list[ModelId] = Field([], max_length=5, description="models tried in this order when this one fails")
    pricing: Pricing | None = Field(None, description="absent: the public price list")
    guardrails_config: Guardrails = Field({}, description="key of your choice → guardrail")

    @field_validator("hosting_type", mode="before")
    @classmethod
    def in_any_case(cls, value: Any) -> Any:
        if value is None:
            return HostingType.THIRD_PARTY
        return value.lower() if isinstance(value, str) else value

    @field_validator("features", "allowed_groups", "deployments", "fallbacks", mode="before")
    @classmethod
    def null_is_empty(cls, value: Any) -> Any:
        return [] if value is None else value

    @field_validator("guardrails_config", mode="before")
    @classmethod
    def null_is_no_guardrail(cls, value: Any) -> Any:
        return {} if value is None else value

    @field_validator("streaming", mode="before")
    @classmethod
    def null_is_false(cls, value: Any) -> Any:
        return False if value is None else value

    @field_validator("model_url", "model_description")
    @classmethod
    def empty_is_none(cls, value: str | None) -> str | None:
        return value or None


class CoherentFields(ModelFields):
    """Fields that also make sense together; a row is checked against it after each change."""

    @field_validator("model_url")
    @classmethod
    def reachable_by_rule(cls, value: str | None) -> str | None:
        return _url(value)

    @model_validator(mode="after")
    def coherent(self) -> Self:
        if self.hosting_type is HostingType.LISA_HOSTED:
            raise ValueError(SELF_HOSTING)
        if self.streaming and self.model_type is ModelType.EMBEDDING:
            raise ValueError("an embedding model cannot stream; leave `streaming` out")
        if self.hosting_type is HostingType.INTERNAL_HOSTED and not self.model_url:
            raise ValueError("an internal_hosted model needs `modelUrl`, the address of its load balancer")
        self._check_endpoint()
        self._check_references()
        return self

    def _check_endpoint(self) -> None:
        if self.deployments and self.model_url:
            raise ValueError("a model with `deployments` has no endpoint of its own; leave `modelUrl` out")
        if not self.deployments and self.model_name in ("", DEPLOYMENTS):
            raise ValueError("send `modelName`, the provider's path of the model, e.g. `openai/gpt-4o`")

    def _check_references(self) -> None:
        deployments = [deployment.model_id for deployment in self.deployments]
        for name, ids in (("deployments", deployments), ("fallbacks", self.fallbacks)):
            if self.model_id in ids:
                raise ValueError(f"a model cannot be among its own `{name}`")
            if len(set(ids)) < len(ids):
                raise ValueError(f"`{name}` names a model twice")


class CreateModelRequest(CoherentFields):
    model_name: str = Field("", max_length=500, description="as in a model; may be left out beside `deployments`")
    api_key: str | None = Field(
        None, max_length=8192, description="the provider's key; kept in Secrets Manager, never shown", repr=False
    )

    @model_validator(mode="before")
    @classmethod
    def not_self_hosted(cls, value: Any) -> Any:
        if isinstance(value, dict) and any(value.get(name) is not None for name in SELF_HOSTING_FIELDS):
            raise ValueError(SELF_HOSTING)
        return value

    @field_validator("model_name", mode="before")
    @classmethod
    def null_is_absent(cls, value: Any) -> Any:
        return "" if value is None else value

    @model_validator(mode="after")
    def no_key_of_its_own(self) -> Self:
        if self.deployments and self.api_key:
            raise ValueError("a model with `deployments` has no key of its own; leave `apiKey` out")
        return self


class UpdateModelRequest(Schema):
    """Absent and null fields stay as they are; "" and [] empty a field (an empty `apiKey` removes the key).

    Of `guardrailsConfig` the entries that are sent are added, replaced, or removed if `markedForDeletion`.
    """

    enabled: bool | None = Field(None, description="true starts, false stops")
    model_type: ModelType | None = None
    model_name: str | None = Field(None, min_length=1, max_length=500)
    model_description: str | None = Field(None, max_length=2000)
    model_url: ModelUrl | None = None
    streaming: bool | None = None
    features: list[Feature] | None = Field(None, max_length=50)
    allowed_groups: list[Group] | None = Field(None, max_length=100)
    context_window: int | None = Field(None, gt=0)
    max_output_tokens: int | None = Field(None, ge=0, description="0 removes the limit")
    deployments: list[ModelDeployment] | None = Field(None, max_length=20)
    fallbacks: list[ModelId] | None = Field(None, max_length=5)
    pricing: Pricing | Literal[""] | None = None
    guardrails_config: Guardrails | None = None
    api_key: str | None = Field(None, max_length=8192, repr=False)

    @field_validator("model_url")
    @classmethod
    def reachable_by_rule(cls, value: str | None) -> str | None:
        return _url(value)

    @model_validator(mode="before")
    @classmethod
    def not_self_hosted(cls, value: Any) -> Any:
        names = ("autoScalingInstanceConfig", *SELF_HOSTING_FIELDS)
        if isinstance(value, dict) and any(value.get(name) is not None for name in names):
            raise ValueError(SELF_HOSTING)
        return value

    @model_validator(mode="after")
    def something(self) -> Self:
        if all(value is None for value in dict(self).values()):
            raise ValueError("send at least one field to change")
        return self


class ContextWindowRequest(Schema):
    context_window: int = Field(gt=0, description="tokens that prompt and answer may have together")


class Model(ModelFields):
    """A model as clients see it (the original's `LISAModel`)."""

    status: ModelStatus = ModelStatus.CREATING
    failure_reason: str | None = None


class ModelRow(Model):
    """A row of the models table; `api_key_secret_arn` never leaves the backend.

    `last_modified` (ISO time of the last change asked for) with the status is the version that a write names.
    """

    api_key_secret_arn: str | None = None
    last_modified: str = ""

    def public(self) -> Model:
        return Model.model_validate(self.model_dump())


class ModelAnswer(Schema):
    model: Model


class ModelsAnswer(Schema):
    models: list[Model]


class RegisterTask(Schema):
    """Input of state `RegisterModel`."""

    model_id: str
    changed_at: str


class UpdateTask(Schema):
    """Input of state `ApplyModelUpdate`. `changes`: row attribute → value; `status`: where the model ends."""

    model_id: str
    changed_at: str
    status: ModelStatus
    changes: dict[str, Any] = {}
    replaces_key: bool = False


class ModelOutcome(Schema):
    """Output of both. `replaced_secret_arn`: a provider key that is no longer used."""

    status: ModelStatus
    replaced_secret_arn: str | None = None
