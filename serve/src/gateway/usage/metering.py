"""Tokens and cost of one call, read from what passes by; at its end its reservation is settled and a record is sent."""

import time
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lisa.auth.schemas import Caller
from lisa.models.schemas import ModelRow
from lisa.usage.schemas import MAX_COUNT, CallStatus

from gateway.limits.admission import Reservation
from gateway.limits.estimates import LIKELY_BYTES_PER_TOKEN, prompt_bound
from gateway.operations import CHAT, COMPLETIONS, EMBEDDINGS, Operation, Protocol
from gateway.pricing.prices import Price, Prices, cost_of, micro_usd
from gateway.pricing.rates import usd_of_tokens
from gateway.pricing.token_counts import (
    NONE,
    fields_of_answer,
    fields_of_event,
    has_usage,
    tokens_of,
    usage_in_answer,
    usage_in_event,
    usage_of_answer,
)
from gateway.pricing.unit_counts import asked_amounts, cost_with_units, told_amounts
from gateway.pricing.unit_prices import Amounts
from gateway.usage.queue import UsageQueue

# What an event has beside its text, which is a token or, as Gemini's, hundreds. Anthropic's frames are this long; those
# of chat 200 (vLLM) to 340 bytes (OpenAI, with `system_fingerprint`, `service_tier`, `obfuscation` and long names).
ANTHROPIC_FRAME_BYTES, CHAT_FRAME_BYTES = 118, 350
# OpenAI's with other likely tokens and Azure's with verdicts are longer; these have a token each.
TOKEN_EACH = (b'"top_logprobs"', b'"content_filter_results"')
ANSWER_FRAME_BYTES = 300  # of an answer that is not streamed
MAX_SESSION_ID = 128
DAY_SECONDS = 86_400


class Asked(NamedTuple):
    """What was asked. `row`: the model that was named; `wants_usage`: a stream shall tell its usage."""

    request_id: str
    caller: Caller
    operation: Operation
    row: ModelRow
    wants_usage: bool
    session_id: str | None
    started_at: float  # of time.perf_counter


@dataclass(frozen=True, slots=True)
class Metering:
    """What the meters of this task share."""

    prices: Prices
    queue: UsageQueue

    def meter(self, asked: Asked, reservation: Reservation, body: dict[str, Any], body_bytes: int) -> "Meter":
        if asked.operation.has_units:
            return UnitMeter(self, asked, reservation, asked_amounts(asked.operation, body, body_bytes)[1])
        likely_prompt = prompt_bound(body, body_bytes) // LIKELY_BYTES_PER_TOKEN
        return Meter(self, asked, reservation, likely_prompt, body.get("service_tier"))


def wants_usage(body: dict[str, Any]) -> bool:
    """True when the caller asked for a stream's usage; otherwise only we did."""
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def session_of(told: str | None) -> str | None:
    """The session that a call's header names. Longer ones are no ids, and would fill the memory while records wait."""
    return told if told and len(told) <= MAX_SESSION_ID else None


