"""Histories stay whole, whoever saves, reads and deletes at the same time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lisa.auth.schemas import Caller
from lisa.errors import ConflictError, NotFoundError, TooLargeError
from lisa.sessions import service
from lisa.sessions.schemas import PutSessionRequest, SessionRow, SessionSummary

ADA, BOB = Caller(username="ada"), Caller(username="bob")
START = datetime(2026, 1, 1, tzinfo=UTC)
Row = tuple[str, str]


class MemoryStore:
    """Rows in dicts. `before` runs ahead of the named call, once: what another device does just then."""

    def __init__(self) -> None:
        self.rows: dict[Row, SessionRow] = {}
        self.messages: dict[Row, dict[str, str]] = {}
        self.written: list[str] = []
        self.before: dict[str, Callable[[], object]] = {}

    def _interrupt(self, name: str) -> None:
        act = self.before.pop(name, None)
        if act:
            act()

    def get(self, user_id: str, session_id: str) -> SessionRow | None:
        return self.rows.get((user_id, session_id))

    def replace(self, row: SessionRow, expected_version: str | None) -> bool:
        self._interrupt("replace")
        stored = self.rows.get((row.user_id, row.session_id))
        if (stored.version if stored else None) != expected_version:
            return False
        self.rows[row.user_id, row.session_id] = row
        return True

    def rename(self, user_id: str, session_id: str, name: str, version: str, moment: datetime) -> bool:
        stored = self.rows.get((user_id, session_id))
        if stored is None:
            return False
        changes = {"name": name, "version": version, "last_updated": moment}
        self.rows[user_id, session_id] = stored.model_copy(update=changes)
        return True

    def summaries(self, user_id: str) -> list[SessionSummary]:
        return [row for (owner, _), row in self.rows.items() if owner == user_id]

    def read_messages(self, user_id: str, session_id: str) -> dict[str, str]:
        self._interrupt("read_messages")
        return dict(self.messages.get((user_id, session_id), {}))

    def get_messages(self, user_id: str, session_id: str, references: Iterable[str]) -> dict[str, str]:
        stored = self.read_messages(user_id, session_id)
        return {reference: stored[reference] for reference in references if reference in stored}

    def write_messages(self, user_id: str, session_id: str, parts: Mapping[str, Sequence[str]]) -> None:
        kept = self.messages.setdefault((user_id, session_id), {})
        for reference, texts in parts.items():
            kept[reference] = "".join(texts)
            self.written.append(reference)

    def delete_messages(self, user_id: str, session_id: str, references: Iterable[str]) -> None:
        self._interrupt("delete_messages")
        for reference in references:
            self.messages.get((user_id, session_id), {}).pop(reference, None)

    def delete(self, user_id: str, session_id: str) -> bool:
        self.messages.pop((user_id, session_id), None)
        self._interrupt("delete")
        return self.rows.pop((user_id, session_id), None) is not None

    def delete_all(self, user_id: str) -> None:
        for owner, session_id in list(self.rows):
            if owner == user_id:
                self.delete(owner, session_id)


def said(*contents: str) -> PutSessionRequest:
    kinds = ("human", "ai")
    return PutSessionRequest(messages=[{"type": kinds[n % 2], "content": text} for n, text in enumerate(contents)])


def contents(store: MemoryStore, caller: Caller = ADA) -> list[Any]:
    return [message["content"] for message in service.get(store, caller, "s").history]


def save(store: MemoryStore, request: PutSessionRequest, minutes: int = 0, caller: Caller = ADA) -> None:
    service.save(store, caller, "s", request, START + timedelta(minutes=minutes))


def nothing_left_over(store: MemoryStore) -> bool:
    return set(store.messages["ada", "s"]) == set(store.rows["ada", "s"].references)


@settings(max_examples=100)
@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=6), min_size=1, max_size=6))
def test_last_saved_history_is_what_is_read(histories: list[list[str]]) -> None:
    store = MemoryStore()
    for history in histories:
        save(store, said(*history))
        assert contents(store) == history
        assert nothing_left_over(store)


def test_next_turn_writes_only_what_is_new() -> None:
    store = MemoryStore()
    save(store, said("one", "two"))
    store.written.clear()
    save(store, said("one", "two", "three", "four"))
    assert len(store.written) == 2


def test_start_stays_and_last_update_moves() -> None:
    store = MemoryStore()
    save(store, said("one"))
    save(store, said("one", "two"), minutes=5)
    session = service.get(store, ADA, "s")
    assert (session.start_time, session.create_time, session.last_updated) == (
        START,
        START,
        START + timedelta(minutes=5),
    )


def test_later_of_two_savers_wins_as_a_whole() -> None:
    store = MemoryStore()
    save(store, said("one", "two"))
    store.before["replace"] = lambda: save(store, said("from the phone"))
    save(store, said("one", "two", "three"))
    assert contents(store) == ["one", "two", "three"]
    assert nothing_left_over(store)


def test_slow_clean_up_of_one_saver_takes_nothing_from_the_next() -> None:
    store = MemoryStore()
    save(store, said("one", "two"))
    store.before["delete_messages"] = lambda: save(store, said("one", "two"))  # while the first removes "two"
    save(store, said("one"))
    assert contents(store) == ["one", "two"]


def test_two_savers_of_a_new_session_do_not_mix() -> None:
    store = MemoryStore()
    store.before["replace"] = lambda: save(store, said("a", "b"))
    save(store, said("a", "c"))
    assert contents(store) == ["a", "c"]
    assert nothing_left_over(store)


def test_reader_between_two_saves_sees_one_of_them_whole() -> None:
    store = MemoryStore()
    save(store, said("old", "old too"))
    store.before["read_messages"] = lambda: save(store, said("new"))
    assert contents(store) == ["new"]


def test_save_during_a_deletion_leaves_a_whole_history() -> None:
    store = MemoryStore()
    save(store, said("one", "two"))
    store.before["replace"] = lambda: service.delete(store, ADA, "s")
    save(store, said("one", "two", "three"))
    assert contents(store) == ["one", "two", "three"]


def test_saving_gives_up_when_others_never_stop() -> None:
    class Busy(MemoryStore):
        def replace(self, row: SessionRow, expected_version: str | None) -> bool:
            return False

    store = Busy()
    with pytest.raises(ConflictError, match="Try again"):
        save(store, said("one"))
    assert store.messages["ada", "s"] == {}


def test_session_belongs_to_its_owner() -> None:
    store = MemoryStore()
    save(store, said("secret"))
    with pytest.raises(NotFoundError):
        service.get(store, BOB, "s")
    with pytest.raises(NotFoundError):
        service.rename(store, BOB, "s", "mine", START)
    assert service.delete(store, BOB, "s").deleted is False
    save(store, said("bob's own"), caller=BOB)
    assert (contents(store), contents(store, BOB)) == (["secret"], ["bob's own"])


def test_absent_name_and_configuration_stay_as_they_are() -> None:
    store = MemoryStore()
    save(store, PutSessionRequest(messages=[], name="first", configuration={"selectedModel": {"modelId": "m"}}))
    service.rename(store, ADA, "s", "second", START)
    save(store, said("one"))
    session = service.get(store, ADA, "s")
    assert (session.name, session.configuration) == ("second", {"selectedModel": {"modelId": "m"}})


def test_rename_during_a_save_is_kept() -> None:
    store = MemoryStore()
    save(store, said("one"))
    store.before["replace"] = lambda: service.rename(store, ADA, "s", "renamed", START)
    save(store, said("one", "two"))
    assert (service.get(store, ADA, "s").name, contents(store)) == ("renamed", ["one", "two"])


@pytest.mark.parametrize(
    ("messages", "first"),
    [
        ([], None),
        ([{"type": "system", "content": "rules"}, {"type": "human", "content": "Hello"}], "Hello"),
        ([{"role": "user", "content": "Hello"}], "Hello"),
        ([{"type": "human", "content": [{"type": "image_url"}, {"type": "text", "text": "Look"}]}], "Look"),
        ([{"type": "human", "content": None}, {"type": "human", "content": ["x", 3]}, {"type": "human"}], None),
        ([{"type": "human", "content": "x" * 1000}], "x" * 300),
    ],
)
def test_summary_shows_the_first_human_message(messages: list[dict[str, Any]], first: str | None) -> None:
    store = MemoryStore()
    save(store, PutSessionRequest(messages=messages))
    assert service.listing(store, ADA)[0].first_human_message == first


def test_summary_adds_up_the_tokens() -> None:
    usages = [{"promptTokens": 5, "completionTokens": 7}, {"promptTokens": "many", "completionTokens": -1}, None, 3]
    store = MemoryStore()
    save(store, PutSessionRequest(messages=[{"type": "ai", "usage": usage} for usage in usages]))
    assert service.listing(store, ADA)[0].total_tokens_used == 12


def test_list_has_the_one_used_last_first() -> None:
    store = MemoryStore()
    for minutes, session_id in ((3, "c"), (1, "a"), (2, "b")):
        service.save(store, ADA, session_id, said("x"), START + timedelta(minutes=minutes))
    assert [summary.session_id for summary in service.listing(store, ADA)] == ["c", "b", "a"]


def test_huge_configuration_is_refused() -> None:
    with pytest.raises(TooLargeError):
        save(MemoryStore(), PutSessionRequest(messages=[], configuration={"x": "y" * 200_000}))
