"""What the routes work with; made once by the lifespan."""

from dataclasses import dataclass

import aiohttp

from gateway.guard import Guard
from gateway.guardrails.checks import Guardrails
from gateway.limits.admission import Limits
from gateway.relay.upstream import Upstreams
from gateway.routing.deployments import Deployments
from gateway.routing.dialects import Dialects
from gateway.routing.keys import ProviderKeys
from gateway.routing.registry import Registry
from gateway.settings import GatewaySettings
from gateway.usage.metering import Metering


@dataclass(frozen=True, slots=True)
class Services:
    settings: GatewaySettings
    guard: Guard
    registry: Registry
    deployments: Deployments
    dialects: Dialects
    keys: ProviderKeys
    guardrails: Guardrails
    limits: Limits
    metering: Metering
    http: aiohttp.ClientSession  # for models: it reaches only what the outbound guard lets through
    upstreams: Upstreams  # the same way, for what passes through
    control: aiohttp.ClientSession  # for the control plane, whose address is a setting
