"""Each function has its own role, with only the permissions that it needs."""

from typing import Any

import pytest

from tests.template.translated import resources

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
IN_VPC = LOGS | INTERFACES
DATABASE, QUEUE = {"rds-db:connect"}, {"sqs:SendMessage"}

ALLOWED = {
    "ProductsFunction": IN_VPC | DATABASE,
    "OrdersFunction": IN_VPC | DATABASE,
    "PaymentsFunction": IN_VPC | DATABASE,
    "WebhookFunction": IN_VPC | DATABASE | {"secretsmanager:GetSecretValue"},
    "DocsFunction": IN_VPC,
    "FallbackFunction": IN_VPC,
    "ExpireOrdersFunction": IN_VPC | DATABASE | QUEUE,
    "AuditFunction": IN_VPC | DATABASE | QUEUE,
    "MigrateFunction": IN_VPC | DATABASE,
    "StaffScopesFunction": LOGS,
    "DeploymentFunction": {
        *LOGS,
        *("lambda:InvokeFunction", "lambda:GetAccountSettings"),
        *("cloudformation:DescribeStacks", "budgets:ModifyBudget"),
    },
}

FUNCTIONS = resources("AWS::Lambda::Function")
ROLES = resources("AWS::IAM::Role")
POLICIES = resources("AWS::IAM::ManagedPolicy")
ATTACHED = resources("AWS::IAM::RolePolicy")

ACCOUNT_WIDE = {"lambda:GetAccountSettings", "cloudwatch:DescribeAlarms"}
"""Reads for which AWS supports no narrower resource."""

Statement = dict[str, Any]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: str) -> list[Statement]:
    """All statements of a role, from its own and from shared policies."""
    properties = ROLES[role]["Properties"]
    shared = [POLICIES[one["Ref"]]["Properties"] for one in properties.get("ManagedPolicyArns", []) if "Ref" in one]
    attached = [one["Properties"] for one in ATTACHED.values() if one["Properties"]["RoleName"] == {"Ref": role}]
    documents = [one["PolicyDocument"] for one in [*shared, *properties.get("Policies", []), *attached]]
    return [statement for document in documents for statement in as_list(document["Statement"])]


def role_of(function: str) -> str:
    role: str = FUNCTIONS[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    return role


def allowed(role: str) -> list[Statement]:
    return [one for one in statements(role) if one["Effect"] == "Allow"]


def actions(found: list[Statement]) -> set[str]:
    return {action for one in found for action in as_list(one["Action"])}


def test_each_function_has_its_own_role() -> None:
    roles = [role_of(function) for function in FUNCTIONS]
    assert len(set(roles)) == len(roles)
    assert FUNCTIONS.keys() == ALLOWED.keys()


@pytest.mark.parametrize("function", ALLOWED)
def test_a_function_has_only_the_permissions_that_it_needs(function: str) -> None:
    assert actions(allowed(role_of(function))) == ALLOWED[function]


@pytest.mark.parametrize("role", ROLES)
def test_no_role_has_wildcard_permissions(role: str) -> None:
    for statement in allowed(role):
        assert not any("*" in action for action in as_list(statement["Action"])), statement
        if "*" in as_list(statement["Resource"]):
            # Lambda needs the interfaces to join the network. AWS supports no narrower resource for them.
            granted = set(as_list(statement["Action"]))
            assert granted == INTERFACES or granted <= ACCOUNT_WIDE


@pytest.mark.parametrize("function", [name for name, one in FUNCTIONS.items() if "VpcConfig" in one["Properties"]])
def test_function_code_must_not_change_network_interfaces(function: str) -> None:
    denied = [one for one in statements(role_of(function)) if one["Effect"] == "Deny"]
    assert actions(denied) == {"ec2:*"}
    assert "lambda:SourceFunctionArn" in denied[0]["Condition"]["ArnLike"]


@pytest.mark.parametrize("function", [name for name, granted in ALLOWED.items() if granted >= DATABASE])
def test_a_function_connects_as_one_database_user(function: str) -> None:
    [signing_in] = [one for one in allowed(role_of(function)) if one["Action"] == "rds-db:connect"]
    users = {resource.rpartition("/")[2] for resource in substituted(signing_in["Resource"])}
    assert users == {"storefront" if function == "MigrateFunction" else "storefront_app"}


def substituted(value: Any) -> list[str]:
    """The texts of each Fn::Sub in a value."""
    if isinstance(value, list):
        return [text for one in value for text in substituted(one)]
    if isinstance(value, dict):
        return [value["Fn::Sub"][0]] if "Fn::Sub" in value else substituted(list(value.values()))
    return []


def test_only_the_deployment_role_may_run_the_migrations() -> None:
    invoking = {role for role in ROLES if "lambda:InvokeFunction" in actions(allowed(role))}
    schedules = {
        role
        for role in invoking
        if ROLES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
        == {"Service": ["scheduler.amazonaws.com"]}
    }
    assert invoking - schedules == {"DeploymentRole"}
    [invokes] = [one for one in allowed("DeploymentRole") if one["Action"] == "lambda:InvokeFunction"]
    assert invokes["Resource"] == {"Fn::GetAtt": ["MigrateFunction", "Arn"]}


def test_no_role_has_a_policy_managed_by_aws() -> None:
    # They allow more than is needed.
    attached = [one for role in ROLES.values() for one in role["Properties"].get("ManagedPolicyArns", [])]
    assert [one for one in attached if isinstance(one, str)] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_trusts_one_service(role: str) -> None:
    [trusted] = ROLES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"].keys() == {"Service"}
    assert len(as_list(trusted["Principal"]["Service"])) == 1
