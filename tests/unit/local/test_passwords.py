"""Random, private, and the same after a restart."""

import json
import re
from pathlib import Path

from local.passwords import Passwords, write_private


def test_they_are_made_once(tmp_path: Path) -> None:
    first = Passwords.load(tmp_path)
    assert Passwords.load(tmp_path) == first
    assert len({first.database, first.user, first.admin}) == 3


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    Passwords.load(tmp_path)
    assert (tmp_path / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_they_satisfy_the_user_pool(tmp_path: Path) -> None:
    password = Passwords.load(tmp_path).user
    assert len(password) >= 12
    assert all(re.search(kind, password) for kind in ("[a-z]", "[A-Z]", "[0-9]"))


def test_a_private_file_replaces_an_open_one(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, {"a": 1})
    assert json.loads(file.read_text()) == {"a": 1}
    assert file.stat().st_mode & 0o777 == 0o600
