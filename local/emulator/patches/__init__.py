"""One module per gap of ministack 1.5.33; tests/contract/test_emulator_patches.py fails when a gap is gone.

`install_all` is called once, before ministack's server starts. The durability of DynamoDB rows and S3 events is not
a repair but an addition: see local/emulator/durability.py.
"""

from pathlib import Path

from local.emulator.patches import (
    archives,
    crashes,
    encoded_paths,
    gateway_responses,
    handler_errors,
    log_wait,
    secure_transport,
    worker_limit,
    yaml_asl,
)
from local.emulator.patches import interpreter as interpreter_patch


def install_all(*, interpreter: Path, unpacked: Path, workers_per_function: int) -> None:
    """Repair what the template or the functions rely on."""
    yaml_asl.install()
    handler_errors.install()
    crashes.install()
    gateway_responses.install()
    encoded_paths.install()
    secure_transport.install()
    log_wait.install()
    interpreter_patch.install(interpreter)
    archives.install(unpacked)
    worker_limit.install(workers_per_function)
