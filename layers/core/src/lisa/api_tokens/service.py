"""Rules of API tokens: who may issue, see and delete them."""

import secrets
import uuid
from collections.abc import Iterable
from typing import Protocol

from lisa.api_tokens.schemas import (
    DEFAULT_LIFETIME_SECONDS,
    ApiToken,
    CreatedToken,
    CreateOwnTokenRequest,
    CreateTokenRequest,
    DeletedToken,
    TokenInfo,
    TokenList,
    hash_of,
)
from lisa.auth.schemas import Caller
from lisa.errors import BadRequestError, ForbiddenError, NotFoundError

RAW_TOKEN_BYTES = 64


class ApiTokenStore(Protocol):
    def get(self, token_hash: str) -> ApiToken | None: ...
    def put(self, token: ApiToken) -> None: ...
    def delete(self, token_hash: str) -> None: ...
    def by_uuid(self, token_uuid: str) -> ApiToken | None: ...
    def of_user(self, username: str) -> list[ApiToken]: ...
    def all(self) -> list[ApiToken]: ...


def create_own(store: ApiTokenStore, caller: Caller, request: CreateOwnTokenRequest, moment: int) -> CreatedToken:
    """A token with the caller's own groups. Raises: ForbiddenError; BadRequestError when one is still valid."""
    if not caller.may_issue_tokens:
        raise ForbiddenError("Creating a token needs membership of the API group. Ask an administrator.")
    _require_none_valid(store.of_user(caller.username), moment)
    full = CreateTokenRequest(**request.model_dump(), groups=sorted(caller.groups))
    return _issue(store, caller.username, full, caller.username, moment)


def create_for(
    store: ApiTokenStore, caller: Caller, username: str, request: CreateTokenRequest, moment: int
) -> CreatedToken:
    """A token for somebody else or, any number of them, for systems. Raises: ForbiddenError, BadRequestError."""
    caller.require_admin()
    if not request.is_system_token:
        _require_none_valid(store.of_user(username), moment)
    return _issue(store, username, request, caller.username, moment)


def visible_to(store: ApiTokenStore, caller: Caller, moment: int) -> TokenList:
    """Every token for an admin, one's own for everybody else; the newest first."""
    rows = store.all() if caller.is_admin else store.of_user(caller.username)
    rows.sort(key=lambda row: row.created_date, reverse=True)
    return TokenList(tokens=[_info(row, moment) for row in rows])


def get(store: ApiTokenStore, caller: Caller, token_uuid: str, moment: int) -> TokenInfo:
    """Raises: NotFoundError, also for somebody else's token."""
    return _info(_find(store, caller, token_uuid), moment)


def delete(store: ApiTokenStore, caller: Caller, token_uuid: str) -> DeletedToken:
    """Raises: NotFoundError, also for somebody else's token."""
    row = _find(store, caller, token_uuid)
    store.delete(row.token)
    return DeletedToken(message="Token deleted successfully", token_uuid=token_uuid)


def _find(store: ApiTokenStore, caller: Caller, token_uuid: str) -> ApiToken:
    row = store.by_uuid(token_uuid)
    if row is None and caller.is_admin:
        row = store.get(token_uuid)  # a row of an old release has no UUID and is named by its key
    if row is None or not (caller.is_admin or row.username == caller.username):
        raise NotFoundError("There is no such token. List the tokens to see their UUIDs.")
    return row


def _require_none_valid(rows: Iterable[ApiToken], moment: int) -> None:
    if any(not row.is_system_token and row.token_uuid and not row.is_expired(moment) for row in rows):
        raise BadRequestError("This user already has a valid token. Delete it first to create a new one.")


def _issue(
    store: ApiTokenStore, username: str, request: CreateTokenRequest, created_by: str, moment: int
) -> CreatedToken:
    raw = secrets.token_hex(RAW_TOKEN_BYTES)
    row = ApiToken(
        token=hash_of(raw),
        token_uuid=str(uuid.uuid4()),
        token_expiration=request.token_expiration or moment + DEFAULT_LIFETIME_SECONDS,
        created_date=moment,
        created_by=created_by,
        username=username,
        name=request.name,
        groups=request.groups,
        is_system_token=request.is_system_token,
    )
    store.put(row)
    return CreatedToken.model_validate({**row.model_dump(), "token": raw})


def _info(row: ApiToken, moment: int) -> TokenInfo:
    is_legacy = not row.token_uuid or not row.token_expiration
    return TokenInfo(
        token_uuid=row.token_uuid or row.token,
        token_expiration=row.token_expiration or 0,
        created_date=row.created_date,
        username=row.username,
        created_by=row.created_by,
        name=row.name or "Unnamed token",
        groups=row.groups,
        is_system_token=row.is_system_token,
        is_expired=is_legacy or row.is_expired(moment),
        is_legacy=is_legacy,
    )
