"""Two admins who save at once."""

from datetime import UTC, datetime

import pytest
from lisa.auth.schemas import Caller
from lisa.configuration import service
from lisa.configuration.schemas import Configuration, ConfigurationVersion, PutConfigurationRequest
from lisa.errors import ConflictError

ADMIN = Caller(username="root", is_admin=True)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class MemoryStore:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], ConfigurationVersion] = {}
        self.rival: ConfigurationVersion | None = None

    def versions(self, scope: str, limit: int) -> list[ConfigurationVersion]:
        found = sorted((v for v in self.kept.values() if v.config_scope == scope), key=lambda v: -v.version_id)
        return found[:limit]

    def add(self, version: ConfigurationVersion) -> bool:
        added = self.rival or version
        key = (added.config_scope, added.version_id)
        self.rival = None
        is_free = key not in self.kept
        self.kept.setdefault(key, added)
        return is_free and added is version


def test_save_that_lost_the_race_is_a_conflict_and_loses_nothing() -> None:
    store = MemoryStore()
    store.rival = ConfigurationVersion(config_scope="global", version_id=1, configuration={"of": "the other"})
    request = PutConfigurationRequest(configuration=Configuration())
    with pytest.raises(ConflictError):
        service.save(store, ADMIN, "global", request, NOW)
    assert [version.configuration for version in store.versions("global", 9)] == [{"of": "the other"}]
    assert service.save(store, ADMIN, "global", request, NOW).version_id == 2
