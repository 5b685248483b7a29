"""The table of costs adds up, and counts what the template creates."""

import re

import pytest

from tests.api_client import ROOT
from tests.template.sam import ENVIRONMENTS, holds, settings_of, template

GUIDE = (ROOT / "docs" / "guides" / "deployment.md").read_text()

METRICS = {"idle": 6, "orders": 8}
"""The number of metrics that are written without a request, and of all metrics."""


def table() -> dict[str, dict[str, float]]:
    """The costs of each column, by the first words of their row."""
    lines = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in GUIDE.splitlines() if "|" in line]
    [start] = [number for number, row in enumerate(lines) if "`small`, idle" in row]
    [end] = [number for number, row in enumerate(lines) if row[0] == "Total"]
    header, _, *rows = lines[start : end + 1]
    return {
        column: {row[0].split(",")[0]: float(re.match(r"[\d.]+", row[place])[0]) for row in rows}  # type: ignore[index]
        for place, column in enumerate(header)
        if place > 1
    }


@pytest.mark.parametrize("column", table())
def test_each_column_adds_up(column: str) -> None:
    costs = table()[column]
    total = costs.pop("Total")
    assert total == pytest.approx(sum(costs.values()))


def test_a_small_shop_pays_less_than_45_dollars() -> None:
    assert table()["`small`, idle"]["Total"] < 45
    assert table()["`small`, 10,000 orders"]["Total"] < 45


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_table_counts_alarms_endpoints_and_secrets(environment: str) -> None:
    settings = settings_of(environment)
    created = [
        one
        for one in template()["Resources"].values()
        if "Condition" not in one or holds({"Condition": one["Condition"]}, settings)
    ]
    alarms = sum(one["Type"] == "AWS::CloudWatch::Alarm" for one in created)
    zones = 1 if settings["EndpointZones"] == "1" else int(settings["AvailabilityZones"])
    for column, costs in table().items():
        if column.startswith(f"`{environment}`"):
            metrics = METRICS["idle" if "idle" in column else "orders"]
            assert costs["Alarms"] == pytest.approx(alarms * 0.10 + 3.00 + metrics * 0.30), (alarms, column)
            assert costs["Endpoint of Secrets Manager"] == pytest.approx(zones * 0.01 * 730)
    assert sum(one["Type"] == "AWS::SecretsManager::Secret" for one in created) == 2


def test_the_table_counts_the_metrics() -> None:
    filters = [one for one in template()["Resources"].values() if one["Type"] == "AWS::Logs::MetricFilter"]
    # One of them is only written for payment events, and one only for refused requests.
    assert len(filters) + len({"AuditViolations", "WebhookAge", "ExpiryPostponed"}) == METRICS["orders"]
