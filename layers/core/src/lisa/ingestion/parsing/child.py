"""The process that opens a stranger's file: `python -m lisa.ingestion.parsing.child <file> <name> <output> <limits>`.

It bounds itself before it reads, has no credentials in its environment, and writes JSON lines: blocks as
[text, page, headings], or one object {"error", "message", "cause"}.
"""

import json
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from lisa.errors import AppError, TooLargeError
from lisa.ingestion.errors import CorruptDocumentError, EmptyDocumentError
from lisa.ingestion.parsing import registry
from lisa.ingestion.parsing.blocks import Block, cleaned
from lisa.ingestion.parsing.kinds import kind_of
from lisa.ingestion.parsing.limits import Limits

FAILED = 3  # the exit status when the output holds an error
BYTES_PER_CHARACTER = 6  # of JSON at its worst


def main(arguments: list[str]) -> int:
    """Parses the file; the exit status tells whether blocks or an error were written."""
    source, name, target, limits_json = arguments
    limits = Limits(**json.loads(limits_json))
    _confine(limits)
    try:
        _write(Path(target), _blocks(Path(source), name, limits))
    except AppError as error:
        return _fail(Path(target), error, error)
    except MemoryError as error:
        return _fail(Path(target), TooLargeError(OUT_OF_MEMORY), error)
    except RecursionError as error:
        return _fail(Path(target), CorruptDocumentError("The file is nested too deeply to be read."), error)
    except Exception as error:
        # Parsers fail on broken files in ways that their documentation does not list.
        problem = CorruptDocumentError("The file is damaged: it cannot be read to its end. Upload it again.")
        return _fail(Path(target), problem, error)
    return 0


OUT_OF_MEMORY = "The file needs more memory to be read than is allowed. Split it, or save it in a simpler form."


def _confine(limits: Limits) -> None:
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.text_characters * BYTES_PER_CHARACTER),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # At the soft limit of CPU time comes SIGXCPU, which tells the parent why; at the hard one SIGKILL.
        resource.setrlimit(what, (bound, hard if what == resource.RLIMIT_CPU else bound))


def _blocks(source: Path, name: str, limits: Limits) -> Iterator[Block]:
    """The blocks of the file, at least one. Raises: EmptyDocumentError, TooLargeError when they grow over a limit."""
    blocks = cleaned(registry.blocks_of(source, kind_of(source, name, limits)))
    first = next(blocks, None)
    if first is None:
        raise EmptyDocumentError("The file has no text, so there is nothing to search.")
    characters = 0
    for count, block in enumerate(chain([first], blocks), 1):
        characters += len(block.text)
        if characters > limits.text_characters or count > limits.blocks:
            raise TooLargeError(f"The file has more than {limits.text_characters:,} characters of text. Split it.")
        yield block


def _write(target: Path, blocks: Iterator[Block]) -> None:
    with target.open("w", encoding="utf-8") as output:
        for block in blocks:
            part = asdict(block)
            output.write(json.dumps([part["text"], part["page"], part["headings"]], ensure_ascii=False) + "\n")


def _fail(target: Path, error: AppError, cause: BaseException) -> int:
    shape = {"error": type(error).__name__, "message": error.message, "cause": type(cause).__name__}
    target.write_text(json.dumps(shape), encoding="utf-8")
    return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
