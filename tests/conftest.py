"""What all levels share: no test fails for being slow, and the running stack that e2e and browser tests use."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("lisa", deadline=None)  # a busy machine is not a fault
settings.load_profile("lisa")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def stack() -> dict[str, Any]:
    """What `.local/outputs.json` says of the running stack (or the file named by LISA_OUTPUTS).

    `make test` starts a stack of its own, `make run` leaves one behind.
    """
    path = Path(os.environ.get("LISA_OUTPUTS", ROOT / ".local" / "outputs.json"))
    if not path.exists():
        pytest.fail(f"No stack is running: {path.name} is absent. Start one with `make run`, or run `make test`.")
    return dict(json.loads(path.read_text()))
