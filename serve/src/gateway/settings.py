"""What the gateway reads from its environment; `lisa.auth` reads its own part."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from lisa.settings import Settings
from pydantic import BeforeValidator, Field

from gateway.outbound import networks_in

Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(networks_in)]


class GatewaySettings(Settings):
    """Times are seconds. Only the names of tables and queue have no default."""

    models_table: str = Field(min_length=3)
    limits_table: str = Field(min_length=3)
    ledger_table: str = Field(min_length=3)
    usage_queue_url: str = Field(min_length=8)
    api_url: str = ""  # base address of the control plane; without it the `lisa` field is refused
    allowed_networks: Networks = ()  # that models may be in, beside the internet: CIDRs with commas
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    log_level: Literal["DEBUG", "INFO", "WARN", "WARNING", "ERROR"] = "INFO"
    registry_seconds: float = Field(3.0, gt=0, le=5)
    provider_key_seconds: float = Field(300.0, gt=0)
    connect_seconds: float = Field(5.0, gt=0)
    first_byte_seconds: float = Field(600.0, gt=0)  # an answer that is not streamed arrives only when it is complete
    first_token_seconds: float = Field(120.0, gt=0)  # until a streamed answer begins
    gap_seconds: float = Field(120.0, gt=0)  # between two pieces of an answer
    stall_seconds: float = Field(120.0, gt=0)  # how long a client may leave an answer unread
    body_seconds: float = Field(60.0, gt=0)
    retrieval_seconds: float = Field(29.0, gt=0)  # what API Gateway gives a search
    aws_region_name: str = ""  # of Bedrock, where it is another than the gateway's; LiteLLM reads it too
    guardrail_seconds: float = Field(10.0, gt=0)  # for the verdict of one guardrail; without it the call is refused
    keep_alive_seconds: int = Field(910, gt=0)  # longer than the load balancer's idle timeout, else it answers 502
    drain_seconds: int = Field(110, ge=0)  # ECS stopTimeout has to be longer
    max_body_bytes: int = Field(10 * 1024 * 1024, gt=0)
    max_upload_bytes: int = Field(25 * 1024 * 1024, gt=0)  # with pictures or sound; as OpenAI has it
    max_attempts: int = Field(3, ge=1, le=10)  # at one call, over all deployments and fallbacks
    rest_seconds: float = Field(30.0, gt=0)  # of a deployment that failed three times in a row
    max_answer_bytes: int = Field(256 * 1024 * 1024, gt=0)  # of an answer that is not streamed
