"""How much one document may cost."""

from dataclasses import dataclass

MEGABYTE = 1024 * 1024
MAX_DOCUMENT_BYTES = 100 * MEGABYTE  # what lies in S3


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the child process, of archives before they are opened, and of what comes out.

    The memory limit counts address space; it stays below the function's 2 GB so that the parent can tell the reason.
    """

    memory_bytes: int = 1536 * MEGABYTE
    cpu_seconds: int = 120
    wall_seconds: float = 180
    archive_bytes: int = 400 * MEGABYTE  # all entries, unpacked
    archive_entries: int = 20_000
    archive_ratio: int = 200  # unpacked : packed, above `archive_free_bytes`
    archive_free_bytes: int = 20 * MEGABYTE
    text_characters: int = 20_000_000
    blocks: int = 500_000
