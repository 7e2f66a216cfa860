"""Parses a file in a process of its own: whatever the file does to it, the caller gets text or a named error."""

import json
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from lisa.errors import TooLargeError
from lisa.ingestion.errors import PARSING_ERRORS, CorruptDocumentError, ParsingTimeoutError
from lisa.ingestion.parsing import child
from lisa.ingestion.parsing.blocks import Block, ParsedDocument, assembled
from lisa.ingestion.parsing.limits import Limits

# How a process ends that asks for more memory than it may have, by the library that asked.
OUT_OF_MEMORY_SIGNALS = {signal.SIGABRT, signal.SIGILL, signal.SIGTRAP, signal.SIGKILL}
DAMAGED = "The file is damaged: reading it made the parser stop. Save it anew and upload it again."


def parse(path: Path, name: str, limits: Limits | None = None) -> ParsedDocument:
    """The text of the file at `path`; `name` is what its owner calls it.

    Raises: one of lisa.ingestion.errors, TooLargeError or UnsupportedTypeError, each with a reason for its owner.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="parse-") as folder:
        output = Path(folder) / "blocks.jsonl"
        status = _run(path, name, output, limits)
        if status == 0:
            return assembled(_blocks(output))
        if status == child.FAILED:
            shape = json.loads(output.read_text(encoding="utf-8"))
            raise PARSING_ERRORS[shape["error"]](shape["message"], [{"cause": shape["cause"]}])
    if status == -signal.SIGXCPU:
        raise _timeout(limits.cpu_seconds)
    if -status in OUT_OF_MEMORY_SIGNALS:
        raise TooLargeError(child.OUT_OF_MEMORY)
    raise CorruptDocumentError(DAMAGED, [{"cause": f"exit status {status}"}])


def _run(path: Path, name: str, output: Path, limits: Limits) -> int:
    command = [sys.executable, "-m", "lisa.ingestion.parsing.child"]
    # Nothing of this process's environment goes along: no credentials, no endpoints.
    environment = {"PYTHONPATH": ":".join(entry for entry in sys.path if entry), "LANG": "C.UTF-8"}
    try:
        finished = subprocess.run(  # noqa: S603 - our own interpreter and module
            [*command, str(path), name, str(output), json.dumps(asdict(limits))],
            env=environment,
            cwd=output.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=limits.wall_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _timeout(limits.wall_seconds) from error
    return finished.returncode


def _timeout(seconds: float) -> ParsingTimeoutError:
    return ParsingTimeoutError(f"Reading the file took longer than {seconds:,.0f} seconds. Split it, or simplify it.")


def _blocks(output: Path) -> list[Block]:
    blocks: list[Block] = []
    with output.open(encoding="utf-8") as lines:
        for line in lines:
            text, page, headings = json.loads(line)
            blocks.append(Block(text, page, tuple(headings)))
    return blocks
