"""The local stack's own secrets: random, made once, readable by their owner only."""

import json
import os
import secrets
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict


def _password() -> str:
    """Satisfies every rule of the user pool; without characters that a shell or a URL would change."""
    return f"Aa1-{secrets.token_urlsafe(15)}"


class Passwords(BaseModel):
    """`api_token` is an administrator's, set once the product has issued it."""

    model_config = ConfigDict(frozen=True)

    database: str
    user: str
    admin: str
    api_token: str = ""

    @classmethod
    def load(cls, home: Path) -> Self:
        """Those of an earlier run, or fresh ones."""
        file = home / "passwords.json"
        if file.exists():
            return cls.model_validate_json(file.read_text())
        passwords = cls(database=secrets.token_urlsafe(24), user=_password(), admin=_password())
        passwords.save(home)
        return passwords

    def save(self, home: Path) -> None:
        write_private(home / "passwords.json", self.model_dump())


def write_private(file: Path, content: object) -> None:
    """Write JSON that only its owner may read; a reader sees the old or the new content, never a part."""
    fresh = file.with_name(file.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as output:
        json.dump(content, output, indent=2)
        output.write("\n")
    fresh.replace(file)
