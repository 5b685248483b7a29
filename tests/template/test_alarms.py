"""Alarms, metric filters and what the code logs agree, and each alarm is in the runbook."""

import json
import re
from typing import Any

import pytest

from tests.api_client import ROOT, UNKNOWN, ApiClient, lambda_context, load_function
from tests.template.translated import resources

ALARMS = resources("AWS::CloudWatch::Alarm")
FILTERS = resources("AWS::Logs::MetricFilter")
NAMESPACE = {"Fn::Sub": "Storefront/${AWS::StackName}"}


def test_each_alarm_has_its_row_in_the_runbook() -> None:
    rows = re.findall(r"^\| ((?:`\w+Alarm`(?:, )?)+) \|", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert sorted(re.findall(r"\w+Alarm", " ".join(rows))) == sorted(ALARMS)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_told_to_somebody_when_it_begins_and_ends(name: str) -> None:
    alarm = ALARMS[name]["Properties"]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
    assert alarm["AlarmDescription"]


def test_every_function_has_alarms_for_errors_duration_and_throttles() -> None:
    throttles = {
        one["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"]
        for one in ALARMS["ThrottlesAlarm"]["Properties"]["Metrics"]
        if "MetricStat" in one
    }
    by_metric: dict[str, set[str]] = {}
    for one in ALARMS.values():
        if one["Properties"].get("Namespace") == "AWS/Lambda":
            name = one["Properties"]["Dimensions"][0]["Value"]["Ref"]
            by_metric.setdefault(one["Properties"]["MetricName"], set()).add(name)
    functions = set(resources("AWS::Lambda::Function"))
    assert throttles == by_metric["Errors"] == by_metric["Duration"] == functions


def test_what_runs_alone_is_told_of_when_it_takes_four_fifths_of_its_time() -> None:
    functions, told = resources("AWS::Lambda::Function"), set()
    for alarm in (one["Properties"] for one in ALARMS.values()):
        if alarm.get("MetricName") == "Duration" and alarm.get("Statistic") == "Maximum":
            name = alarm["Dimensions"][0]["Value"]["Ref"]
            assert alarm["Threshold"] == functions[name]["Properties"]["Timeout"] * 800, name
            told.add(name)
    assert told == {"ExpireOrdersFunction", "AuditFunction", "MigrateFunction", "DeploymentFunction"}


def counted(name: str, line: dict[str, Any]) -> bool:
    """Whether a metric filter counts a line of the log, by the words that its pattern is made of."""
    pattern = FILTERS[name]["Properties"]["FilterPattern"].strip("{} \n")
    python = re.sub(r"\$\.(\w+) = \"\*\"", r"('\1' in line)", pattern)
    python = re.sub(r"\$\.(\w+) = (\"[^\"]*\"|\d+)", r"(line.get('\1') == \2)", python)
    return bool(eval(python.replace("&&", "and").replace("||", "or").replace("\n", " "), {"line": line}))


def test_a_refused_payment_event_is_counted(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    assert api.call("POST", "/api/payment-webhook", {}).status == 401
    line = vars(caplog.records[-1])
    assert counted("WebhookRefusals", line)
    assert not counted("PaymentsToLookAt", line)


def test_an_authentic_payment_event_is_counted_by_the_secret_that_signed_it(
    api: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    [transformation] = FILTERS["AuthenticPaymentEvents"]["Properties"]["MetricTransformations"]
    assert transformation["Dimensions"] == [{"Key": name, "Value": f"$.{name}"} for name in ("scheme", "key")]
    # Whatever comes of it.
    for body in ({"order_id": UNKNOWN, "payment_status": "paid"}, {}):
        for scheme in ("x_signature", "stripe"):
            api.deliver(body, scheme)
            line = vars(caplog.records[-1])
            assert counted("AuthenticPaymentEvents", line)
            assert (line["scheme"], line["key"]) == (scheme, "1")
    api.call("POST", "/api/payment-webhook", {})
    assert not counted("AuthenticPaymentEvents", vars(caplog.records[-1]))


def test_a_payment_that_needs_somebody_is_counted(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    order = api.order((api.create_product()["id"], 1))
    for order_id, amount, counts in (
        (order["id"], "2.00", True),
        (UNKNOWN, "4.50", True),
        (order["id"], "4.50", False),
    ):
        api.pay(order_id, amount=amount, event_id=f"{order_id} {amount}")
        assert counted("PaymentsToLookAt", vars(caplog.records[-1])) == counts
    api.get(f"/api/orders/{UNKNOWN}")
    assert not counted("PaymentsToLookAt", vars(caplog.records[-1]))


@pytest.mark.usefixtures("api")
def test_the_audit_s_metrics_are_those_of_its_alarms(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS_NAMESPACE", "Storefront/stack")
    load_function("audit").lambda_handler({}, lambda_context())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    [told] = {json.dumps(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]) for line in lines}
    metrics = {line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in lines}
    watched = {
        one["Properties"]["MetricName"]: one["Properties"]
        for one in ALARMS.values()
        if one["Properties"].get("Namespace") == NAMESPACE and "Dimensions" in one["Properties"]
    }
    assert watched.keys() == metrics
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in lines} == {"Storefront/stack"}
    for alarm in watched.values():
        assert alarm["Dimensions"] == [{"Name": "service", "Value": "storefront"}]
    assert json.loads(told) == [["service"]]
    assert {line["service"] for line in lines} == {"storefront"}


def test_filters_and_their_alarms_have_one_name() -> None:
    transformed = [one["Properties"]["MetricTransformations"][0] for one in FILTERS.values()]
    assert all(one["MetricNamespace"] == NAMESPACE for one in transformed)
    watched = {
        one["Properties"]["MetricName"]
        for one in ALARMS.values()
        if one["Properties"].get("Namespace") == NAMESPACE and "Dimensions" not in one["Properties"]
    }
    # The one that nobody is woken up by is looked at while a secret is changed.
    assert {one["MetricName"] for one in transformed} == watched | {"AuthenticPaymentEvents"}
