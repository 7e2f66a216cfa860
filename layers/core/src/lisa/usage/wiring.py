"""Builds what the functions of this concern need from their settings."""

from pydantic import Field

from lisa import aws
from lisa.api_tokens.store import DynamoApiTokenStore
from lisa.settings import Settings
from lisa.usage.limits_store import DynamoLedgerReader, DynamoLimitsStore
from lisa.usage.service import Books
from lisa.usage.store import DynamoUsageStore


class CountingSettings(Settings):
    usage_table: str = Field(min_length=3)


class UsageSettings(CountingSettings):
    limits_table: str = Field(min_length=3)
    ledger_table: str = Field(min_length=3)
    api_tokens_table: str = Field(min_length=3)


def usage() -> DynamoUsageStore:
    return DynamoUsageStore(aws.table(CountingSettings.load().usage_table))


def limits() -> DynamoLimitsStore:
    return DynamoLimitsStore(aws.table(UsageSettings.load().limits_table))


def books() -> Books:
    settings = UsageSettings.load()
    return Books(
        usage=usage(),
        limits=limits(),
        ledger=DynamoLedgerReader(aws.table(settings.ledger_table)),
        tokens=DynamoApiTokenStore(aws.table(settings.api_tokens_table)),
    )
