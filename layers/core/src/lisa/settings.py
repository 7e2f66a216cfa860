"""The environment, parsed once into frozen types: nothing else reads it."""

import os
from functools import cache
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError


class SettingsError(RuntimeError):
    """The environment of this process is incomplete: a mistake of the deployment, not of a caller."""


class Settings(BaseModel):
    """Attribute `table_name` is read from TABLE_NAME; an absent or bad value stops the first call."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper, populate_by_name=True)

    @classmethod
    @cache
    def load(cls) -> Self:
        """The settings of this process.

        Raises: SettingsError, naming the variables (never their values), when one is absent or bad.
        """
        try:
            return cls.model_validate(dict(os.environ))
        except ValidationError as error:
            names = ", ".join(sorted({str(part["loc"][0]) for part in error.errors()}))
            raise SettingsError(f"{cls.__name__}: set {names} correctly") from None
