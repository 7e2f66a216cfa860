"""What the template promises about data, doors and rights."""

import pytest

from tests.fixtures.template import listed, resources, statements, template

# `*` as a resource, with the reason: AWS takes no other.
EVERYTHING = {
    ("ServeRole", "bedrock:Rerank"),
    ("ServeImageBuildRole", "ecr:GetAuthorizationToken"),
    ("MachinesLogPolicy", "logs:CreateLogDelivery"),
    ("MachinesLogPolicy", "logs:DeleteLogDelivery"),
    ("MachinesLogPolicy", "logs:DescribeLogGroups"),
    ("MachinesLogPolicy", "logs:DescribeResourcePolicies"),
    ("MachinesLogPolicy", "logs:GetLogDelivery"),
    ("MachinesLogPolicy", "logs:ListLogDeliveries"),
    ("MachinesLogPolicy", "logs:PutResourcePolicy"),
    ("MachinesLogPolicy", "logs:UpdateLogDelivery"),
}
BUCKETS = resources("AWS::S3::Bucket")
TABLES = resources("AWS::DynamoDB::Table")
ONLY_AWS = {"EC2", "ECS", "ECR", "RDS", "ElasticLoadBalancingV2", "ApplicationAutoScaling", "CodeBuild", "ApiGatewayV2"}
DERIVED = {"WorkBucket"}  # intermediates: nothing is lost with them


def test_rights_name_their_actions() -> None:
    for name, statement in statements():
        for action in listed(statement["Action"]):
            assert "*" not in action, f"{name}: {action}"


def test_rights_name_their_resources() -> None:
    found = {
        (name, action)
        for name, statement in statements()
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }
    assert found == EVERYTHING


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private_encrypted_versioned_and_tidied(name: str) -> None:
    bucket = BUCKETS[name]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert any(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 99) <= 30 for rule in rules)


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_takes_tls_only(name: str) -> None:
    policy = template()["Resources"][f"{name}Policy"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Bucket"] == {"Ref": name}
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_kept_encrypted_restorable_and_free_when_idle(name: str) -> None:
    table = TABLES[name]["Properties"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert "TableName" not in table


@pytest.mark.parametrize("name", [*TABLES, *BUCKETS, "UserPool", "DatabaseSecret"])
def test_data_outlive_the_stack(name: str) -> None:
    item = template()["Resources"][name]
    if name not in DERIVED:
        # A first deployment that fails leaves nothing behind.
        assert (item["DeletionPolicy"], item["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_the_database_leaves_a_snapshot() -> None:
    database = template()["Resources"]["Database"]
    assert (database["DeletionPolicy"], database["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    assert database["Properties"]["StorageEncrypted"] is True
    assert template()["Resources"]["DatabaseInstance"]["Properties"]["PubliclyAccessible"] is False


def test_only_the_public_load_balancer_is_open_to_the_world() -> None:
    open_groups = {
        name
        for name, group in resources("AWS::EC2::SecurityGroup").items()
        for rule in group["Properties"].get("SecurityGroupIngress", [])
        if "CidrIp" in rule
    }
    assert open_groups == {"PublicLoadBalancerSecurityGroup"}


@pytest.mark.parametrize("name", resources("AWS::Logs::LogGroup"))
def test_a_log_forgets(name: str) -> None:
    group = resources("AWS::Logs::LogGroup")[name]["Properties"]
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_documents_tell_of_their_changes_and_uploads_do_not_stay() -> None:
    bucket = BUCKETS["DocumentsBucket"]["Properties"]
    assert bucket["NotificationConfiguration"]["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}
    assert {"Id": "uploads", "Status": "Enabled", "Prefix": "uploads/", "ExpirationInDays": 1} in bucket[
        "LifecycleConfiguration"
    ]["Rules"]
    (rule,) = resources("AWS::Events::Rule").values()
    pattern = rule["Properties"]["EventPattern"]
    assert pattern["detail"]["object"]["key"] == [{"anything-but": {"prefix": "uploads/"}}]


def test_what_only_aws_has_stands_behind_a_condition() -> None:
    for name, item in template()["Resources"].items():
        if item["Type"].split("::")[1] in ONLY_AWS:
            assert "Condition" in item, name


def test_words_mean_one_thing() -> None:
    """The project's vocabulary: a class of the OpenAPI is a schema, a store of documents a repository."""
    for name in template()["Resources"]:
        assert not any(word in name for word in ("VectorStore", "Lambda", "Handler", "Util", "Helper")), name
