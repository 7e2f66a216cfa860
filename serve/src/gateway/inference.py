"""One inference call: check it, ground it, and pass it on or translate it, deployment by deployment."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lisa.errors import BadRequestError, InvalidError

from gateway import grounding
from gateway.attempts import Chance, attempt_all
from gateway.call import UNCOUNTED, Call
from gateway.exchange import Exchange
from gateway.grounding import Grounding, GroundingRequest
from gateway.operations import Operation, Protocol
from gateway.relay import NotSpokenError, relay
from gateway.requests import Parsed, parse_body
from gateway.routing import Target
from gateway.services import Services
from gateway.translate import translate
from gateway.watch import Watch

ANTHROPIC_VERSION = "2023-06-01"  # for callers that name none
_VERSIONS = re.compile(r"[\w.:, -]{1,1024}", re.ASCII)


async def infer(exchange: Exchange, services: Services) -> None:
    """Answers a call for `exchange.operation`. Raises: AppError, before or in the middle of the answer."""
    settings, caller, operation = services.settings, exchange.known_caller, exchange.known_operation
    raw = await exchange.body(
        settings.max_upload_bytes if operation.takes_form else settings.max_body_bytes, settings.body_seconds
    )
    parsed = await parse_body(raw, exchange.headers.get("content-type", ""), operation)
    exchange.model_id = parsed.body["model"]
    named = services.registry.find(exchange.model_id, caller)
    if operation.names_user and parsed.body.get("user") is None:
        parsed.body["user"] = caller.username
    targets = services.deployments.order(named, caller)
    checks = services.guardrails.of(named, targets, caller)
    if checks is None:
        await _answer(exchange, services, parsed, targets)
    else:
        await checks.run(exchange, parsed.body, lambda guarded: _answer(guarded, services, parsed, targets))


async def _answer(exchange: Exchange, services: Services, parsed: Parsed, targets: Sequence[Target]) -> None:
    inference = Inference(exchange, services, exchange.known_operation, parsed)
    wanted = grounding.requested(parsed.body)
    if wanted is not None:
        await inference.ground(wanted)
    await attempt_all(exchange, services.deployments, targets, services.settings.max_attempts, inference.attempt)


@dataclass(slots=True)
class Inference:
    """What the attempts at one call share."""

    exchange: Exchange
    services: Services
    operation: Operation
    parsed: Parsed
    grounding: Grounding | None = field(default=None, init=False)

    async def attempt(self, target: Target, chance: Chance, watch: Watch) -> None:
        """One deployment's turn. Raises: as `relay` and `translate`."""
        services = self.services
        key = services.keys.peek(target.row)
        if key is None:
            key = await services.keys.get(target.row)
        call = Call(
            self.operation,
            target,
            self.parsed.body,
            self.exchange.known_caller.username,
            key,
            UNCOUNTED,
            grounding=self.grounding,
            files=self.parsed.files,
            headers=_passed_headers(self.exchange) if self.operation.protocol is Protocol.ANTHROPIC else NONE,
            chance=chance,
        )
        if target.speaks(self.operation):
            await relay(self.exchange, services, call, watch)
        elif target.may_speak(self.operation) and services.dialects.may_speak(target, self.operation):
            try:
                await relay(self.exchange, services, call, watch)
            except NotSpokenError:
                services.dialects.learn(target, self.operation)
                await translate(self.exchange, services, call, watch)
        else:
            await translate(self.exchange, services, call, watch)

    async def ground(self, wanted: GroundingRequest) -> None:
        """Puts passages into the body. Raises: InvalidError; as `grounding.search`."""
        if not self.operation.is_groundable:
            raise InvalidError("lisa: only chat/completions can be grounded. Leave the field out.")
        body, services = self.parsed.body, self.services
        question = grounding.question_of(body["messages"])
        async with Watch(self.exchange):
            found = await grounding.search(
                services.control, services.settings, self.exchange.credential, wanted, question
            )
        body["messages"] = grounding.grounded(body["messages"], found)
        self.grounding = Grounding(found)


NONE: Mapping[str, str] = {}


def _passed_headers(exchange: Exchange) -> Mapping[str, str]:
    """Those by which a caller chooses a version of Anthropic's protocol. Raises: BadRequestError."""
    headers = exchange.headers
    passed = {"anthropic-version": headers.get("anthropic-version", ANTHROPIC_VERSION)}
    if "anthropic-beta" in headers:
        passed["anthropic-beta"] = headers["anthropic-beta"]
    for name, value in passed.items():
        if not _VERSIONS.fullmatch(value):
            raise BadRequestError(f"The header `{name}` names versions, with commas between them.")
    return passed
