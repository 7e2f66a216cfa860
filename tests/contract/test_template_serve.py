"""Serve's tasks in AWS: what they reach, when they count as healthy, what they may do."""

import fnmatch
from typing import Any

import pytest
from gateway.settings import GatewaySettings

from tests.fixtures.template import listed, references, resolve, resources, statements, template

PARTS = {"Partition": "aws", "Region": "us-east-1", "AccountId": "123456789012", "StackName": "lisa"}
TARGETS = resources("AWS::ElasticLoadBalancingV2::TargetGroup")


def test_whoever_reads_secrets_in_the_network_is_let_in_by_their_endpoint() -> None:
    """Its private name holds in the whole VPC, so for Serve's public subnets too."""
    made = resolve({})["Resources"]
    assert made["SecretsEndpoint"]["Properties"]["PrivateDnsEnabled"] is True
    rules = made["SecretsEndpointSecurityGroup"]["Properties"]["SecurityGroupIngress"]
    tasks = made["ServeService"]["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"]
    functions = [item.get("Properties", {}).get("VpcConfig", {}).get("SecurityGroupIds", []) for item in made.values()]
    callers = {group["Ref"] for groups in (tasks, *functions) for group in groups}
    assert "ServeSecurityGroup" in callers and "FunctionsSecurityGroup" in callers
    assert callers <= {rule["SourceSecurityGroupId"]["Ref"] for rule in rules}


@pytest.mark.parametrize(
    ("chosen", "zones"),
    [
        ({"AWS::Region": "eu-west-1"}, None),
        ({"AWS::Region": "us-east-1"}, ["use1-az4", "use1-az6"]),
        ({"AWS::Region": "eu-west-3", "ZoneIds": "euw3-az1,euw3-az3"}, {"Ref": "ZoneIds"}),
    ],
)
def test_subnets_are_in_zones_that_take_a_vpc_link(chosen: dict[str, str], zones: Any) -> None:
    """us-east-1 has one that does not, use1-az3, and which letter it has differs between accounts."""
    made = resolve(chosen)["Resources"]
    for name in ("PublicSubnetA", "PublicSubnetB", "PrivateSubnetA", "PrivateSubnetB"):
        number = "AB".index(name[-1])
        subnet = made[name]["Properties"]
        if zones is None:
            assert subnet["AvailabilityZone"] == {"Fn::Select": [number, {"Fn::GetAZs": ""}]}
            assert "AvailabilityZoneId" not in subnet
        else:
            assert subnet["AvailabilityZoneId"] == {"Fn::Select": [number, zones]}
            assert "AvailabilityZone" not in subnet


def test_first_cluster_of_an_account_needs_no_role_that_is_not_there_yet() -> None:
    """With capacity providers it is made and needed by one call: the first deployment fails, the second does not."""
    assert "CapacityProviders" not in resources("AWS::ECS::Cluster")["ServeCluster"].get("Properties", {})


@pytest.mark.parametrize("level", template()["Parameters"]["LogLevel"]["AllowedValues"])
def test_the_gateway_starts_at_every_log_level_of_the_functions(level: str) -> None:
    tables = dict.fromkeys(("MODELS_TABLE", "LIMITS_TABLE", "LEDGER_TABLE"), "table")
    settings = {**tables, "USAGE_QUEUE_URL": "https://queue.example.com/1", "LOG_LEVEL": level}
    assert GatewaySettings.model_validate(settings).log_level == level


@pytest.mark.parametrize("name", TARGETS)
def test_a_task_that_cannot_read_its_models_gets_no_calls(name: str) -> None:
    """Else a revision without its rights replaces one that works, and the circuit breaker sees nothing."""
    assert TARGETS[name]["Properties"]["HealthCheckPath"] == "/health/readiness"


def test_no_task_at_all_rings() -> None:
    alarm = resources("AWS::CloudWatch::Alarm")["ServeDownAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("HealthyHostCount", "Minimum", 1)
    assert alarm["ComparisonOperator"] == "LessThanThreshold"


def test_one_process_can_reach_the_load_that_adds_a_task() -> None:
    policy = resources("AWS::ApplicationAutoScaling::ScalingPolicy")["ServeScalingByCpu"]["Properties"]
    target = policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
    for cpu in template()["Parameters"]["ServeCpu"]["AllowedValues"]:
        assert 100 * min(1, 1024 / cpu) > target, cpu


def test_another_processor_asks_for_another_image() -> None:
    assert "Architecture" in set(references(template()["Resources"]["ServeImage"]["Properties"]))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/a"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:::foundation-model/a"),
        ("bedrock:InvokeModelWithResponseStream", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1:123456789012:imported-model/a"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/a"),
        ("bedrock:Rerank", "arn:aws:bedrock:us-east-1::foundation-model/a"),
        ("bedrock:ApplyGuardrail", "arn:aws:bedrock:us-east-1:123456789012:guardrail/a"),
        ("bedrock:ApplyGuardrail", "arn:aws:bedrock:us-east-2:123456789012:guardrail-profile/us.guardrail.v1:0"),
        ("sagemaker:InvokeEndpointWithResponseStream", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/a"),
    ],
)
def test_the_gateway_may_do_what_its_documents_offer(action: str, resource: str) -> None:
    patterns = [
        _plain(pattern)
        for name, statement in statements()
        if name == "ServeRole" and action in listed(statement["Action"])
        for pattern in listed(statement["Resource"])
    ]
    assert any(fnmatch.fnmatchcase(resource, pattern) for pattern in patterns)


def _plain(pattern: Any) -> str:
    text = str(pattern["Fn::Sub"]) if isinstance(pattern, dict) else str(pattern)
    for name, value in PARTS.items():
        text = text.replace(f"${{AWS::{name}}}", value)
    return text
