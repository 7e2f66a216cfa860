"""The configuration of the page: a document per scope, every version kept."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from lisa.schemas import Schema

GLOBAL = "global"
Scope = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@-]{1,128}$")]
Text = Annotated[str, StringConstraints(max_length=2000)]
Colour = Annotated[str, StringConstraints(max_length=64)]


class OpenSchema(Schema):
    """Keys that only newer or older clients know are kept as they are."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="allow")


class SystemBanner(OpenSchema):
    is_enabled: bool = False
    text: Text = ""
    text_color: Colour = "#000000"
    background_color: Colour = "#ffffff"


class GlobalChoices(OpenSchema):
    default_model: Annotated[str, StringConstraints(max_length=128)] | None = None


class Announcement(OpenSchema):
    is_enabled: bool = False
    message: Text = ""


class EnabledComponents(OpenSchema):
    """Which parts of the page are shown."""

    delete_session_history: bool = True
    view_meta_data: bool = True
    edit_kwargs: bool = True
    edit_prompt_template: bool = True
    edit_chat_history_buffer: bool = True
    edit_num_of_rag_document: bool = True
    upload_rag_docs: bool = True
    rag_selection_available: bool = True
    upload_context_docs: bool = True
    document_summarization: bool = False
    show_rag_library: bool = True
    show_prompt_template_library: bool = False
    mcp_connections: bool = False
    bedrock_agents: bool = False
    aws_sessions: bool = False
    model_library: bool = True
    enable_model_comparison_utility: bool = False
    encrypt_session: bool = False
    enable_user_api_tokens: bool = True
    chat_assistant_stacks: bool = False
    project_organization: bool = False
    show_mcp_workbench: bool = False


class Configuration(OpenSchema):
    enabled_components: EnabledComponents = EnabledComponents()
    system_banner: SystemBanner = SystemBanner()
    global_choices: GlobalChoices = Field(GlobalChoices(), alias="global")
    max_projects_per_user: int = Field(50, ge=0, le=1000)
    announcement: Announcement = Announcement()


class PutConfigurationRequest(Schema):
    """A whole document. `version_id`, when given, is the version that was read plus one."""

    config_scope: Scope | None = None
    version_id: int | None = Field(None, ge=0, lt=2**53)
    change_reason: Text = ""
    configuration: Configuration


class ConfigurationVersion(Schema):
    """A stored version; clients of the original know `created_at` in snake case, as epoch seconds in text."""

    config_scope: str
    version_id: int
    changed_by: str = ""
    change_reason: str = ""
    configuration: dict[str, Any]
    created_at: str = Field("", alias="created_at")


class Saved(Schema):
    status: str = "ok"
    version_id: int


def first_version() -> ConfigurationVersion:
    """What the global scope shows before anybody saved: version 0."""
    return ConfigurationVersion(
        config_scope=GLOBAL,
        version_id=0,
        changed_by="System",
        change_reason="Initial deployment default config",
        configuration=Configuration().model_dump(by_alias=True, mode="json"),
        created_at=epoch_text(datetime.fromtimestamp(0, UTC)),
    )


def epoch_text(moment: datetime) -> str:
    return f"{moment.timestamp():.3f}"
