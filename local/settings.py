"""What may be set for the local stack: variables LISA_…, listed by `make help` and in docs/settings.md."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

ROOT = Path(__file__).resolve().parents[1]


class LocalSettings(BaseModel):
    """Attribute `emulator_port` is read from LISA_EMULATOR_PORT. Everything listens on the loopback only."""

    model_config = ConfigDict(
        frozen=True, alias_generator=lambda name: f"LISA_{name.upper()}", populate_by_name=True, protected_namespaces=()
    )

    home: Path = Path(".local")
    port: int = Field(8080, gt=0, le=65_535, description="page, API and Serve")
    emulator_port: int = Field(4566, gt=0, le=65_535, description="AWS")
    postgres_port: int = Field(5442, gt=0, le=65_535, description="PostgreSQL")
    gateway_port: int = Field(8081, gt=0, le=65_535, description="Serve behind the page's address")
    models_port: int = Field(8082, gt=0, le=65_535, description="embeddings and extractive answers")
    llm_port: int = Field(8083, gt=0, le=65_535, description="the small language model")
    region: str = "us-east-1"
    enforce_iam: bool = Field(False, description="check the functions' policies, as AWS does")
    llm: bool = Field(True, description="false leaves the small language model out (300 MB of memory)")
    openai_base_url: str = Field(
        "", description="an OpenAI-compatible endpoint, e.g. Ollama: http://localhost:11434/v1"
    )
    openai_model: str = Field("", description="the model's name there")
    openai_api_key: str = Field("", description="its key, when it needs one", repr=False)
    allowed_networks: str = Field(
        "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
        description="private networks that Serve may call for models: this machine and its neighbours",
    )
    bedrock_profile: str = Field("", description="a profile of your AWS configuration: bedrock/… models work really")
    bedrock_region: str = Field("us-east-1", description="region of Bedrock")

    @classmethod
    def load(cls) -> Self:
        """The settings of this process; the home folder is absolute, whatever the working directory was."""
        settings = cls.model_validate({name: value for name, value in os.environ.items() if value != ""})
        return settings.model_copy(update={"home": (ROOT / settings.home).resolve()})

    @property
    def page_url(self) -> str:
        """Where people go, without a final slash."""
        return f"http://localhost:{self.port}"

    @property
    def emulator_url(self) -> str:
        return f"http://localhost:{self.emulator_port}"

    @property
    def outputs_file(self) -> Path:
        """What clients and tests need to know of the running stack."""
        return self.home / "outputs.json"

    @property
    def stack_file(self) -> Path:
        """The outputs of the deployed CloudFormation stack."""
        return self.home / "stack.json"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def ports(self) -> dict[str, tuple[int, str]]:
        """Variable → port and what listens there."""
        names = ("port", "emulator_port", "postgres_port", "gateway_port", "models_port", "llm_port")
        fields = type(self).model_fields
        return {
            f"LISA_{name.upper()}": (getattr(self, name), fields[name].description or name)
            for name in names
            if name != "llm_port" or self.llm
        }
