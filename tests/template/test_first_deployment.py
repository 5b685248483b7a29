"""Known risks of a deployment. Each test failed before its risk was removed."""

import re
from typing import Any

import pytest

from tests.template.sam import ENVIRONMENTS, REGIONS, holds, settings_of, template
from tests.template.translated import translated

RESOURCES: dict[str, dict[str, Any]] = template()["Resources"]
PARAMETERS: dict[str, dict[str, Any]] = template()["Parameters"]


def test_the_proxy_waits_for_both_instances_and_for_its_way_to_the_database() -> None:
    # Otherwise an instance that is still "configuring" fails the deployment.
    targets = RESOURCES["ProxyTargets"]
    assert set(targets["DependsOn"]) == {"DatabaseWriter", "ProxyToDatabase"}
    [cluster] = targets["Properties"]["DBClusterIdentifiers"]
    assert cluster == {
        "Fn::If": [
            "StandBy",
            {"Fn::Select": [0, [{"Ref": "DatabaseCluster"}, {"Ref": "DatabaseStandBy"}]]},
            {"Ref": "DatabaseCluster"},
        ]
    }


def test_a_region_without_certificates_is_refused() -> None:
    regions, region = template()["Rules"]["RegionHasCertificates"]["Assertions"][0]["Assert"]["Fn::Contains"]
    assert region == {"Ref": "AWS::Region"}
    assert sorted(regions) == REGIONS


@pytest.mark.parametrize("environment", ["small", "prod"])
def test_a_shop_cannot_be_deployed_without_the_address_for_its_alarms(environment: str) -> None:
    pattern = PARAMETERS["AlarmEmail"]["AllowedPattern"]
    assert not re.fullmatch(pattern, settings_of(environment)["AlarmEmail"])
    assert re.fullmatch(pattern, "owner@shop.example")
    assert float(settings_of(environment)["MonthlyBudget"]) > 0


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_other_setting_has_an_allowed_value(environment: str) -> None:
    settings = settings_of(environment)
    for name, parameter in PARAMETERS.items():
        value = settings[name]
        if name != "AlarmEmail":
            assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), name
        assert value in map(str, parameter.get("AllowedValues", [value])), name
        if parameter["Type"] == "Number":
            assert parameter.get("MinValue", 0) <= float(value) <= parameter.get("MaxValue", float("inf")), name


def broken_rules(settings: dict[str, str]) -> list[str]:
    return [
        name
        for name, rule in template()["Rules"].items()
        if holds(rule.get("RuleCondition", True), settings)
        and not all(holds(one["Assert"], settings) for one in rule["Assertions"])
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_settings_satisfy_the_rules(environment: str) -> None:
    assert broken_rules(settings_of(environment)) == []


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"DatabaseProxy": "true"}, "InstanceExcludesProxy"),
        ({"AlarmEmail": ""}, "BudgetRequiresEmail"),
        ({"ReadDatabaseHost": "replica.example"}, "ReplicaIsComplete"),
        ({"AWS::Region": "mars-north-1"}, "RegionHasCertificates"),
        ({"LogRetentionDays": "14"}, "LogsOfFourteenDaysOutliveBackups"),
    ],
)
def test_a_rule_refuses_settings_that_do_not_fit(changed: dict[str, str], rule: str) -> None:
    assert broken_rules({**settings_of("small"), **changed}) == [rule]


def test_a_replica_cannot_be_reached_beside_the_proxy() -> None:
    replica = {"ReadDatabaseHost": "replica.example", "ReadDatabaseResourceId": "db-A"}
    assert broken_rules({**settings_of("prod"), **replica}) == ["ReplicaIsComplete"]
    assert broken_rules({**settings_of("prod"), **replica, "DatabaseProxy": "false"}) == []
    assert broken_rules({**settings_of("small"), **replica}) == []


def test_a_shop_with_its_own_domain_has_no_other_address() -> None:
    body = translated()["Resources"]["Api"]["Properties"]["Body"]
    [server] = body["servers"]
    configuration = server["x-amazon-apigateway-endpoint-configuration"]
    assert configuration == {"disableExecuteApiEndpoint": {"Fn::If": ["Domain", True, False]}}


def test_each_database_has_its_windows_and_its_protection() -> None:
    for name in ("DatabaseCluster", "DatabaseInstance"):
        database = RESOURCES[name]["Properties"]
        assert database["PreferredBackupWindow"] == {"Ref": "BackupWindow"}
        assert database["PreferredMaintenanceWindow"] == {"Ref": "MaintenanceWindow"}
        assert database["DeletionProtection"] == {"Ref": "DeletionProtection"}
        assert database["BackupRetentionPeriod"] == {"Ref": "DatabaseBackupDays"}
        assert database["StorageEncrypted"] is True
        assert database["EnableIAMDatabaseAuthentication"] is True
        assert database["MasterUserAuthenticationType"] == "iam-db-auth"
    backup, maintenance = (PARAMETERS[name]["Default"] for name in ("BackupWindow", "MaintenanceWindow"))
    # AWS refuses windows that overlap.
    assert backup.partition("-")[2] <= maintenance.split(":", 1)[1][:5]


def test_idle_connections_do_not_keep_a_database_awake_that_pauses() -> None:
    idle = RESOURCES["DatabaseParameters"]["Properties"]["Parameters"]["idle_session_timeout"]
    assert idle == {"Fn::If": ["Pauses", 60000, 0]}


def test_waking_a_paused_database_raises_no_alarm() -> None:
    alarm = RESOURCES["ApiErrorsAlarm"]["Properties"]
    condition, pausing, _ = alarm["DatapointsToAlarm"]["Fn::If"]
    # It resumes within half a minute, so at most two of five minutes have errors.
    assert (condition, alarm["Period"], alarm["EvaluationPeriods"]) == ("Pauses", 60, 5)
    assert pausing > 2


def test_a_change_of_the_database_reaches_the_deployment_function() -> None:
    kind = RESOURCES["Preconditions"]["Properties"]["DatabaseKind"]
    assert kind == {"Fn::If": ["Serverless", "serverless", {"Fn::If": ["Instance", "instance", "existing"]}]}


def test_a_small_shop_has_one_instance_and_one_endpoint() -> None:
    settings = settings_of("small")
    assert settings["DatabaseClass"] == "db.t4g.small"
    assert (settings["DatabaseInstances"], settings["DatabaseProxy"], settings["EndpointZones"]) == ("1", "false", "1")
    assert (settings["DatabaseBackupDays"], settings["DeletionProtection"]) == ("14", "true")
    instance = RESOURCES["DatabaseInstance"]["Properties"]
    assert (instance["StorageType"], instance["MaxAllocatedStorage"]) == ("gp3", {"Ref": "DatabaseMaxStorage"})
    assert instance["PubliclyAccessible"] is False
    zones = RESOURCES["SecretsManagerEndpoint"]["Properties"]["SubnetIds"]["Fn::If"]
    assert zones[0] == "OneEndpointZone"
    assert len(zones[1]) == 1
