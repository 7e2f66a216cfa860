"""Archives are not opened blindly: what the directory promises is checked before anything is unpacked."""

import zipfile
from pathlib import Path

from lisa.errors import TooLargeError
from lisa.ingestion.errors import CorruptDocumentError, EncryptedDocumentError
from lisa.ingestion.parsing.limits import MEGABYTE, Limits

PROTECTED = "The file is protected with a password. Remove the protection and upload it again."


def entries(path: Path) -> list[zipfile.ZipInfo]:
    """The directory of the archive. Raises: CorruptDocumentError."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise CorruptDocumentError("The file is damaged or cut off: it cannot be unpacked. Upload it again.") from error


def check(found: list[zipfile.ZipInfo], packed_bytes: int, limits: Limits) -> None:
    """Python's and the parsers' readers stop at the size that the directory states, so its sum is a real bound.

    Raises: TooLargeError for what would unpack to too much, EncryptedDocumentError for a password.
    """
    if len(found) > limits.archive_entries:
        raise TooLargeError(f"The file is an archive of more than {limits.archive_entries:,} parts. Split it.")
    total = sum(entry.file_size for entry in found)
    if total > limits.archive_bytes:
        raise TooLargeError(
            f"The file unpacks to {total // MEGABYTE:,} MB; at most {limits.archive_bytes // MEGABYTE} are allowed."
        )
    if total > limits.archive_free_bytes and total > limits.archive_ratio * max(packed_bytes, 1):
        raise TooLargeError("The file unpacks to suspiciously much more than its size, so it was not opened.")
    if any(entry.flag_bits & 0x1 for entry in found):
        raise EncryptedDocumentError(PROTECTED)
