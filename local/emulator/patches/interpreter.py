"""Functions run in the runtime's environment (boto3 and nothing else), not in the emulator's own."""

from pathlib import Path


def install(interpreter: Path) -> None:
    """Run every python3.x function with `interpreter`."""
    from ministack.core import lambda_runtime

    original = lambda_runtime._detect_runtime_binary

    def binary_for(runtime: str) -> tuple[str, str]:
        binary, script = original(runtime)
        return (str(interpreter), script) if runtime.startswith("python") else (binary, script)

    lambda_runtime._detect_runtime_binary = binary_for
