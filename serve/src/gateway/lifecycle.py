"""Makes what the routes work with when the server starts, and closes it when the last answer is out."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
from lisa import aws
from lisa.auth import wiring
from lisa.rows import pages
from lisa.usage.ledger import DynamoLedger
from lisa.usage.limits_store import DynamoLimitsStore
from lisa.usage.outbox import SqsOutbox

from gateway.guard import Guard
from gateway.guardrails.bedrock import BedrockGuardrails
from gateway.guardrails.checks import Guardrails
from gateway.limits.admission import Limits, ThreadedLedger
from gateway.outbound import OutboundGuard
from gateway.pricing.prices import Prices
from gateway.relay.upstream import Upstreams
from gateway.routing.deployments import Deployments
from gateway.routing.dialects import Dialects
from gateway.routing.keys import ProviderKeys
from gateway.routing.registry import Registry
from gateway.services import Services
from gateway.settings import GatewaySettings
from gateway.usage.metering import Metering
from gateway.usage.queue import UsageQueue

# Shorter than the 5 s after which uvicorn (so vLLM) and Node close an idle connection: a call must not meet the close.
IDLE_UPSTREAM_SECONDS = 4.0
UPSTREAM_DNS_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Connected:
    """What asks AWS. Nothing of it has asked yet."""

    guard: Guard
    registry: Registry
    keys: ProviderKeys
    limits: Limits
    ledger: ThreadedLedger
    metering: Metering

    def close(self) -> None:
        self.guard.close()
        self.ledger.close()


@contextlib.asynccontextmanager
async def services_of(settings: GatewaySettings) -> AsyncIterator[Services]:
    """The services of this process. Raises: lisa.settings.SettingsError."""
    bedrock = BedrockGuardrails(settings.guardrail_seconds, settings.aws_region_name or None)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(bedrock.close)
        connected = await asyncio.to_thread(_connected, settings)
        gc.freeze()  # modules, schemas and clients stay: no collection in the middle of streams walks over them
        stack.callback(connected.close)
        http = await stack.enter_async_context(session(settings, OutboundGuard(settings.allowed_networks)))
        control = await stack.enter_async_context(session(settings))
        for background in (connected.registry, connected.limits, connected.metering.queue):
            await stack.enter_async_context(background.running())
        yield Services(
            settings=settings,
            guard=connected.guard,
            registry=connected.registry,
            deployments=Deployments(connected.registry, settings.rest_seconds),
            dialects=Dialects(),
            keys=connected.keys,
            guardrails=Guardrails(bedrock),
            limits=connected.limits,
            metering=connected.metering,
            http=http,
            upstreams=Upstreams(http),
            control=control,
        )


def _connected(settings: GatewaySettings) -> Connected:
    """In a thread: making boto3's clients takes a while."""
    secrets = aws.client("secretsmanager")
    table = aws.table(settings.models_table)
    prices = Prices()
    ledger = ThreadedLedger(DynamoLedger(aws.client("dynamodb", aws.QUICK), settings.ledger_table))
    limits = DynamoLimitsStore(aws.table(settings.limits_table))
    outbox = SqsOutbox(aws.client("sqs"), settings.usage_queue_url)

    def read_secret(arn: str) -> str:
        return str(secrets.get_secret_value(SecretId=arn)["SecretString"])

    return Connected(
        guard=Guard(wiring.authenticator()),
        registry=Registry(lambda: list(pages(table.scan)), settings.registry_seconds),
        keys=ProviderKeys(read_secret, settings.provider_key_seconds),
        limits=Limits(limits.all, ledger, settings.registry_seconds),
        ledger=ledger,
        metering=Metering(prices, UsageQueue(outbox)),
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
