"""Messages of usage through the handler, counters in DynamoDB."""

import json
import uuid
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError
from lisa.schemas import now
from lisa.usage.schemas import Counts
from lisa.usage.store import DynamoUsageStore

from functions.usage.on_usage import handler
from tests.fixtures.control_plane import Context
from tests.fixtures.usage import body, message, record

Account = dict[str, Any]
MONTH, DAY = "month#2026-11", "day#2026-11-23"


def deliver(*messages: dict[str, Any]) -> list[str]:
    """The ids of the messages that the queue has to deliver again."""
    answer = handler({"Records": list(messages)}, Context())  # type: ignore[arg-type]
    return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def row(account: Account, subject: str, period: str = MONTH) -> dict[str, Any]:
    return dict(account["usage"].get_item(Key={"subject": subject, "period": period}).get("Item", {}))


def requests(account: Account, subject: str, period: str = MONTH) -> int:
    return int(row(account, subject, period).get("requests", 0))


def test_call_is_counted_for_all_that_it_belongs_to(account: Account) -> None:
    call = record(keyId="k1", groups=["user", "staff"], sessionId="s1", estimated=True)
    assert deliver(message(body(call))) == []
    for subject in ("all", "user#ada", "key#k1", "group#user", "group#staff", "model#smollm2", "session#s1"):
        for period in (MONTH, DAY):
            found = row(account, subject, period)
            assert found["requests"] == found["estimatedRequests"] == 1, subject
            assert (found["promptTokens"], found["completionTokens"], found["cachedTokens"]) == (100, 20, 10)
            assert found["costMicroUsd"] == 1500


def test_batch_is_added_up(account: Account) -> None:
    deliver(message(body(record(), record(username="bob"), record(costMicroUsd=500))))
    deliver(message(body(record())))
    assert requests(account, "all") == 4
    assert requests(account, "group#user") == 4
    assert row(account, "user#ada")["costMicroUsd"] == 3500
    assert requests(account, "user#bob") == 1


def test_record_of_several_calls_counts_each_of_them_once_for_a_group(account: Account) -> None:
    deliver(message(body(record(requests=3, groups=["user", "user"], estimated=True))))
    for subject in ("all", "group#user"):
        assert row(account, subject)["requests"] == row(account, subject)["estimatedRequests"] == 3


