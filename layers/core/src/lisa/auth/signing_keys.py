"""The identity provider's public keys, fetched rarely and kept while it is down."""

import threading
from collections.abc import Callable
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from lisa.errors import UnauthorizedError, UnavailableError
from lisa.memory import Clock

PublicKey = RSAKey | ECKey
KINDS: dict[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}
UNKNOWN_KEY_PAUSE_SECONDS = 60.0  # forged key ids must not become requests to the provider
FIRST_FETCH_PAUSE_SECONDS = 2.0  # nobody can sign in before the first fetch succeeds
REFRESH_SECONDS = 3600.0  # a key that the provider withdrew is forgotten after this


class SigningKeys:
    """Keys by their id (`kid`). Symmetric keys, and keys for encryption, are never taken."""

    def __init__(self, fetch: Callable[[], dict[str, Any]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._tried_at: float | None = None
        self._lock = threading.Lock()

    def find(self, key_id: str | None) -> PublicKey:
        """The key with that id; without an id, the only key there is.

        Raises: UnauthorizedError for an unknown id, UnavailableError when no key was ever fetched.
        """
        if self._is_due(REFRESH_SECONDS):
            self._refresh(REFRESH_SECONDS)
        key = self._known(key_id)
        if key is None:
            self._refresh(UNKNOWN_KEY_PAUSE_SECONDS)
            key = self._known(key_id)
        if key is not None:
            return key
        if not self._keys:
            raise UnavailableError("The sign-in provider's keys cannot be fetched. Try again.")
        raise UnauthorizedError("The token is signed with a key that the sign-in provider does not publish.")

    def _known(self, key_id: str | None) -> PublicKey | None:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _is_due(self, pause: float) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at >= pause

    def _refresh(self, pause: float) -> None:
        with self._lock:
            if not self._is_due(pause if self._keys else FIRST_FETCH_PAUSE_SECONDS):
                return
            try:
                found = _parse(self._fetch())
            except UnavailableError:
                found = {}  # the keys known so far stay good while the provider is down
            finally:
                self._tried_at = self._clock()
            self._keys = found or self._keys


def _parse(document: dict[str, Any]) -> dict[str, PublicKey]:
    keys: dict[str, PublicKey] = {}
    listed = document.get("keys")
    for data in listed if isinstance(listed, list) else []:
        if not isinstance(data, dict) or data.get("use", "sig") != "sig":
            continue
        kind = KINDS.get(str(data.get("kty")))
        if kind is None:
            continue
        try:
            key = kind.import_key(data)
            keys[str(key.kid or key.thumbprint())] = key
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # one malformed key must not lock everybody out
    return keys
