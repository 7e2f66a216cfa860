"""boto3 clients, made once a process and only when first needed."""

import threading
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Retries in "standard" mode also back off on throttling; the timeouts keep a call inside a function's own deadline.
CONFIG = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=3, read_timeout=30)

# Where somebody waits for an answer that takes milliseconds.
QUICK = CONFIG.merge(Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=1, read_timeout=2))

_making = threading.Lock()  # boto3 cannot make two at once


@cache
def client(service: str, config: Config = CONFIG) -> Any:
    """A low-level client, e.g. `client("s3")`."""
    with _making:
        return boto3.client(service, config=config)


@cache
def table(name: str) -> Any:
    """A DynamoDB table."""
    with _making:
        return boto3.resource("dynamodb", config=CONFIG).Table(name)


@cache
def secret(secret_id: str) -> str:
    """The text of a secret; kept for the life of the process."""
    return str(client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"])
