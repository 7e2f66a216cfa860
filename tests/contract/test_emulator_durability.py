"""`kill -9` of the emulator: what was answered is there afterwards."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config

ROOT = Path(__file__).parents[2]
VENVS = ROOT / ".local" / "venvs"


class Emulator:
    """One emulator over one state folder, started and killed as the tests like."""

    def __init__(self, state: Path) -> None:
        self.state = state
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command: list[str | Path] = [VENVS / "emulator" / "bin" / "python", "-m", "local.emulator"]
        options: list[str | Path] = [
            "--port",
            str(self.port),
            "--state",
            self.state,
            "--runtime",
            VENVS / "runtime" / "bin" / "python",
        ]
        self.process = subprocess.Popen([*command, *options], cwd=ROOT)
        for _ in range(300):
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"http://127.0.0.1:{self.port}/_ministack/health", timeout=5).ok:
                    return
            time.sleep(0.1)
        pytest.fail("the emulator did not start")

    def end(self, how: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, how)
        self.process.wait(30)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}),
        )


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path)
    emulator.start()
    yield emulator
    emulator.end(signal.SIGTERM)


def make_table(emulator: Emulator) -> Any:
    dynamodb = emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "n", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    requests.post(f"http://127.0.0.1:{emulator.port}/_lisa/save", timeout=30)
    return dynamodb


def row(n: int, **values: str) -> dict[str, Any]:
    return {"id": {"S": "a"}, "n": {"N": str(n)}, **{name: {"S": value} for name, value in values.items()}}


def test_answered_writes_survive_a_kill(emulator: Emulator) -> None:
    dynamodb = make_table(emulator)
    for n in range(20):
        dynamodb.put_item(TableName="rows", Item=row(n, text="ü" * n))
    dynamodb.delete_item(TableName="rows", Key=row(3))
    for _ in range(2):
        dynamodb.update_item(
            TableName="rows",
            Key=row(4),
            UpdateExpression="ADD visits :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
    puts = [{"Put": {"TableName": "rows", "Item": row(n)}} for n in (100, 101)]
    dynamodb.transact_write_items(TransactItems=puts)

    emulator.end(signal.SIGKILL)
    emulator.start()

    rows = {int(item["n"]["N"]): item for item in dynamodb.scan(TableName="rows")["Items"]}
    assert sorted(rows) == [n for n in range(20) if n != 3] + [100, 101]
    assert rows[4]["visits"] == {"N": "2"}
    assert rows[7]["text"] == {"S": "ü" * 7}
    assert dynamodb.describe_table(TableName="rows")["Table"]["ItemCount"] == 21


def test_writes_survive_two_kills_with_a_save_between(emulator: Emulator) -> None:
    dynamodb = make_table(emulator)
    for n in range(3):
        dynamodb.put_item(TableName="rows", Item=row(n))
        requests.post(f"http://127.0.0.1:{emulator.port}/_lisa/save", timeout=30)
        dynamodb.put_item(TableName="rows", Item=row(n + 10))
        emulator.end(signal.SIGKILL)
        emulator.start()
    assert dynamodb.scan(TableName="rows")["Count"] == 6


def test_objects_their_versions_and_settings_survive_a_kill(emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="documents")
    s3.put_bucket_versioning(Bucket="documents", VersioningConfiguration={"Status": "Enabled"})
    requests.post(f"http://127.0.0.1:{emulator.port}/_lisa/save", timeout=30)
    for body in (b"one", b"two"):
        s3.put_object(Bucket="documents", Key="r/c/a b.txt", Body=body, Metadata={"title": "x"})
    s3.put_object(Bucket="documents", Key="gone.txt", Body=b"-")
    s3.delete_object(Bucket="documents", Key="gone.txt")

    emulator.end(signal.SIGKILL)
    emulator.start()

    current = s3.get_object(Bucket="documents", Key="r/c/a b.txt")
    assert (current["Body"].read(), current["Metadata"]) == (b"two", {"title": "x"})
    assert len(s3.list_object_versions(Bucket="documents", Prefix="r/")["Versions"]) == 2
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="documents")["Contents"]] == ["r/c/a b.txt"]
    assert s3.get_bucket_versioning(Bucket="documents")["Status"] == "Enabled"


def test_an_s3_event_on_its_way_is_delivered_after_a_kill(emulator: Emulator) -> None:
    s3, sqs, events = (emulator.client(service) for service in ("s3", "sqs", "events"))
    s3.create_bucket(Bucket="documents")
    queue = sqs.create_queue(QueueName="changes")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="r", EventPattern='{"source": ["aws.s3"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    s3.put_bucket_notification_configuration(
        Bucket="documents", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    requests.post(f"http://127.0.0.1:{emulator.port}/_lisa/save", timeout=30)
    s3.put_object(Bucket="documents", Key="r/c/a.txt", Body=b"-")

    emulator.end(signal.SIGKILL)
    emulator.start()

    messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert "r/c/a.txt" in messages[0]["Body"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_people_and_secrets_survive(emulator: Emulator, how: signal.Signals) -> None:
    cognito, secrets = emulator.client("cognito-idp"), emulator.client("secretsmanager")
    pool = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]
    cognito.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
    secrets.create_secret(Name="key", SecretString="value")

    emulator.end(how)
    emulator.start()

    assert cognito.admin_get_user(UserPoolId=pool, Username="ada")["Username"] == "ada"
    assert secrets.get_secret_value(SecretId="key")["SecretString"] == "value"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_running_execution_goes_on_and_a_finished_one_stays_finished(emulator: Emulator, how: signal.Signals) -> None:
    machines = emulator.client("stepfunctions")
    states = {"Wait": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Done"}, "Done": {"Type": "Succeed"}}
    arn = machines.create_state_machine(
        name="m",
        definition=json.dumps({"StartAt": "Wait", "States": states}),
        roleArn="arn:aws:iam::000000000000:role/r",
    )["stateMachineArn"]
    requests.post(f"http://127.0.0.1:{emulator.port}/_lisa/save", timeout=30)
    started = {
        seconds: machines.start_execution(stateMachineArn=arn, input=json.dumps({"seconds": seconds}))["executionArn"]
        for seconds in (0, 4)
    }

    def status(seconds: int) -> str:
        return str(machines.describe_execution(executionArn=started[seconds])["status"])

    while status(0) == "RUNNING":
        time.sleep(0.1)
    stopped = machines.describe_execution(executionArn=started[0])["stopDate"]
    emulator.end(how)
    emulator.start()

    assert status(4) == "RUNNING"
    assert (status(0), machines.describe_execution(executionArn=started[0])["stopDate"]) == ("SUCCEEDED", stopped)
    for _ in range(100):
        if status(4) != "RUNNING":
            break
        time.sleep(0.1)
    assert status(4) == "SUCCEEDED"
