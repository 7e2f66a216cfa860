"""One JSON object a line on stderr: a fixed message plus fields, never the text of an exception."""

import logging
import time
import traceback
from typing import Any

import orjson

QUIET = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "httpx", "httpcore", "botocore", "boto3", "urllib3")


class JsonLines(logging.Formatter):
    """An exception shows its type and where it was raised: its text may hold what a caller wrote."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)[-12:]
            line["error"] = type(error).__name__
            line["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return orjson.dumps(line, default=str).decode()


def configure(level: str) -> None:
    """Sets up the root logger of this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("gateway", "uvicorn"):
        logging.getLogger(name).setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def fields(**values: Any) -> dict[str, Any]:
    """`logger.info("registry loaded", extra=fields(models=3))`"""
    return {"fields": values}
