"""The emulator's own process environment: what the host has set must not reach a function."""

import os
import shlex
from pathlib import Path

# What any program needs to run; AWS credentials, endpoints, proxies and the rest stay behind.
KEPT = ("PATH", "HOME", "LANG", "TZ", "USER", "SSL_CERT_FILE", "SSL_CERT_DIR")
KEPT_PREFIXES = ("LC_", "LD_", "DYLD_")
# ministack's settings that never change here.
OWN = {
    "BIND_HOST": "127.0.0.1",
    "PERSIST_STATE": "1",
    "S3_PERSIST": "1",
    "LAMBDA_WARM_TTL_SECONDS": "120",
    "IOT_MTLS_ENABLED": "0",  # else it binds port 8883
    "SFTP_ENABLED": "0",
}
# What ministack needs and AWS would not set for a function.
HIDDEN = (*OWN, "GATEWAY_PORT", "MINISTACK_REGION", "AUTH", "STATE_DIR", "S3_DATA_DIR", "LOG_LEVEL")


def emulator_environment(host: dict[str, str], *, state: Path, port: int, region: str, iam: bool) -> dict[str, str]:
    """What ministack is started with: the kept part of the host's environment and its own settings."""
    kept = {name: value for name, value in host.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
    return (
        kept
        | OWN
        | {
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": region,
            "AWS_ENDPOINT_URL": f"http://localhost:{port}",  # functions get it: presigned URLs name it
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",  # fixed: the emulator signs and checks with it
            "AUTH": "true" if iam else "false",
            "STATE_DIR": str(state / "services"),
            "S3_DATA_DIR": str(state / "s3"),
            "TMPDIR": str(state / "tmp"),
            "LOG_LEVEL": host.get("LISA_EMULATOR_LOG_LEVEL", "WARNING"),
        }
    )


def replace_environment(values: dict[str, str]) -> None:
    """Make `values` the whole environment of this process, before ministack reads it at import."""
    os.environ.clear()
    os.environ.update(values)


def hiding_interpreter(folder: Path, interpreter: Path) -> Path:
    """A script that runs `interpreter` without the emulator's own settings; a function's variables come later."""
    script = folder / "python"
    hidden = " ".join(f"-u {name}" for name in HIDDEN)
    script.write_text(f'#!/bin/sh\nexec env {hidden} {shlex.quote(str(interpreter))} "$@"\n')
    script.chmod(0o755)
    return script
