"""The translated template that CloudFormation gets has the properties that the template's comments promise."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from openapi.headers import REQUEST_HEADERS, RESPONSE_HEADERS
from storefront.routes import OF_CUSTOMERS, ROUTES, allowed_methods
from tests.api_client import ROOT
from tests.template.sam import template
from tests.template.translated import REGION, resources, translated

FUNCTIONS = resources("AWS::Lambda::Function")
VERSIONED = {one["Properties"]["FunctionName"]["Ref"] for one in resources("AWS::Lambda::Version").values()}


SERVING = FUNCTIONS.keys() - {"DeploymentFunction", "MigrateFunction"}
CONFIGURATION = {"Fn::GetAtt": ["SchemaMigration", "Configuration"]}

FIXED = {"AWS::NoValue", "AWS::Region", "AWS::StackName", "FunctionsSecurityGroup", "SubnetA", "SubnetB", "SubnetC"}
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
    if "Fn::If" in value or "Condition" in value:
        name = value["Fn::If"][0] if "Fn::If" in value else value["Condition"]
        found |= referred_to(translated()["Conditions"].get(name))
    if "Fn::Sub" in value:
        text, given = value["Fn::Sub"] if isinstance(value["Fn::Sub"], list) else (value["Fn::Sub"], {})
        found |= set(re.findall(r"\$\{(\w[\w:]*)", text)) - set(given)
    return found


def settings(environment: str) -> dict[str, str]:
    """The parameters for an environment in samconfig.toml."""
    given = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]["parameters"]
    return dict(one.split("=", 1) for one in given["parameter_overrides"])


def test_production_accepts_only_live_payments() -> None:
    assert settings("prod")["PaymentMode"] == "live"
    assert "PaymentMode" not in settings("dev")


EXISTING = {
    "VpcId": "vpc-0a1b2c3d",
    "SubnetIds": "subnet-0a1b2c3d,subnet-1a2b3c4d",
    "DatabaseHost": "db.example.internal",
    "DatabaseResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "DatabaseSecurityGroupId": "sg-0a1b2c3d",
    "TokenIssuer": "https://issuer.example",
    "TokenAudience": "shop,website",
    "DomainName": "api.shop.example",
    "DomainCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
}


@pytest.mark.parametrize("parameters", [settings("dev"), settings("prod"), EXISTING], ids=["dev", "prod", "existing"])
def test_cfn_lint_finds_no_error(parameters: dict[str, str], tmp_path: Path) -> None:
    # This also finds circular references, which appear only after the translation.
    made = tmp_path / "template.json"
    made.write_text(json.dumps(translated(**parameters)))
    # SAM consumes the parameter DeploymentType. The template explains the other ignored checks.
    ignored = ["W2001", *template()["Metadata"]["cfn-lint"]["config"]["ignore_checks"]]
    command = [str(Path(sys.executable).with_name("cfn-lint")), "-r", REGION, "-i", *ignored, "-t", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


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
    assert FUNCTIONS.keys() - {"DeploymentFunction"} == VERSIONED
    waiting = {
        name
        for name, one in FUNCTIONS.items()
        if one["Properties"]["Environment"]["Variables"].get("CONFIGURATION") == CONFIGURATION
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


def test_writes_and_static_files_have_a_throttling_limit_of_their_own() -> None:
    stage = resources("AWS::ApiGatewayV2::Stage")["ApiApiGatewayDefaultStage"]["Properties"]
    limits = {route: one["ThrottlingRateLimit"] for route, one in stage["RouteSettings"].items()}
    assert all(one["ThrottlingBurstLimit"] == one["ThrottlingRateLimit"] for one in stage["RouteSettings"].values())
    keys = {f"{method} {path}" for path in ROUTES for method in allowed_methods(path)}
    files = {key for key in keys if key.split()[1].startswith(("/docs", "/openapi.json"))}
    writes = {key for key in keys if key.split()[0] not in ("GET", "HEAD")}
    # Processors send many events at once, and so do the buyers of a flash sale.
    busy = {"POST /api/payment-webhook", "POST /api/orders"}
    assert limits == {**dict.fromkeys(writes, 100), **dict.fromkeys(files, 50), **dict.fromkeys(busy, 1000)}
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}


def test_the_access_log_is_json_without_queries_and_headers() -> None:
    stage = resources("AWS::ApiGatewayV2::Stage")["ApiApiGatewayDefaultStage"]["Properties"]
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"request_id", "route", "status", "latency_ms"} <= logged.keys()
    assert not any("query" in field or "header" in field or "userAgent" in field for field in logged.values())


def test_a_faulty_release_is_rolled_back_by_its_alarms() -> None:
    alarms = resources("AWS::CloudWatch::Alarm")
    groups = resources("AWS::CodeDeploy::DeploymentGroup").values()
    assert len(groups) == len(VERSIONED) - 1  # MigrateFunction has no gradual deployment.
    for group in groups:
        condition, guarded, unguarded = group["Properties"]["AlarmConfiguration"]["Fn::If"]
        of_all, own = [one["Name"] for one in guarded["Alarms"]]
        assert (condition, guarded["Enabled"], unguarded) == ("Guarded", True, {})
        assert of_all == alarms["ApiErrorsAlarm"]["Properties"]["AlarmName"]
        assert own["Ref"] in alarms
        assert group["Properties"]["AutoRollbackConfiguration"]["Enabled"]


def test_two_stacks_in_one_account_have_different_resource_names() -> None:
    assert all("Name" not in one["Properties"] for one in resources("AWS::Scheduler::Schedule").values())
    names = {"AlarmName", "DBClusterIdentifier", "DBProxyName", "DashboardName", "LogGroupName", "UserPoolName"}
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


def test_a_deleted_stack_leaves_a_database_snapshot() -> None:
    assert template()["Resources"]["DatabaseCluster"]["DeletionPolicy"] == "Snapshot"
    assert template()["Resources"]["DatabaseCluster"]["UpdateReplacePolicy"] == "Snapshot"


def test_every_parameter_has_a_description_a_use_and_a_group() -> None:
    whole = json.dumps({key: value for key, value in template().items() if key not in ("Parameters", "Metadata")})
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(template()["Parameters"])
    for name, parameter in template()["Parameters"].items():
        assert parameter["Description"]
        assert f'"{name}"' in whole or f"${{{name}}}" in whole, name
