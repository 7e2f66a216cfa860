"""Signed tokens of the identity provider: who the person is and which groups they are in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwt import JWTClaimsRegistry

from lisa.auth.schemas import OidcProvider
from lisa.auth.signing_keys import PublicKey
from lisa.errors import UnauthorizedError
from lisa.memory import Clock

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384")  # asymmetric only: a public key must not sign
TOKEN_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")  # a logout token is signed by the same keys
LEEWAY_SECONDS = 30  # clocks differ
NAME_CLAIMS = ("cognito:username", "username", "sub")  # not preferred_username: people may change theirs at will
MAX_NAME_LENGTH = 256


@dataclass(frozen=True)
class Identity:
    """What a credential proves; `expires_at` is in epoch seconds."""

    username: str
    groups: frozenset[str]
    expires_at: float


class KeySource(Protocol):
    def find(self, key_id: str | None) -> PublicKey: ...


class JwtVerifier:
    """Accepts id tokens for our client, and access tokens that were issued to it."""

    def __init__(
        self,
        provider: Callable[[], OidcProvider],
        keys: KeySource,
        fetch_userinfo: Callable[[str, str], Mapping[str, Any]],
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._keys = keys
        self._fetch_userinfo = fetch_userinfo
        self._clock = clock

    def verify(self, token: str) -> Identity:
        """Raises: UnauthorizedError with the reason; UnavailableError when the provider is needed and is down."""
        provider = self._provider()
        claims = self._claims(token, provider)
        username = next((claims[name] for name in NAME_CLAIMS if claims.get(name)), None)
        if not isinstance(username, str) or len(username) > MAX_NAME_LENGTH or not username.isprintable():
            raise UnauthorizedError("The token names no user.")
        groups = groups_in(claims, provider.groups_claim)
        if groups is None and provider.userinfo_url:
            groups = self._groups_from_userinfo(provider.userinfo_url, token, claims, provider.groups_claim)
        return Identity(username, groups or frozenset(), float(claims["exp"]))

    def _claims(self, token: str, provider: OidcProvider) -> dict[str, Any]:
        try:
            header = jws.extract_compact(token.encode()).headers()
            if header.get("alg") not in ALGORITHMS:
                raise UnauthorizedError("The token is not signed with an algorithm that is accepted here.")
            kind = header.get("typ")
            if (kind.lower() if isinstance(kind, str) else kind) not in TOKEN_TYPES:
                raise UnauthorizedError("The token is of a kind that does not sign anybody in.")
            key_id = header.get("kid")
            key = self._keys.find(str(key_id) if key_id is not None else None)
            if key.get("alg") not in (None, header["alg"]):
                raise UnauthorizedError("The token is not signed with the algorithm of its key.")
            claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
            self._check(claims, provider)
        except ExpiredTokenError as error:
            raise UnauthorizedError("The token has expired. Sign in again.") from error
        except (JoseError, ValueError, RecursionError) as error:  # deeply nested JSON
            raise UnauthorizedError("The token is not valid here. Sign in again.") from error
        return claims

    def _check(self, claims: dict[str, Any], provider: OidcProvider) -> None:
        JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": provider.issuer},
            exp={"essential": True},
        ).validate(claims)
        if claims.get("token_use") == "access":
            is_for_us = claims.get("client_id") == provider.client_id
        else:
            audience = claims.get("aud")
            is_for_us = provider.client_id in (audience if isinstance(audience, list) else [audience])
        if not is_for_us or "events" in claims:
            raise UnauthorizedError("The token was issued for another application.")

    def _groups_from_userinfo(
        self, url: str, token: str, claims: Mapping[str, Any], path: str
    ) -> frozenset[str] | None:
        try:
            profile = self._fetch_userinfo(url, token)
        except UnauthorizedError:
            return None  # providers refuse id tokens here: the person is known, the groups are not
        if profile.get("sub") != claims.get("sub"):
            raise UnauthorizedError("The sign-in provider answered for somebody else.")
        return groups_in(profile, path)


def groups_in(claims: Mapping[str, Any], path: str) -> frozenset[str] | None:
    """The groups under a claim: its literal name first (`cognito:groups`, `https://a.b/groups`), then as a path
    (`realm_access.roles`). None when the claim is absent."""
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return frozenset([value])
    if isinstance(value, list):
        return frozenset(group for group in value if isinstance(group, str))
    return None
