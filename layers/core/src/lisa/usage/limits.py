"""Rules of limits: admins set them, Serve holds calls to them within 5 seconds."""

from typing import Protocol

from lisa.auth.schemas import Caller
from lisa.errors import InvalidError, NotFoundError
from lisa.usage.schemas import (
    DEFAULT,
    DeletedLimit,
    Limit,
    LimitKind,
    LimitList,
    LimitView,
    PutLimitRequest,
    subject_of,
    to_micro_usd,
)

NAME_CHARACTERS = 256


class LimitsStore(Protocol):
    def all(self) -> list[Limit]: ...
    def put(self, limit: Limit) -> None: ...
    def delete(self, subject: str) -> bool: ...


def listing(store: LimitsStore, caller: Caller) -> LimitList:
    """Every limit, by subject. Raises: ForbiddenError."""
    caller.require_admin()
    limits = sorted(store.all(), key=lambda limit: limit.subject)
    return LimitList(limits=[LimitView.of(limit) for limit in limits])


def put(store: LimitsStore, caller: Caller, kind: LimitKind, name: str, request: PutLimitRequest) -> LimitView:
    """Sets, or replaces, the limit of a user, key or group. Raises: ForbiddenError, InvalidError."""
    caller.require_admin()
    limit = Limit(
        subject=_subject(kind, name),
        requests_per_minute=request.requests_per_minute,
        tokens_per_minute=request.tokens_per_minute,
        budget_micro_usd=None if request.budget_usd is None else to_micro_usd(request.budget_usd),
        budget_period=request.budget_period,
    )
    store.put(limit)
    return LimitView.of(limit)


def delete(store: LimitsStore, caller: Caller, kind: LimitKind, name: str) -> DeletedLimit:
    """Raises: ForbiddenError; NotFoundError when there is no such limit."""
    caller.require_admin()
    subject = _subject(kind, name)
    if not store.delete(subject):
        raise NotFoundError("There is no such limit. List the limits to see what they are set for.")
    return DeletedLimit(subject=subject, deleted=True)


def _subject(kind: LimitKind, name: str) -> str:
    if not name.strip() or len(name) > NAME_CHARACTERS:
        raise InvalidError(f"name: give the {kind.value}'s name, of {NAME_CHARACTERS} characters at most.")
    if kind is LimitKind.GROUP and name == DEFAULT:
        raise InvalidError("name: there is no default for groups. Set a limit for each, or for user * or key *.")
    return subject_of(kind, name)
