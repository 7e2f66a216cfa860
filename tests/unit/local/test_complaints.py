"""What the test run shows of a stack's logs when a test on it failed."""

from pathlib import Path

from tests.run import SHOWN_LINES, Stack, complaints

INFO, WARNING, SPACED = (
    '{"level":"INFO"}',
    '{"level":"WARNING"}',
    '{"level": "ERROR", "exception": "Traceback (most recent call last):\\n"}',
)
TRACE = ["Traceback (most recent call last):", '  File "x.py", line 1', "    f()", "KeyError: 'a'"]


def test_only_warnings_errors_and_tracebacks_are_shown() -> None:
    assert complaints("\n".join([INFO, SPACED, "text", *TRACE, INFO, WARNING])) == [SPACED, *TRACE, WARNING]


def test_time_and_function_before_each_line_do_not_matter() -> None:
    lines = [f"03:04:05 lisa-UsageFunction {line}" for line in [INFO, *TRACE, WARNING, INFO]]
    assert complaints("\n".join(lines)) == lines[1:-1]


def test_refusals_of_the_authorizer_are_no_errors() -> None:
    assert complaints("\n".join([WARNING, *TRACE[:-1], "Exception: Unauthorized", *TRACE])) == [WARNING, *TRACE]


def test_the_end_of_each_log_is_shown(tmp_path: Path) -> None:
    stack = Stack(tmp_path, 8780)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "gateway.log").write_text(f"{SPACED}\n" + f"{WARNING}\n" * SHOWN_LINES)
    assert list(stack.complaints())[1:] == [WARNING] * SHOWN_LINES
