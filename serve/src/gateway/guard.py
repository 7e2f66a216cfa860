"""Who calls: the same rules as the authorizer's, asked without leaving the loop where they are remembered."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from lisa.auth.schemas import Caller
from lisa.auth.service import credential_of
from lisa.errors import UnauthorizedError

from gateway.exchange import Exchange

THREADS = 4  # of their own: a flood of unknown credentials must not take the loop's default threads (DNS, secrets)


class Authenticator(Protocol):
    def peek(self, credential: str) -> Caller | None: ...
    def authenticate(self, credential: str) -> Caller: ...


class Guard:
    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="auth")

    async def admit(self, exchange: Exchange) -> None:
        """Sets the caller of an exchange. Raises: UnauthorizedError, ForbiddenError, UnavailableError."""
        credential = credential_of(exchange.header)
        if credential is None:
            raise UnauthorizedError("Sign in, or send an API token as `Authorization: Bearer …`.")
        caller = self._authenticator.peek(credential)
        if caller is None:
            loop = asyncio.get_running_loop()
            caller = await loop.run_in_executor(self._threads, self._authenticator.authenticate, credential)
        exchange.credential = credential
        exchange.caller = caller

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
