"""Provider keys from Secrets Manager, kept for a few minutes, never logged."""

import asyncio
import logging
import time
from collections.abc import Callable

from lisa.errors import UnavailableError
from lisa.models.schemas import ModelRow

from gateway.logs import fields

logger = logging.getLogger(__name__)
MAX_KEYS = 10_000


class ProviderKeys:
    """A changed row (`last_modified`) or an upstream's 401 or 403 makes it read again.

    A key once read outlives an outage.
    """

    def __init__(self, read: Callable[[str], str], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._known: dict[str, tuple[float, str, str]] = {}  # ARN → (deadline, last_modified of the row, key)

    def peek(self, row: ModelRow) -> str | None:
        """The key if remembered; "" for a model without one. Never waits."""
        if row.api_key_secret_arn is None:
            return ""
        known = self._known.get(row.api_key_secret_arn)
        if known is None or known[0] <= self._clock() or known[1] != row.last_modified:
            return None
        return known[2]

    async def get(self, row: ModelRow) -> str:
        """The provider's key, "" for a model without one. Raises: UnavailableError."""
        key = self.peek(row)
        if key is not None:
            return key
        arn = str(row.api_key_secret_arn)
        try:
            key = (await asyncio.to_thread(self._read, arn)).strip()
        except Exception as error:
            logger.warning("provider key cannot be read", extra=fields(model=row.model_id, error=type(error).__name__))
            if arn in self._known:
                return self._known[arn][2]
            raise UnavailableError("The key of this model's provider cannot be read. Tell an administrator.") from error
        if not (key.isascii() and key.isprintable()):
            raise UnavailableError(
                "The key of this model's provider fits no header. An administrator has to set it anew."
            )
        if len(self._known) >= MAX_KEYS:
            self._known.clear()
        self._known[arn] = (self._clock() + self._seconds, row.last_modified, key)
        return key

    def expire(self, row: ModelRow) -> None:
        """The upstream refused the key: the next call reads it again."""
        known = self._known.get(row.api_key_secret_arn or "")
        if known is not None:
            self._known[str(row.api_key_secret_arn)] = (0.0, known[1], known[2])
