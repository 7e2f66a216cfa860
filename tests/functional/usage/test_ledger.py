"""The ledger in DynamoDB, and that the ledger which the property test plays with keeps the same contract."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ConnectTimeoutError
from lisa.errors import UnavailableError
from lisa.usage.ledger import DynamoLedger, Move, Moved
from moto import mock_aws

from tests.fixtures.ledger import MemoryLedger

TABLE = "ledger"
TAKE = Move("user#ada|requests|minute#2026-11-23T21:35", "t1", 0, 1, 5, 1_800_000_000, limit=8)


class Ledger(Protocol):
    def move(self, move: Move) -> Moved: ...


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "quota", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "quota", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture(params=["dynamodb", "memory"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "memory":
        return MemoryLedger()
    return DynamoLedger(request.getfixturevalue("client"), TABLE)


def test_slice_is_taken_while_the_limit_allows_it(ledger: Ledger) -> None:
    assert ledger.move(TAKE) == Moved(True, 5, 1)
    assert ledger.move(replace(TAKE, before=1, number=2, amount=4)) == Moved(False, 5, 1)
    assert ledger.move(replace(TAKE, before=1, number=3, amount=3)) == Moved(True, 8, 3)
    assert ledger.move(replace(TAKE, task="t2", number=1, amount=1)) == Moved(False, 8, 0)


def test_more_than_the_whole_limit_is_never_taken(ledger: Ledger) -> None:
    assert ledger.move(replace(TAKE, amount=9)) == Moved(False, 0, 0)
    assert ledger.move(replace(TAKE, amount=8)) == Moved(True, 8, 1)


def test_repeated_move_changes_nothing_and_says_that_it_was_applied(ledger: Ledger) -> None:
    assert ledger.move(TAKE) == ledger.move(TAKE) == Moved(True, 5, 1)
    back = replace(TAKE, before=1, number=2, amount=-2, limit=None)
    assert ledger.move(back) == ledger.move(back) == Moved(True, 3, 2)
    last = replace(TAKE, before=2, number=3, amount=-1, limit=None, is_last=True)
    assert ledger.move(last) == ledger.move(last) == Moved(True, 2, 0)


def test_late_copy_of_a_return_gives_nothing_back_again(ledger: Ledger) -> None:
    ledger.move(TAKE)
    last = replace(TAKE, before=1, number=2, amount=-5, limit=None, is_last=True)
    ledger.move(last)
    assert ledger.move(replace(TAKE, number=3)) == Moved(True, 5, 3)
    assert ledger.move(last).committed == 5


def test_overrun_is_committed_beyond_the_limit(ledger: Ledger) -> None:
    ledger.move(TAKE)
    assert ledger.move(replace(TAKE, before=1, number=2, amount=40, limit=None)) == Moved(True, 45, 2)
    assert ledger.move(replace(TAKE, before=2, number=3, amount=1)) == Moved(False, 45, 2)


def test_row_removed_by_hand_is_begun_anew(ledger: Ledger) -> None:
    assert ledger.move(replace(TAKE, before=7, number=8)) == Moved(False, 0, 0)
    assert ledger.move(replace(TAKE, number=9)) == Moved(True, 5, 9)


def test_row_has_the_number_that_is_shown_and_when_it_may_go(client: Any) -> None:
    ledger = DynamoLedger(client, TABLE)
    ledger.move(TAKE)
    key = {"quota": {"S": TAKE.quota}}
    row = client.get_item(TableName=TABLE, Key=key)["Item"]
    assert row == {**key, "committed": {"N": "5"}, "expires_at": {"N": "1800000000"}, "task#t1": {"N": "1"}}
    ledger.move(replace(TAKE, before=1, number=2, amount=-5, limit=None, is_last=True))
    assert "task#t1" not in client.get_item(TableName=TABLE, Key=key)["Item"]


def test_tasks_that_take_at_once_do_not_exceed_the_limit(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one_at_a_time, send = threading.Lock(), BaseClient._make_api_call

    def atomic(client: BaseClient, *request: Any) -> Any:
        with one_at_a_time:  # moto checks a condition and writes in two steps; DynamoDB does not
            return send(client, *request)

    monkeypatch.setattr(BaseClient, "_make_api_call", atomic)
    ledger = DynamoLedger(client, TABLE)

    def take(task: int) -> None:
        mark = 0
        for number in range(1, 6):
            moved = ledger.move(replace(TAKE, task=f"t{task}", before=mark, number=number, amount=3, limit=50))
            mark = moved.mark

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, range(6)))
    row = client.get_item(TableName=TABLE, Key={"quota": {"S": TAKE.quota}})["Item"]
    assert int(row["committed"]["N"]) == 48


def test_ledger_out_of_reach_is_told(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_reach(_client: BaseClient, *_request: Any) -> Any:
        raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(BaseClient, "_make_api_call", out_of_reach)
    with pytest.raises(UnavailableError):
        DynamoLedger(client, TABLE).move(TAKE)


def test_table_that_is_absent_is_told(client: Any) -> None:
    with pytest.raises(UnavailableError):
        DynamoLedger(client, "absent").move(TAKE)
