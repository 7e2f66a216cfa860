"""Pass-through to an endpoint that speaks the caller's protocol: `model` changes going in, nothing coming out."""

import contextlib
import re
import time
from collections.abc import Awaitable, Iterable
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from lisa.errors import UpstreamError
from yarl import URL

from gateway import outbound, requests, video_ids
from gateway.call import Call
from gateway.errors import AnsweredError
from gateway.exchange import Exchange
from gateway.form import encode_form
from gateway.operations import CHAT, COMPLETIONS, MESSAGES, VIDEOS
from gateway.relay.events import WholeEvents, message_start
from gateway.relay.upstream import Reply
from gateway.routing.attempts import RetryableAnswerError
from gateway.routing.providers import KeyHeader
from gateway.services import Services
from gateway.settings import GatewaySettings
from gateway.watch import Watch

# Everything else of an upstream's headers (cookies, its server, its account's name, hop-by-hop ones) stays here.
SAFE_HEADERS = frozenset(
    (
        b"content-type",
        b"content-encoding",
        b"retry-after",
        b"retry-after-ms",
        b"x-should-retry",
        b"openai-processing-ms",
    )
)
SAFE_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")
JSON = "application/json"
UNKNOWN_PATH = frozenset((404, 405, 501))
TELLS_USAGE_IF_ASKED = frozenset((CHAT, COMPLETIONS))
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
FROM_UPSTREAM = (b"x-lisa-error-source", b"upstream")  # a relayed 401 is about the provider's key, not the caller's
MAX_ERROR_TEXT = 1000


class NotSpokenError(Exception):
    """The endpoint does not know the path of a protocol that it might have spoken."""


def relay(exchange: Exchange, services: Services, call: Call, watch: Watch) -> Awaitable[None]:
    """Answers with what the upstream answers.

    Raises: UpstreamError when it cannot be reached or breaks off, from the watch its timeouts; AnsweredError for an
    error of the upstream that is not JSON; RetryableAnswerError where another attempt follows; NotSpokenError.
    """
    address = call.target.url(call.operation.path)
    if call.files:
        return _relay_form(exchange, services, call, watch, address)
    return relay_to(exchange, services, call, watch, "POST", address, requests.encoded(_fields(call)))


async def _relay_form(exchange: Exchange, services: Services, call: Call, watch: Watch, address: URL) -> None:
    body, content_type = await encode_form(_fields(call), call.files)
    await relay_to(exchange, services, call, watch, "POST", address, body, content_type)


async def relay_to(
    exchange: Exchange,
    services: Services,
    call: Call,
    watch: Watch,
    method: str,
    address: URL,
    body: bytes = b"",
    content_type: str = JSON,
) -> None:
    """The same for any address of the call's upstream."""
    settings = services.settings
    watch.upstream(settings.first_token_seconds if call.is_streamed else settings.first_byte_seconds)
    headers = _request_headers(call, exchange.request_id)
    if body:
        headers["Content-Type"] = content_type
    try:
        reply = await services.upstreams.send(method, address, headers, body)
        try:
            await _relay(exchange, services, call, watch, reply)
        finally:
            reply.close()
    except aiohttp.ClientError as error:
        if exchange.status:
            raise UpstreamError("The model's endpoint broke off in the middle of its answer. Try again.") from error
        raise outbound.refusal(error, call.target.model_id) or UpstreamError(
            "The model's endpoint cannot be reached. Try again, or tell an administrator."
        ) from error


def _relay(exchange: Exchange, services: Services, call: Call, watch: Watch, reply: Reply) -> Awaitable[None]:
    if reply.status >= 400:
        _consider(services, call, reply)
    kind = _type_of(reply)
    if reply.status == 200 and kind == "text/event-stream":
        return _relay_stream(exchange, services, call, watch, reply)
    if reply.status == 200 and not _is_text(kind):
        return _relay_bytes(exchange, services, watch, reply)
    return _relay_whole(exchange, services, call, watch, reply)


def _type_of(reply: Reply) -> str:
    return reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _consider(services: Services, call: Call, reply: Reply) -> None:
    """Raises in place of an answer that is better not passed on."""
    status = reply.status
    if status in UNKNOWN_PATH and _may_not_be_spoken(services, call):
        raise NotSpokenError
    if status in (401, 403):
        services.keys.expire(call.target.row)
    retry_after = _seconds(reply.headers.get("Retry-After", ""))
    if call.chance.may_retry(status, retry_after):
        raise RetryableAnswerError(status, retry_after)


def _may_not_be_spoken(services: Services, call: Call) -> bool:
    """Otherwise the status is about a thing that the call names: one caller's 404 must not stand for all calls."""
    target, operation = call.target, call.operation
    names_a_thing = call.body.get("previous_response_id") is not None
    return target.may_speak(operation) and not names_a_thing and not services.dialects.speaks(target, operation)


def _seconds(retry_after: str) -> float | None:
    """Of a `Retry-After`, which is a number or a date (RFC 9110, 10.2.3)."""
    with contextlib.suppress(ValueError):
        return max(float(retry_after), 0.0)
    with contextlib.suppress(ValueError, OverflowError):
        return max(parsedate_to_datetime(retry_after).timestamp() - time.time(), 0.0)
    return None


def _is_text(content_type: str) -> bool:
    return content_type.startswith("text/") or content_type.endswith("json") or content_type == "application/xml"


