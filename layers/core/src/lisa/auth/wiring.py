"""Builds the authenticator of this process from its settings."""

import time
from functools import cache
from typing import Any

from pydantic import Field

from lisa import aws
from lisa.api_tokens.store import DynamoApiTokenStore
from lisa.auth.jwt import JwtVerifier
from lisa.auth.schemas import GroupSettings, OidcProvider
from lisa.auth.service import Authenticator
from lisa.auth.signing_keys import SigningKeys
from lisa.auth.store import ManagementKeyStore, SsmProviderStore
from lisa.auth.web import fetch_json
from lisa.errors import UnavailableError
from lisa.memory import Remembered
from lisa.settings import Settings

PROVIDER_SECONDS = 300.0


class AuthSettings(Settings):
    """The parameter with the provider's settings, the table of API tokens, the management key's secret."""

    auth_parameter: str = Field(min_length=1)
    api_tokens_table: str = Field(min_length=3)
    management_key_secret: str = Field(min_length=1)


@cache
def authenticator() -> Authenticator:
    """One per process: its caches are the point. Nothing is fetched before the first credential."""
    settings = AuthSettings.load()
    remembered = Remembered(SsmProviderStore(aws.client("ssm"), settings.auth_parameter).read, time.time)

    def provider() -> OidcProvider:
        return remembered.get(PROVIDER_SECONDS)

    def keys() -> dict[str, Any]:
        return fetch_json(jwks_url_of(provider()))

    return Authenticator(
        management_keys=ManagementKeyStore(aws.client("secretsmanager"), settings.management_key_secret).read,
        api_tokens=DynamoApiTokenStore(aws.table(settings.api_tokens_table)),
        jwt=JwtVerifier(provider, SigningKeys(keys, time.time), fetch_json, time.time),
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
