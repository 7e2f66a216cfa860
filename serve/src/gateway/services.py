"""What the routes work with; made once by the lifespan."""

from dataclasses import dataclass

import aiohttp

from gateway.deployments import Deployments
from gateway.dialects import Dialects
from gateway.guard import Guard
from gateway.guardrails import Guardrails
from gateway.keys import ProviderKeys
from gateway.limits import Limits
from gateway.metering import Metering
from gateway.registry import Registry
from gateway.settings import GatewaySettings
from gateway.upstream import Upstreams


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
