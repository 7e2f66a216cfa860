"""Makes what the routes work with when the server starts, and closes it when the last answer is out."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import aiohttp
from lisa import aws
from lisa.auth import wiring

from gateway.bedrock_guardrails import BedrockGuardrails
from gateway.deployments import Deployments
from gateway.dialects import Dialects
from gateway.guard import Guard
from gateway.guardrails import Guardrails
from gateway.keys import ProviderKeys
from gateway.outbound import OutboundGuard
from gateway.registry import Registry, rows_of
from gateway.services import Services
from gateway.settings import GatewaySettings

# Shorter than the 5 s after which uvicorn (so vLLM) and Node close an idle connection: a call must not meet the close.
IDLE_UPSTREAM_SECONDS = 4.0
UPSTREAM_DNS_SECONDS = 30


@contextlib.asynccontextmanager
async def services_of(settings: GatewaySettings) -> AsyncIterator[Services]:
    """The services of this process. Raises: lisa.settings.SettingsError."""
    guard, registry, keys = await asyncio.to_thread(_connected, settings)
    gc.freeze()  # modules, schemas and clients stay: no collection in the middle of streams has to walk over them
    outbound_guard = OutboundGuard(settings.allowed_networks)
    bedrock = BedrockGuardrails(settings.guardrail_seconds, settings.aws_region_name or None)
    async with session(settings, outbound_guard) as http, session(settings) as control, registry.running():
        try:
            deployments = Deployments(registry, settings.rest_seconds)
            yield Services(settings, guard, registry, deployments, Dialects(), keys, Guardrails(bedrock), http, control)
        finally:
            guard.close()
            bedrock.close()


def _connected(settings: GatewaySettings) -> tuple[Guard, Registry, ProviderKeys]:
    """In one thread: boto3 cannot make two clients at once."""
    secrets = aws.client("secretsmanager")
    table = aws.table(settings.models_table)

    def read_secret(arn: str) -> str:
        return str(secrets.get_secret_value(SecretId=arn)["SecretString"])

    return (
        Guard(wiring.authenticator()),
        Registry(lambda: rows_of(table), settings.registry_seconds),
        ProviderKeys(read_secret, settings.provider_key_seconds),
    )


def session(settings: GatewaySettings, guard: OutboundGuard | None = None) -> aiohttp.ClientSession:
    """A client: no cookies kept, no proxy from the environment, bytes not decompressed; for upstreams with a guard."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=IDLE_UPSTREAM_SECONDS,
            ttl_dns_cache=UPSTREAM_DNS_SECONDS,
            socket_factory=guard.socket_for if guard else None,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_seconds),
    )
