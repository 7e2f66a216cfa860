"""Rules of the configuration: admins write, the server counts the versions."""

import json
from datetime import datetime
from typing import Protocol

from lisa.auth.schemas import Caller
from lisa.configuration.schemas import (
    GLOBAL,
    ConfigurationVersion,
    PutConfigurationRequest,
    Saved,
    epoch_text,
    first_version,
)
from lisa.errors import BadRequestError, ConflictError, TooLargeError

SHOWN_VERSIONS = 50
MAX_BYTES = 300_000  # a row holds 400 KB


class ConfigurationStore(Protocol):
    """`add` answers whether the version was still free; the newest versions come first."""

    def versions(self, scope: str, limit: int) -> list[ConfigurationVersion]: ...
    def add(self, version: ConfigurationVersion) -> bool: ...


def versions(store: ConfigurationStore, scope: str | None) -> list[ConfigurationVersion]:
    """The latest versions of a scope, the newest first; never empty for the global one. Raises: BadRequestError."""
    if not scope:
        raise BadRequestError("Say which scope: add ?configScope=global to the address.")
    found = store.versions(scope, SHOWN_VERSIONS)
    return found or ([first_version()] if scope == GLOBAL else [])


def save(
    store: ConfigurationStore, caller: Caller, scope: str, request: PutConfigurationRequest, moment: datetime
) -> Saved:
    """Adds the next version of a scope.

    Raises: ForbiddenError; BadRequestError when path and body differ; ConflictError when somebody saved in between.
    """
    caller.require_admin()
    if request.config_scope not in (None, scope):
        raise BadRequestError("The configScope in the body differs from the one in the address. Send the same.")
    document = request.configuration.model_dump(by_alias=True, mode="json")
    if len(json.dumps(document)) > MAX_BYTES:
        raise TooLargeError(f"The configuration is over {MAX_BYTES // 1000} KB. Send less.")
    latest = store.versions(scope, limit=1)
    next_id = latest[0].version_id + 1 if latest else 1
    version = ConfigurationVersion(
        config_scope=scope,
        version_id=next_id,
        changed_by=caller.username,
        change_reason=request.change_reason,
        configuration=document,
        created_at=epoch_text(moment),
    )
    is_stale = request.version_id is not None and request.version_id < next_id
    if is_stale or not store.add(version):
        raise ConflictError("Somebody else saved the configuration since you opened it. Reload, then save again.")
    return Saved(version_id=next_id)