def _fields(call: Call) -> dict[str, Any]:
    """The caller's, with the upstream's name for the model; a stream is asked to tell its usage."""
    body = {**call.body, "model": call.target.upstream_model}
    if call.operation in TELLS_USAGE_IF_ASKED and call.body.get("stream") is True:
        options = body.get("stream_options")
        body["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return body


def _request_headers(call: Call, request_id: str) -> dict[str, str]:
    """Of the caller's headers only those in `call.headers` go upstream."""
    headers = {
        "Accept": "*/*",
        "Accept-Encoding": "identity",  # the bytes are passed on as they are, and grounded ones are read
        "User-Agent": "lisa-gateway",
        "X-Request-Id": request_id,
        "x-litellm-end-user-id": _quoted(call.username),
        **call.headers,
    }
    if call.provider_key and call.target.provider is not None:
        name = call.target.provider.key_header
        headers[name] = f"Bearer {call.provider_key}" if name is KeyHeader.BEARER else call.provider_key
    return headers


@lru_cache(10_000)
def _quoted(username: str) -> str:
    return quote(username, safe="@.+-_:")


def _safe(raw_headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept = []
    for raw_name, value in raw_headers:
        name = raw_name.lower()
        if (name in SAFE_HEADERS or name.startswith(SAFE_PREFIXES)) and not _CONTROL.search(value):
            kept.append((name, value))
    return kept


async def _relay_stream(exchange: Exchange, services: Services, call: Call, watch: Watch, reply: Reply) -> None:
    settings = services.settings
    if call.grounding is not None and reply.headers.get("Content-Encoding", "identity") != "identity":
        raise UpstreamError("The model's endpoint compresses its answers unasked; they cannot carry citations.")
    # Without either header the end of the connection ends the body, so a crash looks like an end.
    is_framed = "Content-Length" in reply.headers or "chunked" in reply.headers.get("Transfer-Encoding", "").lower()
    start = partial(message_start, f"msg_{exchange.request_id}", exchange.model_id)
    events = WholeEvents(start if call.operation is MESSAGES else None)
    try:
        async for chunk in reply.content.iter_any():
            ready = events.take(chunk)
            if ready:
                ready = call.meter.event(ready)
            if ready:
                watch.client(settings.stall_seconds)
                if not exchange.status:
                    await _begin_stream(exchange, call, reply)
                await exchange.write(ready)
            watch.upstream(settings.gap_seconds)
    except aiohttp.ClientPayloadError:
        if not events.is_done:  # else it said all that it had to say
            raise
    rest = events.rest()
    if rest:
        rest = call.meter.event(rest)
    if not is_framed and not events.is_done:
        raise UpstreamError("The model's endpoint broke off in the middle of its answer. Try again.")
    if not exchange.status:
        await _begin_stream(exchange, call, reply)
    await exchange.finish(rest)


async def _begin_stream(exchange: Exchange, call: Call, reply: Reply) -> None:
    """Not before the first event: an endpoint that sends its head and nothing more may be replaced by another."""
    await exchange.start_stream(_safe(reply.raw_headers))
    if call.grounding is not None:
        await exchange.write(call.grounding.first_event(exchange.request_id, exchange.model_id))


async def _relay_bytes(exchange: Exchange, services: Services, watch: Watch, reply: Reply) -> None:
    """Sound and pictures, as they come."""
    settings = services.settings
    await exchange.start(reply.status, _safe(reply.raw_headers))
    async for chunk in reply.content.iter_any():
        watch.client(settings.stall_seconds)
        await exchange.write(chunk)
        watch.upstream(settings.gap_seconds)
    await exchange.finish()


async def _relay_whole(exchange: Exchange, services: Services, call: Call, watch: Watch, reply: Reply) -> None:
    """Read to its end first: an answer cut short becomes a clear 502, not half a JSON."""
    settings = services.settings
    content = reply.content
    whole = await content.readany()
    if not content.at_eof():
        whole = await _rest_of_answer(whole, content, settings, watch)
    watch.client(settings.stall_seconds)
    if reply.status >= 400:
        await _relay_error(exchange, call, reply, whole)
    elif reply.status >= 300:
        raise UpstreamError("The model's endpoint redirects. An administrator has to correct the model's modelUrl.")
    else:
        call.meter.answer(whole)
        if call.grounding is not None:
            whole = call.grounding.added_to(whole)
        elif call.operation is VIDEOS:
            whole = video_ids.with_our_ids(whole, call.target.model_id)
        await exchange.answer(reply.status, whole, _safe(reply.raw_headers))


async def _rest_of_answer(
    first: bytes, content: aiohttp.StreamReader, settings: GatewaySettings, watch: Watch
) -> bytes:
    answer = bytearray(first)
    while not content.at_eof():
        watch.upstream(settings.gap_seconds)
        answer += await content.readany()
        if len(answer) > settings.max_answer_bytes:
            raise UpstreamError("The answer of the model's endpoint is too large.")
    return bytes(answer)


async def _relay_error(exchange: Exchange, call: Call, reply: Reply, answer: bytes) -> None:
    if call.provider_key:  # some repeat what they were sent
        answer = answer.replace(call.provider_key.encode(), b"***")
    headers = [*_safe(reply.raw_headers), FROM_UPSTREAM]
    if _is_json(answer) or "Content-Encoding" in reply.headers:
        await exchange.answer(reply.status, answer, headers)
        return
    text = answer.decode("utf-8", "replace")[:MAX_ERROR_TEXT] if _type_of(reply) == "text/plain" else ""
    raise AnsweredError(
        reply.status,
        "upstream_failed",
        f"The model's endpoint answered {reply.status}{': ' + text if text else ''}.",
        [header for header in headers if header[0] not in (b"content-type", b"content-encoding")],
    )


def _is_json(answer: bytes) -> bool:
    try:
        return isinstance(orjson.loads(answer), dict)
    except orjson.JSONDecodeError:
        return False
