"""A code or layer archive is unpacked once and shared by its workers; ministack unpacks it again for each."""

import hashlib
import os
import shutil
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

UNUSED_DAYS = 7


def install(unpacked: Path) -> None:
    """Keep what is unpacked under `unpacked`, one folder per content, and forget what was not used for a week."""
    from ministack.core import lambda_runtime

    unpacked.mkdir(parents=True, exist_ok=True)
    forget_unused(unpacked)

    class CachedArchive(SharedArchive):
        cache = unpacked

    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=CachedArchive, BadZipFile=zipfile.BadZipFile, LargeFileError=zipfile.LargeZipFile
    )


def forget_unused(unpacked: Path) -> None:
    """Remove folders that no worker was started from for `UNUSED_DAYS`."""
    oldest = time.time() - UNUSED_DAYS * 86_400
    for folder in unpacked.iterdir():
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)


class SharedArchive(zipfile.ZipFile):
    """A ZipFile whose `extractall` leaves a link to the shared folder in place of the (empty) target."""

    cache: Path
    lock = threading.Lock()

    def __init__(self, file: str, *args: Any, **kwargs: Any) -> None:
        with Path(file).open("rb") as content:
            self.folder = self.cache / hashlib.file_digest(content, "sha256").hexdigest()[:40]
        super().__init__(file, *args, **kwargs)

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        with self.lock:
            if self.folder.is_dir():
                os.utime(self.folder)
            else:
                fresh = tempfile.mkdtemp(dir=self.cache)
                super().extractall(fresh)
                Path(fresh).rename(self.folder)
        Path(path).rmdir()
        Path(path).symlink_to(self.folder)
        Path(str(self.filename)).unlink(missing_ok=True)  # the worker's own copy, up to 50 MB
