"""The emulator's journal: complete, in order, and nothing half."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from local.emulator.journal import Journal


def test_what_was_appended_is_replayed_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "rows")
    journal.append([{"n": 1}, {"n": 2}])
    journal.append([{"n": 3}])
    assert list(Journal(tmp_path / "rows").replay()) == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_a_rotation_keeps_the_segment_before(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "rows")
    for n in range(3):
        journal.append([{"n": n}])
        journal.rotate()
    journal.append([{"n": 9}])
    assert list(journal.replay()) == [{"n": 2}, {"n": 9}]


def test_clear_forgets_everything(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "rows")
    journal.append([{"n": 1}])
    journal.clear()
    assert list(journal.replay()) == []
    assert journal.size() == 0


@given(cut=st.integers(0, 60))
def test_a_piece_cut_off_by_a_crash_is_left_out_whole(cut: int, tmp_path_factory: object) -> None:
    folder = tmp_path_factory.mktemp("journal")  # type: ignore[attr-defined]
    journal = Journal(folder / "rows")
    journal.append([{"n": 1}])
    size = journal.size()
    journal.append([{"n": 2, "text": "ü"}, {"n": 3}])
    end = journal.size()
    os.truncate(folder / "rows", min(size + cut, end))
    replayed = list(Journal(folder / "rows").replay())
    complete = [{"n": 1}, {"n": 2, "text": "ü"}, {"n": 3}]
    assert replayed == (complete if size + cut >= end - 1 else complete[:1])
