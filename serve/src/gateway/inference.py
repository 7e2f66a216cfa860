"""One inference call: check it, ground it, and pass it on or translate it, deployment by deployment."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lisa.errors import BadRequestError, InvalidError

from gateway import grounding
from gateway.call import NONE, Call
from gateway.exchange import Exchange
from gateway.grounding import Grounding, GroundingRequest
from gateway.limits.estimates import within_reach
from gateway.operations import Operation, Protocol
from gateway.relay.pass_through import NotSpokenError, relay
from gateway.requests import Parsed, encoded, parse_body
from gateway.routing.attempts import Chance, attempt_all
from gateway.routing.targets import Target
from gateway.services import Services
from gateway.translate import translate
from gateway.usage.accounting import Account, opened
from gateway.usage.metering import Meter
from gateway.watch import Watch

PASSAGE_BYTES = 4096  # reserved for each passage of a grounded call before it is found; what is longer, afterwards
LEAST_THINKING = 1024  # tokens that Anthropic's protocol takes as `budget_tokens`
ANTHROPIC_VERSION = "2023-06-01"  # for callers that name none
_VERSIONS = re.compile(r"[\w.:, -]{1,1024}", re.ASCII)


async def infer(exchange: Exchange, services: Services) -> None:
    """Answers a call for `exchange.operation`. Raises: AppError, before or in the middle of the answer."""
    settings, caller, operation = services.settings, exchange.known_caller, exchange.known_operation
    raw = await exchange.body(
        settings.max_upload_bytes if operation.takes_form else settings.max_body_bytes, settings.body_seconds
    )
    parsed = await parse_body(raw, exchange.header("content-type") or "", operation)
    exchange.model_id = parsed.body["model"]
    named = services.registry.find(exchange.model_id, caller)
    if operation.names_user and parsed.body.get("user") is None:
        parsed.body["user"] = caller.username
    wanted = _wanted_grounding(parsed.body, operation)
    targets = services.deployments.order(named, caller)
    size = len(raw) + (wanted.top_k * PASSAGE_BYTES if wanted else 0)
    account = await opened(exchange, services, named, targets, parsed.body, size)
    with account as meter:
        inference = Inference(services, operation, parsed, account, meter, targets, wanted, size)
        checks = services.guardrails.of(named, targets, caller)
        if checks is None:
            await inference.answer(exchange)
        else:
            await checks.run(exchange, parsed.body, inference.answer)


@dataclass(slots=True)
class Inference:
    """What the attempts at one call share."""

    services: Services
    operation: Operation
    parsed: Parsed
    account: Account
    meter: Meter
    targets: Sequence[Target]
    wanted: GroundingRequest | None
    size: int  # of the prompt, in bytes, at most
    grounding: Grounding | None = field(default=None, init=False)

    async def answer(self, exchange: Exchange) -> None:
        """Raises: as `grounding.search`, `relay` and `translate`."""
        services = self.services
        if self.wanted is not None:
            await self._ground(exchange, self.wanted)
        await attempt_all(exchange, services.deployments, self.targets, services.settings.max_attempts, self._attempt)

    async def _attempt(self, exchange: Exchange, target: Target, chance: Chance, watch: Watch) -> None:
        services, operation = self.services, self.operation
        self.meter.answered_by(target.row)
        key = services.keys.peek(target.row)
        if key is None:
            key = await services.keys.get(target.row)
        body = within_reach(operation, self.parsed.body, target.row, self.size)
        if body is not self.parsed.body:
            body = _with_less_thinking(body)
        call = Call(
            operation,
            target,
            body,
            exchange.known_caller.username,
            key,
            self.meter,
            grounding=self.grounding,
            files=self.parsed.files,
            headers=_passed_headers(exchange) if operation.protocol is Protocol.ANTHROPIC else NONE,
            chance=chance,
        )
        if target.speaks(operation):
            await relay(exchange, services, call, watch)
        elif target.may_speak(operation) and services.dialects.may_speak(target, operation):
            try:
                await relay(exchange, services, call, watch)
            except NotSpokenError:
                services.dialects.learn(target, operation)
                await translate(exchange, services, call, watch)
            else:
                if exchange.status < 300:
                    services.dialects.confirm(target, operation)
        else:
            await translate(exchange, services, call, watch)

    async def _ground(self, exchange: Exchange, wanted: GroundingRequest) -> None:
        """Puts passages into the body. Raises: as `grounding.search`; LimitExceededError if they are too long."""
        body, services = self.parsed.body, self.services
        question = grounding.question_of(body["messages"])
        async with Watch(exchange):
            found = await grounding.search(services.control, services.settings, exchange.credential, wanted, question)
        body["messages"] = grounding.grounded(body["messages"], found)
        more = len(encoded(body)) - self.size
        if more > 0:
            await self.account.extend(more)
        self.grounding = Grounding(found)


def _with_less_thinking(body: dict[str, Any]) -> dict[str, Any]:
    """The same, with thoughts that are shorter than the answer: Anthropic's protocol wants that."""
    thinking, most = body.get("thinking"), body["max_tokens"] - 1
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if not isinstance(thinking, dict) or not isinstance(budget, int) or budget <= most:
        return body
    if most < LEAST_THINKING:
        return {name: value for name, value in body.items() if name != "thinking"}
    return {**body, "thinking": {**thinking, "budget_tokens": most}}


def _wanted_grounding(body: dict[str, Any], operation: Operation) -> GroundingRequest | None:
    """Takes the field `lisa` out of the body. Raises: InvalidError."""
    wanted = grounding.requested(body)
    if wanted is not None and not operation.is_groundable:
        raise InvalidError("lisa: only chat/completions can be grounded. Leave the field out.")
    return wanted


def _passed_headers(exchange: Exchange) -> Mapping[str, str]:
    """Those by which a caller chooses a version of Anthropic's protocol. Raises: BadRequestError."""
    passed = {"anthropic-version": exchange.header("anthropic-version") or ANTHROPIC_VERSION}
    beta = exchange.header("anthropic-beta")
    if beta is not None:
        passed["anthropic-beta"] = beta
    for name, value in passed.items():
        if not _VERSIONS.fullmatch(value):
            raise BadRequestError(f"The header `{name}` names versions, with commas between them.")
    return passed
