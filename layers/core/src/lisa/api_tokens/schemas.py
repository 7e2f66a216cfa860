"""API tokens: credentials of programs, kept as hashes."""

import hashlib
import time
from typing import Annotated

from pydantic import AfterValidator, Field

from lisa.schemas import Schema

DEFAULT_LIFETIME_SECONDS = 90 * 24 * 3600
LATEST_EXPIRATION = 253_402_300_799  # the year 9999; milliseconds sent by mistake lie beyond it


def hash_of(token: str) -> str:
    """The row key of a raw token. A fast hash is right: tokens are random, 512 bits long."""
    return hashlib.sha256(token.encode()).hexdigest()


def _in_the_future(moment: int | None) -> int | None:
    if moment is not None and not time.time() < moment <= LATEST_EXPIRATION:
        raise ValueError("must be a time in the future, in seconds since 1970")
    return moment


Name = Annotated[str, Field(min_length=1, max_length=128)]
Expiration = Annotated[int | None, AfterValidator(_in_the_future)]


class CreateOwnTokenRequest(Schema):
    """A token for oneself; it has the groups of its owner at this moment."""

    name: Name
    token_expiration: Expiration = None


class CreateTokenRequest(CreateOwnTokenRequest):
    """A token for somebody else, or for a system."""

    groups: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field([], max_length=100)
    is_system_token: bool = False


class ApiToken(Schema):
    """A row. Rows of old releases have no `token_uuid` or no `token_expiration` and open nothing."""

    token: str = Field(repr=False, description="SHA-256 of the raw token, in hex")
    token_uuid: str | None = Field(None, alias="tokenUUID")
    token_expiration: int | None = None
    created_date: int = 0
    created_by: str = ""
    username: str = ""
    name: str = ""
    groups: list[str] = []
    is_system_token: bool = False

    def is_expired(self, moment: float) -> bool:
        return self.token_expiration is not None and self.token_expiration <= moment


class CreatedToken(Schema):
    """The answer to a creation: the only time that the raw token is shown."""

    token: str = Field(repr=False)
    token_uuid: str = Field(alias="tokenUUID")
    token_expiration: int
    created_date: int
    username: str
    name: str
    groups: list[str]
    is_system_token: bool


class TokenInfo(Schema):
    """A token as its owner and admins see it."""

    token_uuid: str = Field(alias="tokenUUID")
    token_expiration: int
    created_date: int
    username: str
    created_by: str
    name: str
    groups: list[str]
    is_system_token: bool
    is_expired: bool
    is_legacy: bool


class TokenList(Schema):
    tokens: list[TokenInfo]


class DeletedToken(Schema):
    message: str
    token_uuid: str = Field(alias="tokenUUID")
