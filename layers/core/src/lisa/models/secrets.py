"""Providers' keys in Secrets Manager, a secret for each model that has one."""

from typing import Any, Protocol
from uuid import uuid4

from botocore.exceptions import ClientError

RECOVERY_DAYS = 7


class ProviderKeys(Protocol):
    """What a service needs of the place where providers' keys lie."""

    def keep(self, model_id: str, key: str) -> str: ...

    def discard(self, arn: str) -> None: ...

    def exists(self, arn: str) -> bool: ...


class SecretsManagerKeys:
    """Names have a random end: a key that was deleted can be brought back for a week, and its model made again."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def keep(self, model_id: str, key: str) -> str:
        """Writes a new secret and returns its ARN."""
        # A model id may have a colon, a secret's name may not, and "+" is in no model id.
        name = f"{self._prefix}{model_id.replace(':', '+')}-{uuid4().hex[:8]}"
        answer = self._client.create_secret(Name=name, SecretString=key, Description=f"Provider key of {model_id}")
        return str(answer["ARN"])

    def discard(self, arn: str) -> None:
        """Deletes a secret, recoverable for a week; an absent one is no error."""
        try:
            self._client.delete_secret(SecretId=arn, RecoveryWindowInDays=RECOVERY_DAYS)
        except self._client.exceptions.ResourceNotFoundException:
            return

    def exists(self, arn: str) -> bool:
        """False when the secret is gone or about to go."""
        try:
            return "DeletedDate" not in self._client.describe_secret(SecretId=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return False
            raise
