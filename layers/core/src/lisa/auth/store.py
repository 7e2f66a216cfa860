"""Where the settings of the identity provider and the management key are kept."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from lisa.auth.schemas import OidcProvider
from lisa.errors import UnavailableError


class SsmProviderStore:
    """The provider's settings: one JSON parameter, written by the template."""

    def __init__(self, client: Any, parameter: str) -> None:
        self._client = client
        self._parameter = parameter

    def read(self) -> OidcProvider:
        """Raises: UnavailableError."""
        try:
            text = self._client.get_parameter(Name=self._parameter)["Parameter"]["Value"]
            return OidcProvider.model_validate_json(text)
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("The sign-in settings cannot be read. Try again.") from error
        except ValidationError as error:
            raise UnavailableError("The sign-in settings are incomplete. Deploy the stack again.") from error


class ManagementKeyStore:
    """The management key in Secrets Manager: the current version and, while clients change over, the previous one."""

    def __init__(self, client: Any, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id

    def read(self) -> tuple[str, ...]:
        """Raises: UnavailableError."""
        found = (self._version("AWSCURRENT"), self._version("AWSPREVIOUS"))
        return tuple(key for key in found if key)

    def _version(self, stage: str) -> str | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("ResourceNotFoundException", "InvalidRequestException"):
                return None  # never rotated yet
            raise UnavailableError("The management key cannot be read. Try again.") from error
        except BotoCoreError as error:
            raise UnavailableError("The management key cannot be read. Try again.") from error
        return str(answer["SecretString"])
