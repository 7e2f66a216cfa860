"""Starts state machines: a name is a promise, so that the same start twice is one execution."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lisa.errors import UnavailableError

NAME_LENGTH = 80  # what Step Functions takes


class Machine(Protocol):
    """What a service needs of a state machine."""

    def start(self, subject: str, change: str, task: Mapping[str, Any]) -> str: ...


class StateMachine:
    """A state machine of this deployment."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def start(self, subject: str, change: str, task: Mapping[str, Any]) -> str:
        """Starts an execution for the `change` (any text that names it) of `subject`, and returns its ARN.

        The same subject and change are the same execution, however often it is started.
        Raises: UnavailableError when Step Functions refuses or does not answer.
        """
        name = execution_name(subject, change)
        try:
            answer = self._client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(task))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
                return self._execution_arn(name)
            raise UnavailableError("The work could not be started. Try again in a minute.") from error
        except BotoCoreError as error:
            raise UnavailableError("The work could not be started. Try again in a minute.") from error
        return str(answer["executionArn"])

    def is_running(self, subject: str, change: str) -> bool:
        """True while the execution for the `change` of `subject` goes on. Raises: UnavailableError."""
        try:
            answer = self._client.describe_execution(executionArn=self._execution_arn(execution_name(subject, change)))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return False
            raise UnavailableError("Step Functions did not answer. Try again in a minute.") from error
        return bool(answer["status"] == "RUNNING")

    def _execution_arn(self, name: str) -> str:
        return f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"


def execution_name(subject: str, change: str) -> str:
    """Readable, and unique for subject and change; of the characters that Step Functions and its log groups take."""
    digest = hashlib.sha256(f"{subject}\n{change}".encode()).hexdigest()[:24]
    readable = re.sub(r"[^A-Za-z0-9_-]", "-", subject)[: NAME_LENGTH - len(digest) - 1]
    return f"{readable}-{digest}"
