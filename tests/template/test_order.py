"""A deployment changes the resources in an order that leaves nothing behind when it fails."""

from functools import cache

from tests.template.test_translation import referred_to
from tests.template.translated import resources

RESOURCES = resources()

HARMLESS = {
    *("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter"),
    *("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet", "AWS::EC2::VPC"),
    *("AWS::IAM::ManagedPolicy", "AWS::IAM::Role"),
    *("AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Function", "AWS::Lambda::LayerVersion"),
    *("AWS::RDS::DBClusterParameterGroup", "AWS::RDS::DBParameterGroup", "AWS::RDS::DBSubnetGroup"),
    *("AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::SecretsManager::Secret"),
    *("AWS::ApiGatewayV2::DomainName", "AWS::CodeDeploy::Application", "AWS::Route53::RecordSet"),
    "Custom::Preconditions",
}
"""Types without data and without an effect on the functions that run."""


@cache
def waits_for(name: str) -> set[str]:
    """The resources that CloudFormation creates before this one, and deletes after it."""
    resource = RESOURCES[name]
    given = resource.get("DependsOn", [])
    direct = {*([given] if isinstance(given, str) else given), *referred_to(resource.get("Properties", {}))}
    return {*direct, *(one for other in direct & RESOURCES.keys() for one in waits_for(other))}


def test_nothing_that_has_data_or_leads_to_it_changes_before_the_preconditions_are_checked() -> None:
    before = {name for name in RESOURCES if "Preconditions" not in waits_for(name)}
    assert {RESOURCES[name]["Type"] for name in before} <= HARMLESS
    assert {name for name in before if RESOURCES[name]["Type"] == "AWS::Lambda::Function"} == {"DeploymentFunction"}
    assert not before & {"FunctionsSecurityGroup", "SignInAsApp", "UserPool", "DatabaseCluster", "DatabaseInstance"}


def test_what_answers_for_a_custom_resource_is_deleted_after_it() -> None:
    for name in ("Preconditions", "SchemaMigration", "Budget"):
        assert {"DeploymentFunction", "DeploymentRole", "DeploymentRetries", "FunctionLogs"} <= waits_for(name), name
