"""The ASGI application: route, admit, answer; every failure is told in one form; one log line a request."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from lisa.errors import AppError, NotFoundError

from gateway.access_log import AccessLog
from gateway.errors import (
    AnsweredError,
    ClientLeftError,
    DrainingError,
    MethodNotAllowedError,
    error_body,
    error_event,
    status_of,
)
from gateway.exchange import Exchange, Headers, Receive, Scope, Send
from gateway.lifecycle import services_of
from gateway.logs import fields
from gateway.operations import Protocol
from gateway.routes import route_of
from gateway.services import Services
from gateway.settings import GatewaySettings

logger = logging.getLogger(__name__)

CLIENT_LEFT = 499  # in the log only, as nginx has it
OURS = "Something went wrong on our side. Try again, or give an administrator the request id."


class Gateway:
    def __init__(self, open_services: Callable[[], AbstractAsyncContextManager[Services]]) -> None:
        self._open_services = open_services
        self._services: Services | None = None
        self._access_log = AccessLog()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            return self._serve(Exchange(scope, receive, send))
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        raise ValueError(f"no protocol of ours: {scope['type']}")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._open_services() as self._services:
                await send({"type": "lifespan.startup.complete"})
                await receive()
                self._access_log.close()
        except Exception as error:
            logger.exception("the gateway cannot start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, exchange: Exchange) -> None:
        left = False
        try:
            await self._dispatch(exchange)
        except ClientLeftError:
            left = True
        except AppError as error:
            await _fail(exchange, error)
        except asyncio.CancelledError:  # draining is over: say so rather than cut the connection
            await _fail(exchange, DrainingError("The gateway is being replaced. Send the request again."))
        except Exception:
            logger.exception("unexpected failure", extra=fields(request_id=exchange.request_id))
            await _fail(exchange, AppError(OURS))
        self._access_log.add(exchange, CLIENT_LEFT if left else exchange.status)

    async def _dispatch(self, exchange: Exchange) -> None:
        found = route_of(exchange.path)
        if found is None:
            raise NotFoundError("No such route.")
        methods, exchange.path_id = found
        route = methods.get(exchange.scope["method"])
        if route is None:
            raise MethodNotAllowedError(", ".join(methods))
        exchange.route_name = route.name
        exchange.operation = route.operation
        services = self._services
        if services is None:
            raise RuntimeError("the server did not run the lifespan")
        if not route.is_public:
            await services.guard.admit(exchange)
        await route.handler(exchange, services)


async def _fail(exchange: Exchange, error: AppError) -> None:
    """Tells the client; if the error cannot be told, then that something failed."""
    try:
        await _tell(exchange, error)
    except Exception:
        logger.exception("a failure cannot be told", extra=fields(request_id=exchange.request_id))
        await _tell(exchange, AppError(OURS))


async def _tell(exchange: Exchange, error: AppError) -> None:
    if exchange.finished:
        return
    if exchange.streaming:
        await exchange.finish(error_event(error, exchange.request_id, exchange.operation))
    elif not exchange.status:
        status = status_of(error)
        protocol = exchange.operation.protocol if exchange.operation else Protocol.OPENAI
        body = error_body(error, exchange.request_id, protocol)
        await exchange.answer(status, body, _failure_headers(error, status))


def _failure_headers(error: AppError, status: int) -> Headers:
    if isinstance(error, AnsweredError):
        return list(error.headers)
    if isinstance(error, MethodNotAllowedError):
        return [(b"allow", error.allowed.encode())]
    if status == 401:
        return [(b"www-authenticate", b'Bearer realm="lisa"')]
    if status in (408, 413):
        return [(b"connection", b"close")]  # the rest of the body is not read
    if status == 503:
        return [(b"retry-after", b"2")]
    return []


def gateway(settings: GatewaySettings) -> Gateway:
    """The application of this process."""
    return Gateway(lambda: services_of(settings))
