"""Who calls, and what their groups allow."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lisa.errors import ForbiddenError
from lisa.schemas import Schema
from lisa.settings import Settings

Group = Annotated[str, Field(min_length=1, max_length=200)]


class AuthType(StrEnum):
    MANAGEMENT = "management"
    API_TOKEN = "api_token"  # noqa: S105 - a kind of credential, not one
    JWT = "jwt"


MANAGEMENT_KEY_ID = "management"


class GroupSettings(Settings):
    """The names of the groups that carry a role; an empty `user_group` admits every signed-in person."""

    admin_group: str = "admin"
    user_group: str = ""
    rag_admin_group: str = "rag-admin"
    api_group: str = "api"


class OidcProvider(Schema):
    """The identity provider; `jwks_url` is found by discovery when it is empty.

    Issuer and key address are two settings, since an issuer need not be reachable under its own name.
    """

    issuer: str = Field(min_length=1)
    client_id: str = Field(min_length=1)
    jwks_url: str = ""
    userinfo_url: str = ""
    groups_claim: str = Field("cognito:groups", min_length=1)


class Caller(Schema):
    """An authenticated person or service. `groups` are as the identity provider or the API token tells them."""

    username: str = Field(min_length=1)
    groups: frozenset[str] = frozenset()
    auth_type: AuthType = AuthType.JWT
    key_id: str | None = None  # the UUID of the API token, or MANAGEMENT_KEY_ID; None for a person who signed in
    is_admin: bool = False
    is_rag_admin: bool = False
    may_issue_tokens: bool = False

    def may_use(self, allowed_groups: Iterable[str] | None) -> bool:
        """True for admins, for a resource without groups, and for members of one of its groups."""
        allowed = frozenset(allowed_groups or ())
        return self.is_admin or not allowed or bool(allowed & self.groups)

    def require_admin(self) -> None:
        """Raises: ForbiddenError."""
        if not self.is_admin:
            raise ForbiddenError("This needs membership of the admin group. Ask an administrator.")


def caller_of(
    username: str, groups: Iterable[str], auth_type: AuthType, names: GroupSettings, key_id: str | None = None
) -> Caller:
    """A caller with the roles that its groups carry; the management key is an admin."""
    members = frozenset(groups)
    is_admin = auth_type is AuthType.MANAGEMENT or names.admin_group in members
    return Caller(
        username=username,
        groups=members,
        auth_type=auth_type,
        key_id=key_id,
        is_admin=is_admin,
        is_rag_admin=is_admin or names.rag_admin_group in members,
        may_issue_tokens=is_admin or names.api_group in members,
    )
