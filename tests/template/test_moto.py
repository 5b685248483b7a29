"""Moto's CloudFormation creates a stack from the resources that it supports."""

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.template.translated import BUCKET, REGION, translated

UNKNOWN_TO_MOTO = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Logs::MetricFilter",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBClusterParameterGroup",
    "AWS::RDS::DBInstance",  # of Aurora's engine
    "AWS::RDS::DBProxy",
    "AWS::RDS::DBProxyTargetGroup",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
    "AWS::IAM::RolePolicy",
    "Custom::Budget",
    "Custom::Preconditions",
    "Custom::SchemaMigration",
}
"""Removed from the stack for Moto. Only cfn-lint checks these."""

UNKNOWN_ATTRIBUTES = {("SecretsManagerEndpoint", "DnsEntries"): ["Z1:vpce-1.secretsmanager.example"]}
"""Attributes that Moto does not support, of resources that it supports."""

OFF = {
    *("ExistingDatabase", "DatabaseWithoutProxy", "Domain", "DomainRecord", "HasAlarmEmail", "Instance", "StandBy"),
    *("HasAddress", "OwnConsole", "OtherConsole"),
}
"""The conditions that are false with PARAMETERS."""

ALIAS = "Aliaslive"
"""The suffix of an alias's name. Moto does not support aliases, so references go to the function."""

# With fewer zones, Moto would create a third subnet called None.
PARAMETERS = {"AvailabilityZones": "3", "DatabaseInstances": "1"}


def without(dropped: set[str], value: Any) -> Any:
    """Replace references to dropped resources with a placeholder."""
    if isinstance(value, list):
        return [without(dropped, one) for one in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        name = value["Ref"].removesuffix(ALIAS)
        return "left-out" if name in dropped else {"Ref": name}
    if "Fn::Cidr" in value:
        # Moto does not support Fn::Cidr.
        return ["10.0.0.0/26", "10.0.0.64/26", "10.0.0.128/26"]
    if "Fn::GetAtt" in value:
        name, attribute = value["Fn::GetAtt"]
        return UNKNOWN_ATTRIBUTES.get((name, attribute), "left:out:of:moto:it:is:out" if name in dropped else value)
    return {key: without(dropped, one) for key, one in value.items()}


@pytest.fixture
def supported_template() -> dict[str, Any]:
    """The template with only the resources that Moto supports."""
    whole = translated(**PARAMETERS)
    dropped = {name for name, one in whole["Resources"].items() if one["Type"] in UNKNOWN_TO_MOTO}
    kept = {name: one for name, one in whole["Resources"].items() if name not in dropped}
    for one in kept.values():
        one.pop("DependsOn", None)
        for name in dropped:
            # Fn::Sub has the name inside a string.
            one["Properties"] = json.loads(json.dumps(one.get("Properties", {})).replace(f"${{{name}", "${AWS::Region"))
    return {
        **{key: whole[key] for key in ("Parameters", "Conditions")},
        "Resources": without(dropped, kept),
    }


@mock_aws
def test_moto_creates_a_stack_from_the_template(
    supported_template: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    s3, cloudformation = boto3.client("s3", region_name=REGION), boto3.client("cloudformation", region_name=REGION)
    s3.create_bucket(Bucket=BUCKET)
    for name in ["layer", *supported_template["Resources"]]:
        s3.put_object(Bucket=BUCKET, Key=name, Body=b"")
    cloudformation.create_stack(
        StackName="storefront",
        TemplateBody=json.dumps(supported_template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    [stack] = cloudformation.describe_stacks(StackName="storefront")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    created = cloudformation.describe_stack_resources(StackName="storefront")["StackResources"]
    expected = {name for name, one in supported_template["Resources"].items() if one.get("Condition") not in OFF}
    assert {one.get("LogicalResourceId") for one in created} >= expected


def test_each_type_removed_for_moto_is_in_the_template() -> None:
    used = {one["Type"] for one in translated()["Resources"].values()}
    assert used >= UNKNOWN_TO_MOTO
