"""The running stack that e2e and browser tests use: `make test` starts one of its own, `make run` leaves one behind."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def stack() -> dict[str, Any]:
    """What `.local/outputs.json` says of the running stack (or the file named by LISA_OUTPUTS)."""
    path = Path(os.environ.get("LISA_OUTPUTS", ROOT / ".local" / "outputs.json"))
    if not path.exists():
        pytest.fail(f"No stack is running: {path.name} is absent. Start one with `make run`, or run `make test`.")
    return dict(json.loads(path.read_text()))
