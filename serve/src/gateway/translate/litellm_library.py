"""LiteLLM, imported on first use (seconds, 200 MB) and kept from phoning home and logging."""

import asyncio
import contextlib
import functools
import importlib
import logging
import os
import re
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from types import ModuleType
from typing import Any

import aiohttp
import orjson
from lisa.errors import AppError, BadRequestError, UpstreamError

from gateway import outbound
from gateway.call import Call
from gateway.errors import AnsweredError, UnreadableAnswerError, UpstreamTimeoutError
from gateway.logs import QUIET, fields
from gateway.relay.pass_through import FROM_UPSTREAM
from gateway.translate import litellm_http
from gateway.translate.job import STUMBLES

logger = logging.getLogger(__name__)

# Read by LiteLLM while it is imported. PRODUCTION: it reads no .env file.
ENVIRONMENT = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOG": "CRITICAL",
    # other HTTP clients than the one that `litellm_http` watches
    "LITELLM_RUST": "False",
    "LITELLM_HTTP2": "False",
    "DISABLE_AIOHTTP_TRANSPORT": "False",
}
RESPONSES_BRIDGE = "litellm.responses.litellm_completion_transformation.handler"
NOT_OURS = "litellm.proxy.proxy_server"  # some paths try to import it with each call: seconds
PROXYS_ACCOUNTS = "litellm.proxy.pass_through_endpoints.success_handler"  # imports FastAPI, which we have not
NATIVE_STREAM = "litellm.llms.anthropic.pass_through.messages.streaming_iterator"
_lock = threading.Lock()
MAX_MESSAGE = 2000
_WRAPPING = re.compile(r"^(litellm\.\w+: *|\w*(Exception|Error) - |\w+Error: )+")


async def load() -> Any:
    """The library. The first call imports it in a thread, so that streams go on meanwhile."""
    return _loaded() if _loaded.cache_info().currsize else await asyncio.to_thread(_load_once)


def _load_once() -> Any:
    with _lock:
        return _loaded()


@functools.cache
def _loaded() -> Any:
    os.environ.update(ENVIRONMENT)
    sys.modules.setdefault(NOT_OURS, None)  # type: ignore[arg-type]  # how Python says: cannot be imported
    library: Any = importlib.import_module("litellm")
    library.telemetry = False
    library.suppress_debug_info = True
    library.turn_off_message_logging = True
    library.drop_params = True  # as the original: a parameter that a provider does not know is left out
    library.num_retries = 0
    library.disable_hf_tokenizer_download = True
    library.use_chat_completions_url_for_anthropic_messages = True  # what every compatible endpoint has
    _take_streams_as_they_are()
    _keep_refusals()
    litellm_http.take_over(library)
    asyncio.run(_rehearse(library))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return library


def _keep_refusals() -> None:
    """In streams LiteLLM takes a piece for empty that has nothing but a refusal."""
    wrapper: Any = importlib.import_module("litellm.litellm_core_utils.streaming_handler").CustomStreamWrapper
    is_filled = wrapper.is_chunk_non_empty

    def says_something(stream: Any, told: Any, chunk: Any, raw: Any) -> bool:
        return is_filled(stream, told, chunk, raw) or bool(getattr(chunk.choices[0].delta, "refusal", None))

    wrapper.is_chunk_non_empty = says_something


def _take_streams_as_they_are() -> None:
    """Streams of Claude elsewhere: LiteLLM would copy each for its proxy's accounts, in a task that nobody ends."""
    accounts = ModuleType(PROXYS_ACCOUNTS)
    vars(accounts)["PassThroughEndpointLogging"] = object
    sys.modules.setdefault(PROXYS_ACCOUNTS, accounts)
    streams = importlib.import_module(NATIVE_STREAM).BaseAnthropicMessagesStreamingIterator
    streams.async_sse_wrapper = _as_events
    streams.get_async_streaming_response_iterator = lambda _, httpx_response, **__: httpx_response.aiter_bytes()


async def _as_events(streams: Any, chunks: AsyncIterator[Any]) -> AsyncGenerator[bytes]:
    async for chunk in chunks:
        yield streams._convert_chunk_to_sse_format(chunk)


