"""Names of executions."""

import re

from hypothesis import given
from hypothesis import strategies as st
from lisa.machines import NAME_LENGTH, execution_name


@given(st.text(max_size=200), st.text(max_size=50))
def test_every_subject_has_a_name_that_step_functions_takes(subject: str, change: str) -> None:
    name = execution_name(subject, change)
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{1,{NAME_LENGTH}}}", name)
    assert name == execution_name(subject, change)


def test_other_change_or_subject_is_another_execution() -> None:
    assert len({execution_name(*pair) for pair in (("a", "1"), ("a", "2"), ("b", "1"), ("a:", "1"), ("a.", "1"))}) == 5
