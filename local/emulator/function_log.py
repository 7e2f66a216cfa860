"""What functions log, in one file beside the other parts' logs: on AWS it is in CloudWatch, here people use `tail`."""

import time
from pathlib import Path
from typing import Any

MOST_BYTES = 20_000_000


def install(file: Path) -> None:
    """Append the lines of each invocation to `file`; ministack's CloudWatch Logs has them, too."""
    from ministack.services import lambda_svc

    emit = lambda_svc._emit_lambda_logs
    file.parent.mkdir(parents=True, exist_ok=True)

    def emit_and_write(func: dict[str, Any], request_id: str, log: str, *more: Any, **options: Any) -> None:
        emit(func, request_id, log, *more, **options)
        if log:
            write(file, str(func.get("config", func).get("FunctionName", "?")), log)

    lambda_svc._emit_lambda_logs = emit_and_write


def write(file: Path, function: str, log: str) -> None:
    """One line of the file per line of the log, with time and function."""
    if file.exists() and file.stat().st_size > MOST_BYTES:
        file.replace(file.with_suffix(".log.1"))
    stamp = time.strftime("%H:%M:%S")
    with file.open("a") as output:
        output.writelines(f"{stamp} {function} {line}\n" for line in log.splitlines())