class Meter:
    """`event` or `answer` see what the upstream says; `close` ends it."""

    __slots__ = (
        "_asked",
        "_bytes",
        "_cost",
        "_estimated",
        "_events",
        "_is_told",
        "_likely_prompt",
        "_longest",
        "_metering",
        "_ms",
        "_reservation",
        "_row",
        "_status",
        "_tier",
        "_time",
        "_tokens",
        "_usage",
    )

    def __init__(
        self, metering: Metering, asked: Asked, reservation: Reservation, likely_prompt: int, tier: Any = None
    ) -> None:
        self._metering = metering
        self._asked = asked
        self._reservation = reservation
        self._likely_prompt = likely_prompt
        self._tier = tier  # that was asked for
        self._usage: dict[str, Any] = {}
        self._row = asked.row
        self._tokens = NONE
        self._is_told = False  # by the upstream, to the end
        self._estimated = False
        self._events = 0
        self._bytes = 0
        self._longest = b""
        self._cost = 0
        self._status: CallStatus | None = None
        self._time = self._ms = 0.0

    def answered_by(self, row: ModelRow) -> None:
        """The deployment that is asked now; its prices count."""
        self._row = row

    def event(self, ready: bytes) -> bytes:
        """Whole events of a stream. Returns what goes to the client: all but an event that only tells unasked usage."""
        self._events += ready.count(b"\ndata:") + ready.startswith(b"data:")
        self._bytes += len(ready)
        if len(ready) > len(self._longest):
            self._longest = ready
        return self._read_events(ready) if has_usage(ready) else ready

    def answer(self, body: bytes) -> None:
        """A whole answer."""
        self._bytes += len(body)
        self._events += 1
        usage = usage_of_answer(body)
        tokens = tokens_of(usage)
        if tokens is not None:
            self._tokens, self._usage, self._is_told = tokens, usage, True

    def close(self, status: CallStatus) -> None:
        """Settles and records the call, once; a second time changes nothing. Never raises or waits."""
        if self._status is not None:
            return
        self._status = status
        self._time = time.time()
        self._ms = (time.perf_counter() - self._asked.started_at) * 1000
        if not self._is_told or not self._tokens.prompt:
            self._estimate(status)
        tokens = self._tokens
        price = self._metering.prices.of(self._row)  # learned before the call
        is_plain = price.units is None and not price.cases
        self._cost = cost_of(price, *tokens) if is_plain else self._special_cost(price, status)
        self._reservation.settle(tokens.prompt, tokens.completion, self._cost)
        self._metering.queue.put(self)

    def kind(self) -> Hashable:
        """See `gateway.usage.queue.Recorded`."""
        asked, caller = self._asked, self._asked.caller
        return (
            self._time // DAY_SECONDS,
            caller.username,
            caller.key_id,
            caller.groups,
            asked.row.model_id,
            self._row.model_id,
            asked.operation.name,
            asked.session_id,
            self._estimated,
            self._status,
        )

    def record(self) -> dict[str, Any]:
        """As `lisa.usage.schemas.UsageRecord` in JSON."""
        asked = self._asked
        answered_by = self._row.model_id
        return {
            "requestId": asked.request_id,
            "time": datetime.fromtimestamp(self._time, UTC).isoformat(timespec="milliseconds"),
            "username": asked.caller.username,
            "keyId": asked.caller.key_id,
            "groups": sorted(asked.caller.groups),
            "modelId": asked.row.model_id,
            "deploymentId": answered_by if answered_by != asked.row.model_id else None,
            "operation": asked.operation.name,
            "sessionId": asked.session_id,
            "estimated": self._estimated,
            "status": self._status,
            "requests": 1,
            "promptTokens": self._tokens.prompt,
            "completionTokens": self._tokens.completion,
            "cachedTokens": self._tokens.cached,
            "costMicroUsd": min(self._cost, MAX_COUNT),
            "ms": round(self._ms, 1),
        }

    def add_to(self, record: dict[str, Any]) -> None:
        """See `gateway.usage.queue.Recorded`."""
        tokens = self._tokens
        record["requests"] += 1
        record["promptTokens"] = min(record["promptTokens"] + tokens.prompt, MAX_COUNT)
        record["completionTokens"] = min(record["completionTokens"] + tokens.completion, MAX_COUNT)
        record["cachedTokens"] = min(record["cachedTokens"] + tokens.cached, MAX_COUNT)
        record["costMicroUsd"] = min(record["costMicroUsd"] + self._cost, MAX_COUNT)  # more would refuse the message
        record["ms"] = round(record["ms"] + self._ms, 1)

    def _read_events(self, ready: bytes) -> bytes:
        boundary = b"\r\n\r\n" if b"\r\n\r\n" in ready else b"\n\n"
        events = ready.split(boundary)
        kept = [event for event in events if not (has_usage(event) and self._is_ours_alone(event))]
        return ready if len(kept) == len(events) else boundary.join(kept)

    def _is_ours_alone(self, event: bytes) -> bool:
        """Reads an event that may tell usage. True when it does nothing else, and the caller did not ask for it."""
        body = fields_of_event(event)
        usage = usage_in_event(body)
        tokens = tokens_of(usage, self._tokens)
        if tokens is None:
            return False
        self._tokens = tokens
        self._usage = self._usage | usage
        self._is_told = body.get("type") != "message_start"  # Anthropic's first event tells the prompt only
        operation = self._asked.operation
        is_extra = operation in (CHAT, COMPLETIONS) and body.get("choices") == []
        return is_extra and not self._asked.wants_usage

    def _special_cost(self, price: Price, _status: CallStatus) -> int:
        """Micro-dollars where not all tokens cost the same, or a model also makes what is sold by the unit."""
        if not price.cases:
            return cost_of(price, *self._tokens)
        tier = self._usage.get("service_tier") or self._tier
        return micro_usd(usd_of_tokens(price.cases, self._tokens, self._usage, tier))

    def _estimate(self, status: CallStatus) -> None:
        """A stream that was cut short, or an upstream that tells nothing, or nothing of the prompt."""
        operation, known = self._asked.operation, self._tokens
        if not (operation.is_generating or operation is EMBEDDINGS):
            return  # what it uses is not tokens
        if not self._events and status is not CallStatus.CUT_SHORT:
            return  # no upstream answered: it failed, or a guardrail did in its place
        completion = self._likely_completion() if operation.is_generating and not self._is_told else 0
        prompt = known.prompt or self._likely_prompt
        self._tokens = known._replace(prompt=prompt, completion=max(known.completion, completion))
        self._estimated = True

    def _likely_completion(self) -> int:
        if self._events == 1:
            return max(self._bytes - ANSWER_FRAME_BYTES, 0) // LIKELY_BYTES_PER_TOKEN
        count = max(self._events - 1, 0)  # the first tells who speaks
        frame = self._frame_bytes()
        return count if frame is None else max(count, (self._bytes - self._events * frame) // LIKELY_BYTES_PER_TOKEN)

    def _frame_bytes(self) -> int | None:
        """None: the size of this stream's events says nothing."""
        operation = self._asked.operation
        if operation.protocol is Protocol.ANTHROPIC:
            return ANTHROPIC_FRAME_BYTES
        is_chat = operation in (CHAT, COMPLETIONS) and not any(mark in self._longest for mark in TOKEN_EACH)
        return CHAT_FRAME_BYTES if is_chat else None


class UnitMeter(Meter):
    """Of an operation that `has_units`: what the answer does not tell of them is as it was asked for."""

    __slots__ = ("_amounts",)

    def __init__(self, metering: Metering, asked: Asked, reservation: Reservation, amounts: Amounts) -> None:
        super().__init__(metering, asked, reservation, 0)
        self._amounts = amounts

    def answer(self, body: bytes) -> None:
        self._events += 1
        self._read(fields_of_answer(body))

    def _read_events(self, ready: bytes) -> bytes:
        for event in ready.split(b"\r\n\r\n" if b"\r\n\r\n" in ready else b"\n\n"):
            if has_usage(event):
                self._read(fields_of_event(event))
        return ready

    def _read(self, answer: dict[str, Any]) -> None:
        usage = usage_in_answer(answer)
        tokens = tokens_of(usage)
        if tokens is not None:
            self._tokens, self._usage = tokens, usage
        self._amounts = told_amounts(self._amounts, answer)

    def _special_cost(self, price: Price, status: CallStatus) -> int:
        if price.units is None:
            return super()._special_cost(price, status)
        if status is CallStatus.FAILED and not self._events:
            return 0  # no upstream answered, or not with what costs
        cost, is_estimate = cost_with_units(price, price.units, self._tokens, self._usage, self._amounts)
        self._estimated = is_estimate
        return cost

    def _estimate(self, status: CallStatus) -> None:
        """What it uses is not tokens."""
