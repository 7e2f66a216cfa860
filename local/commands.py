"""Programs that run to their end: their output goes to a log, of which a failure shows the last lines."""

import asyncio
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.problems import LocalError
from local.settings import ROOT

PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")
PASSED_ON_PREFIXES = ("LC_", "LD_", "DYLD_", "PIP_", "UV_", "NPM_", "npm_")


def base_environment() -> dict[str, str]:
    """The part of this process's environment that programs need; no AWS settings of the person's own."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES) or name.lower().endswith("_proxy")
    }


async def run(
    *command: str | Path, log: Path, hint: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> None:
    """Run a program to its end, its output appended to `log`.

    Raises: LocalError with `hint` (what to do) when it is absent or fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                env=base_environment() | dict(environment or {}),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        except FileNotFoundError:
            raise LocalError(f"{command[0]} is not installed. {hint}") from None
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
    if code:
        raise LocalError(f"`{' '.join(map(str, command[:3]))} …` failed (exit {code}). {hint}", log)


def fingerprint(sources: Iterable[Path], *more: str) -> str:
    """A digest of the files' names and contents (folders with all in them) and of `more`."""
    digest = hashlib.sha256("\0".join(more).encode())
    for source in sources:
        files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
        for file in files:
            if "__pycache__" in file.parts or "node_modules" in file.parts or not file.exists():
                continue
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
