"""Builds the authenticator of this process from its settings."""

import threading
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import Field

from lisa import aws
from lisa.api_tokens.store import DynamoApiTokenStore
from lisa.auth.schemas import GroupSettings, OidcProvider
from lisa.auth.service import Authenticator, TokenVerifier
from lisa.auth.store import ManagementKeyStore, SsmProviderStore
from lisa.auth.web import fetch_json
from lisa.errors import UnavailableError
from lisa.memory import Remembered
from lisa.settings import Settings

if TYPE_CHECKING:
    from lisa.auth.jwt import Identity

PROVIDER_SECONDS = 300.0


class AuthSettings(Settings):
    """The parameter with the provider's settings, the table of API tokens, the management key's secret."""

    auth_parameter: str = Field(min_length=1)
    api_tokens_table: str = Field(min_length=3)
    management_key_secret: str = Field(min_length=1)


class FirstUse:
    """Made when the first signed token arrives: its libraries are a seventh of what the gateway needs to start."""

    def __init__(self, make: Callable[[], TokenVerifier]) -> None:
        self._make = make
        self._made: TokenVerifier | None = None
        self._lock = threading.Lock()

    def verify(self, token: str) -> "Identity":
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return self._made.verify(token)


def _verifier(parameter: str) -> TokenVerifier:
    from lisa.auth.jwt import JwtVerifier
    from lisa.auth.signing_keys import SigningKeys

    remembered = Remembered(SsmProviderStore(aws.client("ssm"), parameter).read, time.time)

    def provider() -> OidcProvider:
        return remembered.get(PROVIDER_SECONDS)

    def keys() -> dict[str, Any]:
        return fetch_json(jwks_url_of(provider()))

    return JwtVerifier(provider, SigningKeys(keys, time.time), fetch_json, time.time)


@cache
def authenticator() -> Authenticator:
    """One per process: its caches are the point. Nothing is fetched before the first credential."""
    settings = AuthSettings.load()
    return Authenticator(
        management_keys=ManagementKeyStore(aws.client("secretsmanager"), settings.management_key_secret).read,
        api_tokens=DynamoApiTokenStore(aws.table(settings.api_tokens_table)),
        jwt=FirstUse(lambda: _verifier(settings.auth_parameter)),
        groups=GroupSettings.load(),
    )


def jwks_url_of(provider: OidcProvider) -> str:
    """The address of the provider's keys: as set, else by its discovery document. Raises: UnavailableError."""
    if provider.jwks_url:
        return provider.jwks_url
    document = fetch_json(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    url = document.get("jwks_uri")
    if not isinstance(url, str) or document.get("issuer") != provider.issuer:
        raise UnavailableError("The sign-in provider's discovery document does not fit the issuer that is set.")
    return url
