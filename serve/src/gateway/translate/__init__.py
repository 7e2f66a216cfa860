"""Calls that an upstream does not speak: LiteLLM translates, we check what goes in and frame what comes out."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

from gateway.call import Call
from gateway.errors import AnsweredError
from gateway.exchange import Exchange
from gateway.operations import (
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    IMAGE_EDITS,
    IMAGES,
    MESSAGES,
    RERANK,
    RESPONSES,
    SPEECH,
    TRANSCRIPTIONS,
    VIDEOS,
    Operation,
)
from gateway.services import Services
from gateway.translate import chat, litellm_http, litellm_library, media, messages, responses, tokens, vectors
from gateway.translate.inline import refuse_remote_media
from gateway.translate.job import Events, Job, Whole
from gateway.translate.sizes import refuse_large
from gateway.watch import Watch

Translator = Callable[[Job], Awaitable[Whole | Events]]
TRANSLATORS: dict[Operation, Translator] = {
    CHAT: chat.chat,
    COMPLETIONS: chat.completions,
    EMBEDDINGS: vectors.embeddings,
    RERANK: vectors.rerank,
    RESPONSES: responses.responses,
    MESSAGES: messages.messages,
    COUNT_TOKENS: tokens.count_tokens,
    IMAGES: media.images,
    IMAGE_EDITS: media.image_edits,
    SPEECH: media.speech,
    TRANSCRIPTIONS: media.transcriptions,
    VIDEOS: media.videos,
}


async def translate(exchange: Exchange, services: Services, call: Call, watch: Watch) -> None:
    """Answers in the caller's protocol, whatever the provider speaks. Raises: as `translate_by`."""
    await translate_by(TRANSLATORS[call.operation], exchange, services, call, watch)


async def translate_by(
    translator: Translator, exchange: Exchange, services: Services, call: Call, watch: Watch
) -> None:
    """The same with a translator that is not the operation's own.

    Raises: BadRequestError for what this model cannot do; AnsweredError with the provider's status; UpstreamError;
    from the watch its timeouts.
    """
    settings = services.settings
    refuse_large(call.body)
    refuse_remote_media(call.body)
    library = await litellm_library.load()
    job = Job(library, call, exchange.model_id, settings.first_byte_seconds)
    watch.upstream(settings.first_token_seconds if call.is_streamed else settings.first_byte_seconds)
    try:
        with litellm_http.calling(services.http) as outside, litellm_library.provider_errors(call, outside):
            answer = await translator(job)
            if not isinstance(answer, Whole):
                await _stream(exchange, services, call, watch, answer)
                return
    except AnsweredError as error:
        if error.given_status in (401, 403):
            services.keys.expire(call.target.row)
        raise
    if answer.is_counted:
        call.meter.answer(answer.body)
    watch.client(settings.stall_seconds)
    body = answer.body if call.grounding is None else call.grounding.added_to(answer.body)
    await exchange.answer(200, body, [(b"content-type", answer.content_type)])


async def _stream(exchange: Exchange, services: Services, call: Call, watch: Watch, events: Events) -> None:
    """The first event is awaited before the answer begins, so that an early error keeps its status."""
    settings = services.settings
    async with contextlib.aclosing(_metered(call, events)) as ready:
        first = await anext(ready, b"")
        await exchange.start_stream()
        if call.grounding is not None:
            await exchange.write(call.grounding.first_event(exchange.request_id, exchange.model_id))
        if first:
            await exchange.write(first)
        watch.upstream(settings.gap_seconds)
        async for event in ready:
            watch.client(settings.stall_seconds)
            await exchange.write(event)
            watch.upstream(settings.gap_seconds)
    await exchange.finish()


async def _metered(call: Call, events: Events) -> AsyncGenerator[bytes]:
    async with contextlib.aclosing(events):
        async for event in events:
            ready = call.meter.event(event)
            if ready:
                yield ready
