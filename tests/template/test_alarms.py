"""Alarms and metric filters match what the code logs, and the runbook lists each alarm."""

import json
import re
from typing import Any

import pytest

from tests.api_client import ROOT, UNKNOWN, ApiClient, lambda_context, load_function
from tests.template.translated import resources

ALARMS = resources("AWS::CloudWatch::Alarm")
FILTERS = resources("AWS::Logs::MetricFilter")
FUNCTIONS = resources("AWS::Lambda::Function")
NAMESPACE = {"Fn::Sub": "Storefront/${AWS::StackName}"}


def test_the_runbook_lists_each_alarm() -> None:
    rows = re.findall(r"^\| ((?:`\w+Alarm`(?:, )?)+) \|", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert sorted(re.findall(r"\w+Alarm", " ".join(rows))) == sorted(ALARMS)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_notifies_when_it_starts_and_when_it_ends(name: str) -> None:
    alarm = ALARMS[name]["Properties"]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
    assert alarm["AlarmDescription"]


def test_the_alarms_of_functions_need_no_list_of_them() -> None:
    # All functions write to one log group. CloudWatch's metric without dimensions counts all throttles.
    groups = {json.dumps(one["Properties"]["LoggingConfig"]["LogGroup"]) for one in FUNCTIONS.values()}
    assert groups == {json.dumps(FILTERS["FunctionErrors"]["Properties"]["LogGroupName"])}
    throttles = ALARMS["ThrottlesAlarm"]["Properties"]
    assert (throttles["Namespace"], throttles["MetricName"]) == ("AWS/Lambda", "Throttles")
    assert "Dimensions" not in throttles


def test_the_log_has_lambdas_lines_for_failures_only() -> None:
    for function in FUNCTIONS.values():
        assert function["Properties"]["LoggingConfig"]["SystemLogLevel"] == "WARN"


def test_background_functions_have_an_alarm_at_80_percent_of_their_timeout() -> None:
    watched = set()
    for alarm in (one["Properties"] for one in ALARMS.values()):
        if alarm.get("MetricName") == "Duration" and alarm.get("Statistic") == "Maximum":
            name = alarm["Dimensions"][0]["Value"]["Ref"]
            assert alarm["Threshold"] == FUNCTIONS[name]["Properties"]["Timeout"] * 800, name
            watched.add(name)
    # A deployment fails visibly if the others run out of time.
    assert watched == {"ExpireOrdersFunction", "AuditFunction"}


def is_counted(name: str, line: dict[str, Any]) -> bool:
    """Whether a metric filter counts a log line. Translates the filter's pattern to Python."""
    pattern = FILTERS[name]["Properties"]["FilterPattern"].strip("{} \n")
    python = re.sub(r"\$\.(\w+) = \"\*\"", r"('\1' in line)", pattern)
    python = re.sub(r"\$\.record\.(\w+) != (\"\w+\")", r"(line['record'].get('\1') != \2)", python)
    python = re.sub(r"\$\.(\w+) = (\"[^\"]*\"|\d+)", r"(line.get('\1') == \2)", python)
    return bool(eval(python.replace("&&", "and").replace("||", "or").replace("\n", " "), {"line": line}))


def test_a_refused_payment_event_is_counted(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    assert api.call("POST", "/api/payment-webhook", {}).status == 401
    line = vars(caplog.records[-1])
    assert is_counted("WebhookRefusals", line)
    assert not is_counted("PaymentsToLookAt", line)


def test_an_authentic_payment_event_is_counted_by_its_secret(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    [transformation] = FILTERS["AuthenticPaymentEvents"]["Properties"]["MetricTransformations"]
    assert transformation["Dimensions"] == [{"Key": name, "Value": f"$.{name}"} for name in ("scheme", "key")]
    # Whatever the outcome is.
    for body in ({"order_id": UNKNOWN, "payment_status": "paid"}, {}):
        for scheme in ("x_signature", "stripe"):
            api.deliver(body, scheme)
            line = vars(caplog.records[-1])
            assert is_counted("AuthenticPaymentEvents", line)
            assert (line["scheme"], line["key"]) == (scheme, "1")
    api.call("POST", "/api/payment-webhook", {})
    assert not is_counted("AuthenticPaymentEvents", vars(caplog.records[-1]))


def test_a_payment_that_needs_action_is_counted(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    order = api.order((api.create_product()["id"], 1))
    for order_id, amount, counts in (
        (order["id"], "2.00", True),
        (UNKNOWN, "4.50", True),
        (order["id"], "4.50", False),
    ):
        # The first delivery may be lost before it is logged, so each later one counts too.
        for _ in range(2):
            api.pay(order_id, amount=amount, event_id=f"{order_id} {amount}")
            assert is_counted("PaymentsToLookAt", vars(caplog.records[-1])) == counts
    api.get(f"/api/orders/{UNKNOWN}")
    assert not is_counted("PaymentsToLookAt", vars(caplog.records[-1]))


def test_a_failed_refund_and_an_open_dispute_are_counted(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    order = api.order((api.create_product()["id"], 1))
    api.pay(order["id"], payment_reference="pi_1")
    for type_, counts in (
        ("refund.pending", False),
        ("refund.succeeded", False),
        ("refund.failed", True),
        ("refund.succeeded", False),
        ("dispute.opened", True),
        ("dispute.won", False),
    ):
        refund = {"processor_refund_id": "re_1", "amount": "1"} if "refund" in type_ else {}
        for _ in range(2):
            event = {"type": type_, "payment_reference": "pi_1", "event_id": f"evt_{type_}", **refund}
            assert api.deliver(event).status == 200
            line = vars(caplog.records[-1])
            assert is_counted("PaymentsToLookAt", line) == (line["levelname"] == "WARNING") == counts, type_


def test_a_payment_event_that_cannot_be_read_is_counted(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    for body in (b"{", b"{}", b" " * (1024 * 1024 + 1)):
        api.deliver(body)
        assert is_counted("PaymentsToLookAt", vars(caplog.records[-1]))
        # Nobody can cause the alarm without a secret.
        api.call("POST", "/api/payment-webhook", body)
        assert not is_counted("PaymentsToLookAt", vars(caplog.records[-1]))
    api.call("POST", "/api/products", b" " * (1024 * 1024 + 1))
    assert not is_counted("PaymentsToLookAt", vars(caplog.records[-1]))


@pytest.mark.usefixtures("api")
def test_each_metric_of_a_scheduled_function_has_an_alarm(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS_NAMESPACE", "Storefront/stack")
    for function in ("audit", "expire_orders"):
        load_function(function).lambda_handler({}, lambda_context())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    [dimensions] = {json.dumps(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]) for line in lines}
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
    assert json.loads(dimensions) == [["service"]]
    assert {line["service"] for line in lines} == {"storefront"}


def test_metric_filters_and_their_alarms_have_the_same_metric() -> None:
    transformed = [one["Properties"]["MetricTransformations"][0] for one in FILTERS.values()]
    assert all(one["MetricNamespace"] == NAMESPACE for one in transformed)
    watched = {
        one["Properties"]["MetricName"]
        for one in ALARMS.values()
        if one["Properties"].get("Namespace") == NAMESPACE and "Dimensions" not in one["Properties"]
    }
    # This metric has no alarm. It is watched while a secret is rotated.
    assert {one["MetricName"] for one in transformed} == watched | {"AuthenticPaymentEvents"}
