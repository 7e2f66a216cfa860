"""The sources of the image as one archive with a name of its content."""

import hashlib
import io
import zipfile
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can tell


def archive(folder: Path) -> bytes:
    """A zip file of all files below `folder`. The same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.external_attr = 0o644 << 16
            file.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tag_of(content: bytes, architecture: str) -> str:
    """The image's tag: sources that were built once for a processor need no build again."""
    return f"{hashlib.sha256(content).hexdigest()[:16]}-{architecture}"
