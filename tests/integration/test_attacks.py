"""Who attacks the shop takes no more than the documented bounds, and a calm shop goes on."""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests import sizes
from tests.api_client import ENVIRONMENT
from tests.integration import attacks
from tests.integration.attacks import attack, calm_shop
from tests.integration.large_catalog import fill_catalog, product_id
from tests.integration.load_clients import all_at_once
from tests.integration.races import ACTOR, place
from tests.sizes import ATTACK_SECONDS

PRODUCTS = 300_000 if sizes.search == "long" else 20_000
ROUNDS = 10 * ATTACK_SECONDS.chosen
"""Of the calm shop, which does ten each second."""

CUSTOMERS = [2, 3]
UNITS, ORDERS = int(ENVIRONMENT["CUSTOMER_UNITS_LIMIT"]), int(ENVIRONMENT["CUSTOMER_ORDERS_LIMIT"])

HELD = """
SELECT count(DISTINCT o.id), sum(item.quantity) FROM orders o JOIN order_items item ON item.order_id = o.id
 WHERE o.customer_id = :customer_id AND o.status = 'pending' AND o.payment_status <> 'paid'"""

Calm = Callable[[], list[float]]
Attack = Callable[[], Counter[str]]


@pytest.fixture
def unpaid_order_id(database: Connection) -> str:
    """An order that is not paid, in a shop with many products."""
    database.run("SET statement_timeout = 0")
    fill_catalog(database, PRODUCTS)
    database.run("UPDATE products SET quantity = 1000000 WHERE id = CAST(:id AS uuid)", id=product_id(PRODUCTS))
    database.run(
        "INSERT INTO stock_movements (product_id, kind, delta, quantity, actor, request_id)"
        " SELECT id, 'opening', quantity, quantity, 'test', 'test' FROM products"
    )
    request = json.dumps({**place((product_id(PRODUCTS), 1)).request, **ACTOR})
    [[placed]] = database.run("SELECT body FROM place_order(CAST(:request AS jsonb))", request=request)
    return str(json.loads(placed)["id"])


def attack_by(calls: Callable[..., Any], *arguments: Any, per_second: int) -> Attack:
    return partial(attack, partial(calls, *arguments), ROUNDS, per_second)


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.not_behind_a_pooler("one run is enough")
def test_attackers_take_only_what_the_bounds_allow(
    database_url: str, database: Connection, unpaid_order_id: str
) -> None:
    [usual] = all_at_once(database_url, [partial(calm_shop, PRODUCTS, ROUNDS)])
    works: dict[str, Calm | Attack] = {
        "calm shop": partial(calm_shop, PRODUCTS, ROUNDS),
        **{f"customer {id_}": attack_by(attacks.reserve, id_, per_second=10) for id_ in CUSTOMERS},
        "misspelled claim": attack_by(attacks.act_with_a_misspelled_claim, per_second=10),
        "forged events": attack_by(attacks.forge, per_second=100),
        "a captured event": attack_by(attacks.repeat, unpaid_order_id, per_second=20),
        "events of no interest": attack_by(attacks.report_what_nobody_needs, per_second=5),
        "documentation": attack_by(attacks.read_the_documentation, per_second=20),
        "searches": attack_by(attacks.search, per_second=5),
        "long names": attack_by(attacks.send_long_names, per_second=5),
        "unknown paths": attack_by(attacks.try_unknown_paths, per_second=20),
    }
    results: dict[str, Any] = dict(zip(works, all_at_once(database_url, list(works.values())), strict=True))
    meanwhile = results.pop("calm shop")
    print(f"p99 of the calm shop: {p99(usual):.4f} s alone, {p99(meanwhile):.4f} s during the attacks")  # noqa: T201
    print(*(f"{name}: {dict(got)}" for name, got in results.items()), sep="\n")  # noqa: T201

    for customer_id in CUSTOMERS:
        [[orders, units]] = database.run(HELD, customer_id=customer_id)
        assert (orders <= ORDERS, units <= UNITS) == (True, True)
        refusals = {"order-limit: order_lines", "order-limit: order_units", "customer-limit: customer_units"}
        assert results[f"customer {customer_id}"].keys() == {"201", *refusals}
    assert results["misspelled claim"].keys() == {"forbidden"}
    assert results["forged events"].keys() == {"unauthenticated"}
    assert results["documentation"].keys() == {"200"}
    assert results["searches"].keys() == {"200", "page-too-deep"}
    assert results["long names"].keys() == {"invalid-request"}
    assert results["unknown paths"].keys() == {"route-not-found"}
    # A captured event takes effect once, and stays in the timeline only for its first deliveries.
    assert results["a captured event"].keys() == {"applied", "duplicate"}
    seen = "SELECT count(*) FROM order_events WHERE cause = 'payment_event' AND order_id = CAST(:id AS uuid)"
    assert database.run(seen, id=unpaid_order_id) == [[20]]
    largest = "SELECT max(length(body)) FROM payment_events WHERE outcome = 'ignored' AND provider = 'stripe'"
    assert database.run(largest) == [[4096]]
    assert violations(database) == []
    if sizes.search == "long":
        assert p99(meanwhile) <= 3 * p99(usual)
