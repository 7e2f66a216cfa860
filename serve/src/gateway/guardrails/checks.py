"""Guardrails of a call: before the model is asked, beside it, and on its answer. Without a verdict nothing passes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lisa.auth.schemas import Caller
from lisa.errors import UpstreamError
from lisa.models.guardrails import GuardrailConfig, GuardrailMode

from gateway.errors import AnsweredError, GuardrailTriggeredError
from gateway.exchange import EVENT_STREAM, Exchange, Message
from gateway.guardrails.answers import UNREADABLE, Screen, StreamScreen, WholeScreen
from gateway.guardrails.bedrock import BedrockGuardrails, Source
from gateway.guardrails.refusals import Refusal
from gateway.guardrails.texts import BLOCKED, request_places
from gateway.operations import CHAT, COMPLETIONS, MESSAGES, RESPONSES, TRANSCRIPTIONS, Operation
from gateway.routing.targets import Target
from gateway.watch import Watch

# Operations whose answer is somebody's text; the others answer with numbers, pictures or sound.
ANSWERS_TEXT = frozenset({CHAT, COMPLETIONS, RESPONSES, MESSAGES, TRANSCRIPTIONS})

Call = Callable[[Exchange], Awaitable[None]]


class Guardrails:
    """Which guardrails a call has to pass."""

    def __init__(self, bedrock: BedrockGuardrails) -> None:
        self._bedrock = bedrock

    def of(self, named: Target, targets: Iterable[Target], caller: Caller) -> "Checks | None":
        """Those of the model that was asked for and of all that may answer in its place; None: nothing to check.

        Guardrails of groups are for their members and for admins.
        """
        found: dict[tuple[str, str, GuardrailMode], GuardrailConfig] = {}
        for target in (named, *targets):
            if target.row.guardrails_config:
                for guardrail in target.row.guardrails_config.values():
                    if caller.may_use(guardrail.allowed_groups):
                        key = (guardrail.guardrail_identifier, guardrail.guardrail_version, guardrail.mode)
                        found[key] = guardrail
        return Checks(self._bedrock, tuple(found.values())) if found else None


@dataclass(frozen=True, slots=True)
class Checks:
    """The guardrails of one call."""

    bedrock: BedrockGuardrails
    guardrails: tuple[GuardrailConfig, ...]

    async def run(self, exchange: Exchange, body: dict[str, Any], call: Call) -> None:
        """Does `call` between the checks; it gets the exchange to answer through. Masks texts in `body`.

        What a guardrail blocks is answered here, with its message.
        Raises: GuardrailTriggeredError where an answer has no place for a message; UnavailableError; as `call`.
        """
        refusal = Refusal(exchange, body)
        try:
            before, during, after = map(self._of, GuardrailMode)
            if before:
                async with Watch(exchange):
                    await self._mask_request(before, body)
            if not during and not after:
                await call(exchange)
                return
            try:
                async with asyncio.TaskGroup() as tasks:
                    verdict = tasks.create_task(self._judge_request(during, body)) if during else None
                    gate = Gate(exchange, verdict, self._screen_of(exchange.known_operation, after, refusal))
                    tasks.create_task(self._called(call, exchange.behind(gate.send), after))
            except BaseExceptionGroup as failed:
                raise _first(failed) from None
        except GuardrailTriggeredError as error:
            await refusal.answer(error)

    def _of(self, mode: GuardrailMode) -> list[GuardrailConfig]:
        return [guardrail for guardrail in self.guardrails if guardrail.mode is mode]

    async def _called(self, call: Call, exchange: Exchange, after: list[GuardrailConfig]) -> None:
        """Raises: as `call`, and as a check of what somebody else said in an error."""
        try:
            await call(exchange)
        except AnsweredError as error:
            (error.message,) = await self._passed(after, Source.OUTPUT, [error.message])
            raise

    async def _mask_request(self, guardrails: list[GuardrailConfig], body: dict[str, Any]) -> None:
        places = request_places(body)
        texts = await self._passed(guardrails, Source.INPUT, [place.text for place in places])
        for place, text in zip(places, texts, strict=True):
            place.replace(text)

    async def _judge_request(self, guardrails: list[GuardrailConfig], body: dict[str, Any]) -> None:
        """As the model has got the text already, what should have been masked is blocked."""
        texts = [place.text for place in request_places(body)]
        if await self._passed(guardrails, Source.INPUT, texts) != texts:
            raise GuardrailTriggeredError(BLOCKED)

    async def _passed(self, guardrails: list[GuardrailConfig], source: Source, texts: list[str]) -> list[str]:
        """The texts as the guardrails leave them, each asked once about equal ones."""
        for guardrail in guardrails:
            unique = list(dict.fromkeys(text for text in texts if text.strip()))
            if not unique:
                break
            answer = dict(zip(unique, await self.bedrock.apply(guardrail, source, unique), strict=True))
            texts = [answer.get(text, text) for text in texts]
        return texts

    def _screen_of(
        self, operation: Operation, guardrails: list[GuardrailConfig], refusal: Refusal
    ) -> Callable[[bytes], Screen] | None:
        """Makes a screen for answers of a content type."""
        if not guardrails or operation not in ANSWERS_TEXT:
            return None

        async def check(texts: list[str]) -> list[str]:
            return await self._passed(guardrails, Source.OUTPUT, texts)

        def screen(content_type: bytes) -> Screen:
            if content_type.startswith(EVENT_STREAM):
                return StreamScreen(check, refusal.saw)
            kind = content_type.split(b";")[0].strip().lower()
            if not kind.endswith((b"json", b"xml")) and not kind.startswith(b"text/"):
                raise UpstreamError(UNREADABLE)
            return WholeScreen(check, kind.endswith(b"json"))

        return screen


class Gate:
    """The place of an exchange's `send`: what comes here goes on when it was checked."""

    def __init__(
        self, exchange: Exchange, verdict: asyncio.Task[None] | None, screen_of: Callable[[bytes], Screen] | None
    ) -> None:
        self._exchange = exchange
        self._verdict = verdict
        self._screen_of = screen_of
        self._screen: Screen | None = None
        self._start: Message | None = None  # held until the first byte may go, so that a refusal can have its own

    async def send(self, message: Message) -> None:
        """Raises: GuardrailTriggeredError, UnavailableError, UpstreamError."""
        if message["type"] == "http.response.start":
            self._start = message
            if self._screen_of is not None:
                headers = dict(message["headers"])
                if headers.get(b"content-encoding", b"identity") != b"identity":
                    raise UpstreamError(UNREADABLE)
                self._screen = self._screen_of(headers.get(b"content-type", b""))
            return
        if self._verdict is not None:
            await self._verdict
        data, is_last = message.get("body", b""), not message.get("more_body")
        if self._screen is not None:
            data = await self._screen.take(data, is_last)
        if not data and not is_last:
            return
        if self._start is not None:
            await self._exchange.forward(self._start_with(data))
            self._start = None
        await self._exchange.forward({**message, "body": data})

    def _start_with(self, data: bytes) -> Message:
        assert self._start is not None
        if not isinstance(self._screen, WholeScreen):
            return self._start
        headers = [header for header in self._start["headers"] if header[0] != b"content-length"]
        return {**self._start, "headers": [*headers, (b"content-length", str(len(data)).encode())]}


def _first(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of several failures at once the one that the others follow from."""
    return min(failed.exceptions, key=lambda error: not isinstance(error, GuardrailTriggeredError))
