"""Rules of authentication: what a credential is, and who stands behind it."""

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from lisa.api_tokens.schemas import ApiToken, hash_of
from lisa.auth.schemas import MANAGEMENT_KEY_ID, AuthType, Caller, GroupSettings, caller_of
from lisa.errors import ForbiddenError, UnauthorizedError
from lisa.memory import Clock, DeadlineCache, Remembered

if TYPE_CHECKING:
    from lisa.auth.jwt import Identity

CREDENTIAL_HEADERS = ("authorization", "api-key", "x-api-key")
MAX_CREDENTIAL_LENGTH = 16 * 1024
MANAGEMENT_USERNAME = "lisa-management-token"
CACHE_ENTRIES = 10_000
ACCEPTED_SECONDS = 60.0
REFUSED_SECONDS = 5.0
MANAGEMENT_KEY_SECONDS = 300.0
MANAGEMENT_KEY_RETRY_SECONDS = 30.0  # a key that was rotated just now is noticed after this
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_JWT = re.compile(r"eyJ[^.]*\.[^.]*\.[^.]*")


class ApiTokenRows(Protocol):
    def get(self, token_hash: str) -> ApiToken | None: ...


class TokenVerifier(Protocol):
    def verify(self, token: str) -> "Identity": ...


def credential_of(header: Callable[[str], str | None]) -> str | None:
    """The credential of a request: Authorization with or without `Bearer`, else Api-Key, else x-api-key.

    `header` tells a header by its name in lower case.
    """
    for name in CREDENTIAL_HEADERS:
        scheme, _, rest = (header(name) or "").strip().partition(" ")
        value = rest.strip() if scheme.lower() == "bearer" else f"{scheme} {rest}".strip()
        if value:
            return value
    return None


class Authenticator:
    """Tries the management key, then API tokens; what looks like a JWT goes to the verifier alone.

    Accepted callers are remembered for a minute under the SHA-256 of their credential, never beyond its expiry.
    """

    def __init__(
        self,
        management_keys: Callable[[], tuple[str, ...]],
        api_tokens: ApiTokenRows,
        jwt: TokenVerifier,
        groups: GroupSettings,
        clock: Clock = time.time,
    ) -> None:
        self._management_keys = Remembered(management_keys, clock)
        self._api_tokens = api_tokens
        self._jwt = jwt
        self._groups = groups
        self._clock = clock
        self._accepted: DeadlineCache[Caller] = DeadlineCache(CACHE_ENTRIES, clock)
        self._refused: DeadlineCache[str] = DeadlineCache(CACHE_ENTRIES, clock)

    def peek(self, credential: str) -> Caller | None:
        """The caller if remembered; never waits for anything."""
        return self._accepted.get(_digest(credential)) if len(credential) <= MAX_CREDENTIAL_LENGTH else None

    def authenticate(self, credential: str) -> Caller:
        """Who stands behind a credential.

        Raises: UnauthorizedError with the reason; ForbiddenError when only members of a group may enter;
        UnavailableError when a source that has to be asked cannot be reached.
        """
        if len(credential) > MAX_CREDENTIAL_LENGTH or not _PRINTABLE.fullmatch(credential):
            raise UnauthorizedError("The credential is malformed. Send one token in the Authorization header.")
        key = _digest(credential)
        known = self._accepted.get(key)
        if known is not None:
            return known
        refusal = self._refused.get(key)
        if refusal is not None:
            raise UnauthorizedError(refusal)
        try:
            caller, expires_at = self._identify(credential)
        except UnauthorizedError as error:
            self._refused.put(key, error.message, self._clock() + REFUSED_SECONDS)
            raise
        self._admit(caller)
        self._accepted.put(key, caller, min(self._clock() + ACCEPTED_SECONDS, expires_at))
        return caller

    def _identify(self, credential: str) -> tuple[Caller, float]:
        if _JWT.fullmatch(credential):
            identity = self._jwt.verify(credential)
            return caller_of(identity.username, identity.groups, AuthType.JWT, self._groups), identity.expires_at
        if self._is_management_key(credential, MANAGEMENT_KEY_SECONDS):
            return self._management_caller()
        token = self._api_tokens.get(hash_of(credential))
        if token is None and self._is_management_key(credential, MANAGEMENT_KEY_RETRY_SECONDS):
            return self._management_caller()
        if token is None or not token.token_uuid or not token.token_expiration:
            raise UnauthorizedError("The credential is unknown. Sign in, or create an API token.")
        if token.token_expiration <= self._clock():
            raise UnauthorizedError("The API token has expired. Create a new one.")
        caller = caller_of(token.username, token.groups, AuthType.API_TOKEN, self._groups, token.token_uuid)
        return caller, token.token_expiration

    def _is_management_key(self, credential: str, max_age: float) -> bool:
        offered = _digest(credential)
        keys = self._management_keys.get(max_age)
        return any(hmac.compare_digest(offered, _digest(key)) for key in keys if key)  # in constant time

    def _management_caller(self) -> tuple[Caller, float]:
        caller = caller_of(MANAGEMENT_USERNAME, (), AuthType.MANAGEMENT, self._groups, MANAGEMENT_KEY_ID)
        return caller, self._clock() + ACCEPTED_SECONDS

    def _admit(self, caller: Caller) -> None:
        """API tokens pass: whoever issued one decided about its groups."""
        required = self._groups.user_group
        if caller.auth_type is AuthType.JWT and required and not caller.is_admin and required not in caller.groups:
            raise ForbiddenError(f"This needs membership of the group `{required}`. Ask an administrator.")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
