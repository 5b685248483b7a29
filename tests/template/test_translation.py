"""The translated template that CloudFormation gets has the properties that the template's comments promise."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from openapi.headers import REQUEST_HEADERS, RESPONSE_HEADERS
from storefront.routes import OF_CUSTOMERS, ROUTES, allowed_methods
from tests.template.sam import ENVIRONMENTS, REGIONS, given_settings, settings_of, template
from tests.template.translated import REGION, resources, translated

FUNCTIONS = resources("AWS::Lambda::Function")
VERSIONED = {one["Properties"]["FunctionName"]["Ref"] for one in resources("AWS::Lambda::Version").values()}


WITHOUT_VERSIONS = {"DeploymentFunction", "StaffScopesFunction"}
SERVING = FUNCTIONS.keys() - {*WITHOUT_VERSIONS, "MigrateFunction"}
CONFIGURATION = {"Fn::GetAtt": ["SchemaMigration", "Configuration"]}

FIXED = {
    *("AWS::NoValue", "AWS::Region", "AWS::StackName", "AWS::URLSuffix"),
    *("FunctionsSecurityGroup", "SubnetA", "SubnetB", "SubnetC"),
}
"""References in a function's configuration that do not change by themselves."""


def referred_to(value: Any) -> set[str]:
    """The parameters and resources that a value refers to, including those in conditions."""
    if isinstance(value, list):
        return set().union(*map(referred_to, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*(referred_to(one) for one in value.values()))
    if "Ref" in value:
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        found.add(value["Fn::GetAtt"][0])
    # A Condition that is not a name belongs to a policy.
    if "Fn::If" in value or isinstance(value.get("Condition"), str):
        name = value["Fn::If"][0] if "Fn::If" in value else value["Condition"]
        found |= referred_to(translated()["Conditions"].get(name))
    if "Fn::Sub" in value:
        text, given = value["Fn::Sub"] if isinstance(value["Fn::Sub"], list) else (value["Fn::Sub"], {})
        found |= set(re.findall(r"\$\{(\w[\w:]*)", text)) - set(given)
    return found


def test_production_accepts_only_live_payments() -> None:
    assert settings_of("prod")["PaymentMode"] == settings_of("small")["PaymentMode"] == "live"
    assert settings_of("dev")["PaymentMode"] == "any"


EXISTING = {
    "VpcId": "vpc-0a1b2c3d",
    "SubnetIds": "subnet-0a1b2c3d,subnet-1a2b3c4d",
    "DatabaseHost": "db.example.internal",
    "DatabaseResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "DatabaseSecurityGroupId": "sg-0a1b2c3d",
    "TokenIssuer": "https://issuer.example",
    "TokenAudience": "shop,website",
    "ReadDatabaseHost": "replica.example.internal",
    "ReadDatabaseResourceId": "db-BCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ConsoleClientId": "console",
    "ConsoleOrigins": "https://login.shop.example",
    "DomainName": "api.shop.example",
    "DomainCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
}


WITH_CONSOLE = {"ApiAddress": "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "StaffMfa": "none"}


@pytest.mark.parametrize(
    "parameters",
    [*map(given_settings, ENVIRONMENTS), EXISTING, WITH_CONSOLE],
    ids=[*ENVIRONMENTS, "existing", "with console"],
)
def test_cfn_lint_finds_no_error(parameters: dict[str, str], tmp_path: Path) -> None:
    # This also finds circular references, which appear only after the translation.
    made = tmp_path / "template.json"
    made.write_text(json.dumps(translated(**parameters)))
    # SAM consumes the parameter DeploymentType. The template explains the other ignored checks.
    ignored = ["W2001", *template()["Metadata"]["cfn-lint"]["config"]["ignore_checks"]]
    command = [str(Path(sys.executable).with_name("cfn-lint")), "-r", REGION, "-i", *ignored, "-t", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_with_certificates_has_every_type_of_resource(region: str) -> None:
    # Where one does not exist, CloudFormation refuses the whole template, even if a condition leaves the resource out.
    used = {one["Type"] for one in resources().values() if not one["Type"].startswith("Custom::")}
    assert used <= set(PROVIDER_SCHEMA_MANAGER.get_resource_types(region))


def versions(layer: str) -> set[str]:
    made: dict[str, Any] = translated(layer)["Resources"]
    return {name for name, one in made.items() if one["Type"] == "AWS::Lambda::Version"}


def test_a_changed_layer_makes_new_versions_and_runs_the_migrations() -> None:
    assert versions("one") == versions("one")
    assert not versions("one") & versions("two")
    migrations = [translated(layer)["Resources"]["SchemaMigration"]["Properties"]["Layer"] for layer in ("one", "two")]
    assert migrations[0] != migrations[1]
    for made, layer in zip(migrations, ("one", "two"), strict=True):
        assert translated(layer)["Resources"][made["Ref"]]["Type"] == "AWS::Lambda::LayerVersion"


def test_versions_get_traffic_after_the_migrations() -> None:
    assert FUNCTIONS.keys() - WITHOUT_VERSIONS == VERSIONED
    waiting = {
        name
        for name, one in FUNCTIONS.items()
        if one["Properties"].get("Environment", {"Variables": {}})["Variables"].get("CONFIGURATION") == CONFIGURATION
    }
    assert waiting == SERVING


def test_every_parameter_of_a_function_is_also_in_the_migration() -> None:
    # Otherwise the version that serves traffic would keep the old value.
    migration_references = referred_to(resources("Custom::SchemaMigration")["SchemaMigration"])
    for name in SERVING:
        # These are not part of a version.
        other = {"Code", "Role", "Layers", "LoggingConfig", "ReservedConcurrentExecutions"}
        configured = {key: value for key, value in FUNCTIONS[name]["Properties"].items() if key not in other}
        assert referred_to(configured) - {"SchemaMigration"} <= migration_references | FIXED, name


def test_a_changed_configuration_makes_a_new_version() -> None:
    for version in resources("AWS::Lambda::Version").values():
        properties = version["Properties"]
        if properties["FunctionName"]["Ref"] in SERVING:
            assert properties["Description"] == CONFIGURATION


def test_api_and_schedules_invoke_only_the_live_alias() -> None:
    body = resources("AWS::ApiGatewayV2::Api")["Api"]["Properties"]["Body"]
    called = [
        operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        for path in body["paths"].values()
        for operation in path.values()
    ]
    assert len(called) == 1 + sum(len(allowed_methods(path)) for path in ROUTES)
    assert all("Aliaslive}" in uri for uri in called)
    for schedule in resources("AWS::Scheduler::Schedule").values():
        assert schedule["Properties"]["Target"]["Arn"]["Ref"].endswith("Aliaslive")


def scopes_of(method: str, path: str, access: str) -> list[str]:
    scopes = [access, OF_CUSTOMERS[method, path]] if (method, path) in OF_CUSTOMERS else [access]
    return [f"{prefix}{scope}" for scope in scopes for prefix in ("", "storefront/")]


def test_the_translated_api_has_the_scopes_of_each_route() -> None:
    paths = resources("AWS::ApiGatewayV2::Api")["Api"]["Properties"]["Body"]["paths"]
    for path, methods in ROUTES.items():
        for method in allowed_methods(path):
            access = methods["GET" if method == "HEAD" else method]
            [security] = paths[path][method.lower()]["security"]
            scopes = scopes_of(method, path, access)
            assert security in ({"NONE": []}, {"Tokens": scopes})
            assert ("NONE" in security) == (access in ("anyone", "signature"))


def test_the_cors_configuration_has_the_origin_of_the_website() -> None:
    body = translated(CorsOrigin="https://shop.example")["Resources"]["Api"]["Properties"]["Body"]
    cors = body["x-amazon-apigateway-cors"]
    assert cors["allowOrigins"] == [{"Fn::If": ["Cors", "https://shop.example", "https://none.invalid"]}]
    assert {"authorization", *map(str.lower, REQUEST_HEADERS)} <= set(cors["allowHeaders"])
    # Clients that poll orders read Date.
    assert {"date", *map(str.lower, RESPONSE_HEADERS)} <= set(cors["exposeHeaders"])


def test_the_access_log_is_json_without_queries_and_headers() -> None:
    stage = resources("AWS::ApiGatewayV2::Stage")["ApiApiGatewayDefaultStage"]["Properties"]
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"request_id", "route", "status", "latency_ms"} <= logged.keys()
    assert not any("query" in field or "header" in field or "userAgent" in field for field in logged.values())


GRADUAL = {"ProductsFunction", "OrdersFunction", "WebhookFunction", "PaymentsFunction"}
"""The functions that get traffic step by step. Each has an alias, live."""


def test_a_faulty_release_is_rolled_back_by_alarms() -> None:
    alarms = resources("AWS::CloudWatch::Alarm")
    groups = resources("AWS::CodeDeploy::DeploymentGroup")
    assert groups.keys() == {f"{name}DeploymentGroup" for name in GRADUAL}
    for group in groups.values():
        condition, guarded, unguarded = group["Properties"]["AlarmConfiguration"]["Fn::If"]
        of_api, of_functions = [one["Name"] for one in guarded["Alarms"]]
        assert (condition, guarded["Enabled"], unguarded) == ("Guarded", True, {})
        assert of_api == alarms["ApiErrorsAlarm"]["Properties"]["AlarmName"]
        assert of_functions == {"Ref": "FunctionErrorsAlarm"}
        assert group["Properties"]["AutoRollbackConfiguration"]["Enabled"]


def test_codedeploy_can_only_move_the_aliases_that_it_shifts() -> None:
    groups = resources("AWS::CodeDeploy::DeploymentGroup").values()
    assert all(one["Properties"]["ServiceRoleArn"] == {"Fn::GetAtt": ["TrafficRole", "Arn"]} for one in groups)
    assert "CodeDeployServiceRole" not in resources()
    aliases, alarms = resources()["TrafficRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert aliases["Action"] == ["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"]
    assert {json.dumps(one) for one in aliases["Resource"]} == {
        json.dumps(one)
        for name in GRADUAL
        for one in ({"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}:live"})
    }
    assert (alarms["Action"], alarms["Resource"]) == ("cloudwatch:DescribeAlarms", "*")


def test_two_stacks_in_one_account_have_different_resource_names() -> None:
    assert all("Name" not in one["Properties"] for one in resources("AWS::Scheduler::Schedule").values())
    names = {
        "AlarmName",
        "DBClusterIdentifier",
        "DBInstanceIdentifier",
        "DBProxyName",
        "DashboardName",
        "LogGroupName",
        "UserPoolName",
    }
    for resource in resources().values():
        for name in names & resource.get("Properties", {}).keys():
            value = resource["Properties"][name]
            assert referred_to(value) & {"AWS::StackName", *resources()}, value


def test_no_environment_variable_contains_a_password() -> None:
    for name, function in FUNCTIONS.items():
        variables = function["Properties"].get("Environment", {}).get("Variables", {})
        for variable in variables.keys() & {"DATABASE_URL"}:
            url = variables[variable]["Fn::Sub"][0]
            assert url.startswith(("postgresql://storefront_app@", "postgresql://storefront@")), name
            assert "?sign_in=iam" in url
        resolved = {key for key, value in variables.items() if "resolve:" in json.dumps(value)}
        # Decision 6 explains why the cursor key may be in a variable.
        assert resolved <= {"CURSOR_KEY"}


def test_only_the_functions_can_reach_the_database() -> None:
    for name, group in resources("AWS::EC2::SecurityGroup").items():
        assert "SecurityGroupIngress" not in group["Properties"], name
        for rule in group["Properties"]["SecurityGroupEgress"]:
            assert rule.get("CidrIp", "127.0.0.1/32") == "127.0.0.1/32", name
    for rule in resources("AWS::EC2::SecurityGroupIngress").values():
        assert "SourceSecurityGroupId" in rule["Properties"]
    assert resources("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route") == {}


def test_logs_have_a_retention_time() -> None:
    groups = resources("AWS::Logs::LogGroup")
    assert all(one["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"} for one in groups.values())
    for function in FUNCTIONS.values():
        assert function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] in groups


@pytest.mark.parametrize("database", ["DatabaseCluster", "DatabaseInstance"])
def test_a_deleted_stack_leaves_a_database_snapshot(database: str) -> None:
    assert template()["Resources"][database]["DeletionPolicy"] == "Snapshot"
    assert template()["Resources"][database]["UpdateReplacePolicy"] == "Snapshot"


def test_every_parameter_has_a_description_a_use_and_a_group() -> None:
    whole = json.dumps({key: value for key, value in template().items() if key not in ("Parameters", "Metadata")})
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(template()["Parameters"])
    for name, parameter in template()["Parameters"].items():
        assert parameter["Description"]
        assert f'"{name}"' in whole or f"${{{name}}}" in whole, name