def test_message_delivered_twice_counts_once(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    text = body()
    deliver(message(text))
    assert metrics(capsys.readouterr().out)
    assert deliver(message(text), message(text)) == []
    assert requests(account, "all") == 1
    assert metrics(capsys.readouterr().out) == []


def test_only_the_message_that_failed_comes_back(account: Account) -> None:
    failed = deliver(message(body(), "good"), message("{}", "bad"), message("no JSON", "worse"), message(body()))
    assert failed == ["bad", "worse"]
    assert requests(account, "all") == 2


@pytest.mark.parametrize(
    "text",
    [
        body().replace('"promptTokens": 100', '"promptTokens": -1'),
        json.dumps({"batchId": "b", "records": []}),
        json.dumps({"batchId": "b", "records": [record()] * 26}),
        json.dumps({"records": [record()]}),
        body(record(status="lost")),
        body(record(username="")),
    ],
)
def test_message_that_nobody_understands_goes_the_way_of_dead_letters(account: Account, text: str) -> None:
    assert deliver(message(text, "poison")) == ["poison"]
    assert account["usage"].scan()["Count"] == 0


def test_reason_of_a_failure_is_logged_without_the_content(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    deliver(message(body(record(username="secret-name", promptTokens="many")), "poison"))
    (line,) = caplog.records
    assert vars(line)["message_id"] == "poison"
    assert vars(line)["reason"].endswith("records.0.promptTokens")
    assert "secret-name" not in str(vars(line))


def test_batch_of_more_rows_than_a_transaction_takes_is_counted_once(account: Account) -> None:
    groups = [f"g{number}" for number in range(120)]  # 248 rows
    text = body(record(groups=groups))
    assert deliver(message(text), message(text)) == []
    for subject in ("all", "user#ada", *(f"group#{name}" for name in groups)):
        assert requests(account, subject) == requests(account, subject, DAY) == 1


def test_batch_cut_short_between_its_parts_is_continued(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = body(record(groups=[f"g{number}" for number in range(120)]))
    original = DynamoUsageStore._add_part
    calls: list[str] = []

    def fails_once(self: DynamoUsageStore, mark: str, *more: Any) -> bool:
        calls.append(mark)
        if len(calls) == 2:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "TransactWriteItems")
        return original(self, mark, *more)

    monkeypatch.setattr(DynamoUsageStore, "_add_part", fails_once)
    assert deliver(message(text, "first")) == ["first"]
    assert deliver(message(text)) == []
    assert {requests(account, f"group#g{number}") for number in range(120)} == {1}
    assert [line["Requests"] for line in metrics(capsys.readouterr().out)] == [[1.0]]


def test_conflicting_transaction_is_tried_again(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    table, refusals = account["usage"], [1, 1]
    pauses: list[float] = []
    write = table.meta.client.transact_write_items

    def busy(**request: Any) -> Any:
        if refusals:
            refusals.pop()
            reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
            error = {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": reasons}
            raise ClientError(error, "TransactWriteItems")
        return write(**request)

    monkeypatch.setattr(table.meta.client, "transact_write_items", busy)
    store = DynamoUsageStore(table, sleep=pauses.append)
    assert store.add("b", {("all", MONTH): Counts(requests=1)}, now())
    assert requests(account, "all") == 1
    assert len(pauses) == 2
    assert pauses[0] < pauses[1] < 1


def test_rows_are_kept_as_long_as_they_are_of_use(account: Account) -> None:
    deliver(message(body(record(sessionId="s1"), batch_id="b1")))
    assert "expires_at" not in row(account, "user#ada")
    day, session = row(account, "user#ada", DAY)["expires_at"], row(account, "session#s1")["expires_at"]
    assert int(day) == 1829952000  # 2027-12-28, 400 days later
    assert session > 0
    mark = account["usage"].query(KeyConditionExpression=Key("subject").eq("batch#b1#0"))["Items"][0]
    assert mark["expires_at"] > now().timestamp() + 28 * 24 * 60 * 60  # a message's 14 days, and those after a redrive
    assert "listing" not in mark  # the index holds counters only


def test_name_too_long_for_a_key_does_not_stop_the_others(account: Account) -> None:
    assert deliver(message(body(record(username="ä" * 3000), record(username="bob")))) == []
    assert requests(account, "user#bob") == 1
    assert requests(account, f"user#{'ä' * 500}") == 1


def test_time_without_zone_or_in_another_counts_in_utc(account: Account) -> None:
    deliver(message(body(record(time="2026-12-01T00:30:00+01:00"), record(time="2026-12-01T00:00:00"))))
    assert requests(account, "all", "month#2026-11") == 1
    assert requests(account, "all", "month#2026-12") == 1


def test_metrics_are_by_model(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    deliver(message(body(record(), record(), record(modelId="other", promptTokens=7))))
    found = {line["model"]: line for line in metrics(capsys.readouterr().out)}
    assert found["smollm2"]["Requests"] == [2.0]
    assert found["smollm2"]["PromptTokens"] == [200.0]
    assert found["smollm2"]["CompletionTokens"] == [40.0]
    assert found["smollm2"]["CostMicroUsd"] == [3000.0]
    assert found["other"]["PromptTokens"] == [7.0]
    directive = found["other"]["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "LISA/Usage"
    assert sorted(directive["Dimensions"][0]) == ["model", "service"]


def metrics(text: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


def test_many_batches_with_repetitions_are_exact(account: Account) -> None:
    texts = [body(*[record(username=f"u{n % 7}")] * (n % 25 + 1), batch_id=str(uuid.uuid4())) for n in range(30)]
    messages = [message(text) for text in (*texts, *texts[::2], *texts[::3])]
    for start in range(0, len(messages), 10):
        assert deliver(*messages[start : start + 10]) == []
    assert requests(account, "all") == sum(n % 25 + 1 for n in range(30))
    assert sum(requests(account, f"user#u{n}") for n in range(7)) == requests(account, "all")
