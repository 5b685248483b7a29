"""The functions' reserved concurrency fits the account and the database, and all who state it agree."""

import re

import pytest

from tests.api_client import ROOT
from tests.template.sam import ENVIRONMENTS, functions, resources, settings_of

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


def reservations() -> dict[str, str]:
    """The parameter that reserves the concurrency of each function."""
    return {
        name: function["ReservedConcurrentExecutions"]["Fn::If"][1]["Ref"]
        for name, function in functions().items()
        if "ReservedConcurrentExecutions" in function
    }


def test_nobody_can_take_the_concurrency_of_orders_and_of_the_webhook() -> None:
    assert reservations() == {
        **dict.fromkeys(("ProductsFunction", "PaymentsFunction"), "ApiConcurrency"),
        "OrdersFunction": "OrdersConcurrency",
        "WebhookFunction": "WebhookConcurrency",
        # Anyone can call these.
        **dict.fromkeys(("DocsFunction", "FallbackFunction"), "DocsConcurrency"),
        **dict.fromkeys(("ExpireOrdersFunction", "AuditFunction", "MigrateFunction"), "JobsConcurrency"),
    }
    numbers = {name: int(settings_of("prod")[name]) for name in sorted(set(reservations().values()))}
    assert numbers == {
        "ApiConcurrency": 0,
        "DocsConcurrency": 10,
        "JobsConcurrency": 0,
        "OrdersConcurrency": 200,
        "WebhookConcurrency": 50,
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_guide_states_how_many_executions_are_reserved(environment: str) -> None:
    total = sum(int(settings_of(environment)[parameter]) for parameter in reservations().values())
    guide = (ROOT / "docs" / "guides" / "deployment.md").read_text()
    assert total == 0 or f"`{environment}` reserves {total} executions" in guide


def test_the_functions_of_a_small_shop_need_fewer_connections_than_its_database_has() -> None:
    settings = settings_of("small")
    # 2 GiB, and 9,531,392 bytes for each connection. The operating system keeps a fifth.
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
    available = int(2 * 1024**3 * 0.8 / 9_531_392)
    connections = {name: int(settings[parameter]) for name, parameter in reservations().items()}
    # The migrations use a second one.
    connections["MigrateFunction"] += 1
    for without_database in ("DocsFunction", "FallbackFunction"):
        del connections[without_database]
    assert 0 not in connections.values()
    assert connections.keys() == functions().keys() - {"DocsFunction", "FallbackFunction"}
    # While a deployment shifts traffic, the previous release has as many.
    assert 2 * sum(connections.values()) < available
    assert f"Together they are {sum(connections.values())}" in (ROOT / "samconfig.toml").read_text()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_rush_for_one_product_leaves_executions_for_other_orders(environment: str) -> None:
    settings = settings_of(environment)
    if orders := int(settings["OrdersConcurrency"]):
        # The one that is served, and those that wait.
        assert int(settings["QueueSlots"]) + 1 <= (orders + 1) // 2


def test_the_deployment_compares_every_reservation_with_the_accounts_limit() -> None:
    passed = resources("Custom::Preconditions")["Preconditions"]["Reservations"]
    assert sorted(one["Ref"] for one in passed) == sorted(reservations().values())


@pytest.mark.parametrize("environment", ["small", "prod"])
def test_the_runbook_gives_back_the_reservations_of_the_functions_that_it_stops(environment: str) -> None:
    [stopped] = re.findall(r'FUNCTIONS="(.*)"', RUNBOOK)
    settings = settings_of(environment)
    expected = {name: settings[reservations()[name]] for name in stopped.split()}
    [commands] = re.findall(
        rf"For `{environment}`:\n\n   ```console\n((?:(?!```).)*?\$ reserve .*?)```", RUNBOOK, re.DOTALL
    )
    given = dict(re.findall(r"\$ reserve (\w+) (\d+)", commands))
    assert given == {name: number for name, number in expected.items() if number != "0"}
