"""Clients for the emulator, with its own made-up credentials."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# No profile, no file of the person's own: what is meant for AWS never gets here, and the other way round.
NO_FILES = {
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@cache
def client(service: str, url: str, region: str) -> Any:
    """A client of one of the emulator's services."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=120),
    )


def environment(url: str, region: str) -> dict[str, str]:
    """The same for another program."""
    return {"AWS_ENDPOINT_URL": url, "AWS_REGION": region, "AWS_DEFAULT_REGION": region} | CREDENTIALS | NO_FILES
