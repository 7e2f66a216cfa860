"""Whatever is done without waiting arrives, or lies somewhere and rings."""

from typing import Any

import pytest
from lisa.events import EVENTS

from tests.fixtures.template import functions, listed, resources, template, walk

QUEUES = resources("AWS::SQS::Queue")
FOURTEEN_DAYS = 1_209_600


def target(attribute: dict[str, Any]) -> str:
    return str(listed(attribute["Fn::GetAtt"])[0])


def dead_letter_queues() -> set[str]:
    """Queues that others name as theirs, and those that targets and functions fall back on."""
    found = {target(queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]) for queue in working().values()}
    for part in walk(template()["Resources"]):
        if isinstance(part, dict):
            if "DeadLetterConfig" in part:
                found.add(target(part["DeadLetterConfig"]["Arn"]))
            if "OnFailure" in part:
                found.add(target(part["OnFailure"]["Destination"]))
    return found


def working() -> dict[str, dict[str, Any]]:
    return {name: queue for name, queue in QUEUES.items() if "RedrivePolicy" in queue["Properties"]}


def test_every_queue_has_dead_letters_or_holds_them() -> None:
    assert QUEUES.keys() == working().keys() | dead_letter_queues()
    assert not working().keys() & dead_letter_queues()


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_is_encrypted_and_remembers_for_two_weeks(name: str) -> None:
    queue = QUEUES[name]["Properties"]
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS


@pytest.mark.parametrize("name", working())
def test_a_message_is_tried_often_enough(name: str) -> None:
    assert QUEUES[name]["Properties"]["RedrivePolicy"]["maxReceiveCount"] >= 5


@pytest.mark.parametrize("name", sorted(dead_letter_queues()))
def test_dead_letters_ring_and_say_who_may_send_them(name: str) -> None:
    watched = [
        alarm
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and {"Name": "QueueName", "Value": {"Fn::GetAtt": [name, "QueueName"]}} in alarm["Properties"]["Dimensions"]
    ]
    assert len(watched) == 1
    assert "redrivePermission" in QUEUES[name]["Properties"]["RedriveAllowPolicy"]


def test_a_message_stays_hidden_for_six_times_its_functions_timeout() -> None:
    default = template()["Globals"]["Function"]["Timeout"]
    read = set()
    for name, function in functions().items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = target(event["Properties"]["Queue"])
                read.add(queue)
                timeout = function.get("Timeout", default)
                assert QUEUES[queue]["Properties"]["VisibilityTimeout"] >= 6 * timeout, name
                assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
    assert read == working().keys()


def test_every_target_of_a_rule_has_dead_letters() -> None:
    for name, rule in resources("AWS::Events::Rule").items():
        for part in rule["Properties"]["Targets"]:
            assert "DeadLetterConfig" in part, name


def test_the_rules_may_send_to_their_queues_and_nobody_else_may() -> None:
    rules = resources("AWS::Events::Rule")
    targets = [part for rule in rules.values() for part in rule["Properties"]["Targets"]]
    queues = {target(part["Arn"]) for part in targets} | {target(part["DeadLetterConfig"]["Arn"]) for part in targets}
    for policy in resources("AWS::SQS::QueuePolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            sources = listed(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
            assert {target(arn) for arn in sources} == rules.keys()
            assert {target(arn) for arn in statement["Resource"]} == queues


def test_a_function_that_nobody_waits_for_reports_its_failure() -> None:
    for name, function in functions().items():
        if any(event["Type"] in ("Schedule", "EventBridgeRule") for event in function.get("Events", {}).values()):
            assert "OnFailure" in function["EventInvokeConfig"]["DestinationConfig"], name


def test_rules_on_our_bus_ask_for_events_that_exist() -> None:
    known = {(kind.source, kind.detail_type) for kind in EVENTS}
    for name, rule in resources("AWS::Events::Rule").items():
        pattern = rule["Properties"]["EventPattern"]
        if "EventBusName" in rule["Properties"]:
            asked = {(source, kind) for source in pattern["source"] for kind in pattern["detail-type"]}
            assert asked <= known, name
        else:
            assert all(source.startswith("aws.") for source in pattern["source"]), f"{name} listens on AWS's own bus"


@pytest.mark.parametrize("name", resources("AWS::CloudWatch::Alarm"))
def test_an_alarm_says_what_happened_and_reaches_somebody(name: str) -> None:
    alarm = resources("AWS::CloudWatch::Alarm")[name]["Properties"]
    assert alarm["AlarmDescription"].endswith(".")
    assert alarm["TreatMissingData"] == ("breaching" if name == "ServeDownAlarm" else "notBreaching")
    assert alarm["AlarmActions"] == [{"Fn::If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, {"Ref": "AWS::NoValue"}]}]
