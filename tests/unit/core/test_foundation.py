"""Settings, roles and events: what every concern stands on."""

from typing import Any

import pytest
from lisa.auth.schemas import AuthType, GroupSettings, caller_of
from lisa.errors import AppError, ForbiddenError, UnavailableError
from lisa.events import PUT_EVENTS_LIMIT, DocumentDeleted, publish
from lisa.settings import Settings, SettingsError


class ProbeSettings(Settings):
    probe_table: str
    probe_count: int = 3


@pytest.fixture(autouse=True)
def fresh_settings() -> None:
    Settings.load.__func__.cache_clear()  # type: ignore[attr-defined]


def test_settings_come_from_upper_case_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_TABLE", "t1")
    assert ProbeSettings.load() == ProbeSettings(probe_table="t1", probe_count=3)


def test_missing_setting_is_named_without_any_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_COUNT", "hunter2")
    with pytest.raises(SettingsError) as refused:
        ProbeSettings.load()
    assert "PROBE_TABLE" in str(refused.value)
    assert "hunter2" not in str(refused.value)


NAMES = GroupSettings(admin_group="boss", user_group="staff", rag_admin_group="library", api_group="bots")


@pytest.mark.parametrize(
    ("groups", "auth_type", "roles"),
    [
        ([], AuthType.JWT, (False, False, False)),
        (["boss"], AuthType.JWT, (True, True, True)),
        (["library"], AuthType.API_TOKEN, (False, True, False)),
        (["bots"], AuthType.JWT, (False, False, True)),
        ([], AuthType.MANAGEMENT, (True, True, True)),
    ],
)
def test_roles_follow_from_groups(groups: list[str], auth_type: AuthType, roles: tuple[bool, ...]) -> None:
    person = caller_of("ada", groups, auth_type, NAMES)
    assert (person.is_admin, person.is_rag_admin, person.may_issue_tokens) == roles


def test_resource_without_groups_is_open_and_with_groups_only_to_members() -> None:
    ada = caller_of("ada", ["a"], AuthType.JWT, NAMES)
    assert ada.may_use([]) and ada.may_use(None) and ada.may_use(["a", "b"])
    assert not ada.may_use(["b"])
    with pytest.raises(ForbiddenError):
        ada.require_admin()


class Bus:
    def __init__(self, failed: int = 0) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.failed = failed

    def put_events(self, **fields: Any) -> dict[str, Any]:
        self.calls.append(fields["Entries"])
        return {"FailedEntryCount": self.failed}


def test_events_are_put_ten_at_a_time() -> None:
    bus = Bus()
    events = [DocumentDeleted(repository_id="r", collection_id="c", document_id=str(n)) for n in range(23)]
    publish(bus, "lisa", events)
    assert [len(entries) for entries in bus.calls] == [PUT_EVENTS_LIMIT, PUT_EVENTS_LIMIT, 3]


def test_refused_event_raises() -> None:
    with pytest.raises(UnavailableError):
        publish(Bus(failed=1), "lisa", [DocumentDeleted(repository_id="r", collection_id="c", document_id="d")])


def test_error_codes_and_statuses_are_unique() -> None:
    kinds = [kind for kind in AppError.__subclasses__() if kind.__module__ == AppError.__module__]
    assert len({kind.code for kind in kinds}) == len({kind.status for kind in kinds}) == len(kinds)