async def _rehearse(library: Any) -> None:
    """First calls, on which LiteLLM imports for seconds; here, in a thread, no stream waits for that.

    They reach nothing: see `litellm_http.calling`.
    """
    question = {
        "messages": [{"role": "user", "content": "x"}],
        "api_key": "x",
        "api_base": "http://x",
        "max_retries": 0,
    }
    bridge = importlib.import_module(RESPONSES_BRIDGE).LiteLLMCompletionTransformationHandler()
    importlib.import_module("litellm.llms.anthropic.pass_through.adapters.streaming_iterator")
    for model in ("openai/x", "anthropic/x"):
        with contextlib.suppress(Exception):
            await library.acompletion(model=model, **question, _skip_mcp_handler=True)
    with contextlib.suppress(Exception):
        await bridge.response_api_handler(
            model="openai/x", input="x", responses_api_request={}, _is_async=True, _skip_mcp_handler=True, **question
        )


@contextlib.contextmanager
def provider_errors(call: Call, outside: litellm_http.Outside) -> Iterator[None]:
    """Maps what LiteLLM raises.

    Raises: AnsweredError with the provider's status; UpstreamError; UnreadableAnswerError; BadRequestError.
    """
    try:
        yield
    except (AppError, asyncio.CancelledError):
        raise
    except Exception as error:
        raise _mapped(error, call, outside) from error


def _mapped(error: Exception, call: Call, outside: litellm_http.Outside) -> AppError:
    inner = getattr(error, "original_exception", None)  # of a stream that broke off
    did = "broke off in the middle of its answer" if inner or outside.is_answered else "cannot be reached"
    error = inner or error
    status = getattr(error, "status_code", None)
    refused = outbound.refusal(error, call.target.model_id)
    if refused is not None:
        return refused
    if type(error).__name__ == "Timeout":
        return UpstreamTimeoutError("The model's provider took too long to answer. Try again, or ask for less.")
    if isinstance(status, int) and 400 <= status <= 599 and not _is_unanswered(error):
        return _answered(error, status, call, outside.retry_after)
    cause = error.__cause__ or error.__context__
    told_cause = type(cause).__name__ if cause else None
    kind = type(error).__name__
    logger.warning("provider call failed", extra=fields(model=call.target.model_id, error=kind, cause=told_cause))
    stumble = None if _has_lost_connection(error) else next(filter(_is_stumble, (error, cause)), None)
    if stumble is not None and not outside.is_asked:
        why = f"{stumble} is missing" if isinstance(stumble, KeyError) else str(stumble)
        return BadRequestError(f"The model's provider cannot be asked for this in this form: {told(why, call)}")
    if stumble is not None and outside.is_answered and not inner:
        return UnreadableAnswerError("The model's provider answered in a form that cannot be read. Ask differently.")
    return UpstreamError(f"The model's provider {did}. Try again, or tell an administrator.")


def _answered(error: Exception, status: int, call: Call, retry_after: str) -> AnsweredError:
    code = str(getattr(error, "code", None) or "")
    code = code if code and not code.isdecimal() else "upstream_failed"
    headers = [FROM_UPSTREAM, *([(b"retry-after", retry_after.encode())] if retry_after else [])]
    return AnsweredError(status, code, told(str(getattr(error, "message", "") or error), call), headers)


def _is_stumble(error: BaseException | None) -> bool:
    """Whether LiteLLM's own code fell over what it read, a question or an answer."""
    return isinstance(error, STUMBLES) or type(error) is Exception


def _is_unanswered(error: BaseException) -> bool:
    """Whether nobody answered, or LiteLLM fell over itself; it tells of both as a 500, too."""
    return _has_lost_connection(error) or any(type(one).__name__ == "APIConnectionError" for one in _causes(error))


def _has_lost_connection(error: BaseException) -> bool:
    lost = aiohttp.ClientError | importlib.import_module("httpx").TransportError
    return any(isinstance(one, lost) for one in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def told(text: str, call: Call) -> str:
    """What a provider said, out of the words that LiteLLM wraps it in, and without our key."""
    start = text.find("{")
    if start >= 0:
        with contextlib.suppress(ValueError):
            body = orjson.loads(text[start : text.rfind("}") + 1])
            inner = body.get("error")
            said = inner.get("message") if isinstance(inner, dict) else inner or body.get("message")
            text = said if isinstance(said, str) and said else text
    text = _WRAPPING.sub("", text)
    return (text.replace(call.provider_key, "***") if call.provider_key else text)[:MAX_MESSAGE]
