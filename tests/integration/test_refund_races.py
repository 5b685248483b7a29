"""Refunds of one order that race with each other, and with everything else that changes the order."""

from collections.abc import Callable
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient, expect
from tests.integration.races import (
    Call,
    change_status,
    expire,
    make_due,
    once,
    pay,
    place,
    refund,
    report_dispute,
    report_refund,
    set_refund,
    two_at_once,
)


class Sale(NamedTuple):
    """An order for three units at 50.00, with a refund of 10.00."""

    order: str
    item: str
    product: str
    reference: str
    refund: str

    def unit(self, units: int = 1) -> dict[str, Any]:
        return {"order_item_id": self.item, "quantity": units, "restock": True}


def pending(api: ApiClient, **payment: Any) -> Sale:
    """A pending order with a payment of 150.00, and a refund that is requested."""
    tea = api.create_product(price="50.00", quantity=3)["id"]
    order = api.order((tea, 3))
    reference = f"pi_{order['number']}"
    expect(200, api.pay(order["id"], payment_reference=reference, event_id=f"evt_{reference}", **payment))
    requested = expect(201, api.call("POST", f"/api/orders/{order['id']}/refunds", {"amount": "10.00"}))
    return Sale(order["id"], order["order_items"][0]["id"], tea, reference, requested["id"])


def due(api: ApiClient, database: Connection) -> Sale:
    """A pending order that expires now. Its payment of 10.00 went back, with a unit for the stock."""
    sale = pending(api, amount="10.00")
    expect(200, api.call("PUT", f"/api/refunds/{sale.refund}/status", {"status": "canceled"}))
    body = {"amount": "10.00", "lines": [sale.unit()]}
    again = expect(201, api.call("POST", f"/api/orders/{sale.order}/refunds", body))
    expect(200, api.call("PUT", f"/api/refunds/{again['id']}/status", {"status": "succeeded"}))
    make_due(database)
    return sale._replace(refund=again["id"])


def refund_event(sale: Sale, status: str, amount: str, reference: str = "re_1") -> Call:
    return report_refund(
        f"evt_{sale.reference}_{reference}_{status}",
        status,
        amount,
        payment_reference=sale.reference,
        object_reference=reference,
    )


OPERATIONS: dict[str, Callable[[Sale], Call]] = {
    "request": lambda sale: refund(sale.order, amount="90.00", lines=[sale.unit(2)]),
    "cancel": lambda sale: change_status(sale.order, "canceled"),
    "cancel with refund": lambda sale: change_status(sale.order, "canceled", refund=True),
    "complete": lambda sale: change_status(sale.order, "completed"),
    "second payment": lambda sale: pay(
        sale.order, "paid", f"evt_{sale.reference}_2", payment_reference=f"{sale.reference}_2"
    ),
    "refund at the processor": lambda sale: refund_event(sale, "succeeded", "100.00", "re_dashboard"),
    "event of the refund": lambda sale: refund_event(sale, "succeeded", "10.00"),
    "failure": lambda sale: refund_event(sale, "failed", "10.00"),
    "dispute": lambda sale: report_dispute(f"evt_{sale.reference}_dp", "open", payment_reference=sale.reference),
    "claim": lambda sale: set_refund(sale.refund, "pending"),
    "withdraw": lambda sale: set_refund(sale.refund, "canceled"),
    "succeed": lambda sale: set_refund(sale.refund, "succeeded", processor_reference="re_1"),
    "fail": lambda sale: set_refund(sale.refund, "failed"),
    "expire": lambda _: expire(),
}


def state(database: Connection, sale: Sale) -> list[Any]:
    """What the order, its refunds, its timeline and the stock show, without IDs and times."""
    return [
        *database.run(
            "SELECT status::text, payment_status::text, paid_amount, refunded_amount, refund_status::text,"
            " held_since IS NOT NULL FROM orders WHERE id = :id",
            id=sale.order,
        ),
        *database.run("SELECT quantity FROM products WHERE id = :id", id=sale.product),
        database.run(
            "SELECT amount, status::text, processor_reference FROM refunds WHERE order_id = :id ORDER BY 1, 2, 3",
            id=sale.order,
        ),
        database.run(
            "SELECT cause::text, refund_status::text, outcome::text, reason FROM order_events WHERE order_id = :id"
            " ORDER BY order_events.id",
            id=sale.order,
        ),
    ]


def check_race(database: Connection, database_url: str, new_sale: Callable[[], Sale], first: str, second: str) -> None:
    """Let the second operation start before the first one is committed. It must end as if it had started later."""
    raced = new_sale()
    outcomes = two_at_once(database_url, OPERATIONS[first](raced), OPERATIONS[second](raced), waits=None)
    if second == "expire":
        # The first run skips the order, because it is locked.
        expire().run(database)
    alone = new_sale()
    assert outcomes == tuple(OPERATIONS[name](alone).run(database) for name in (first, second)), (first, second)
    assert state(database, raced) == state(database, alone), (first, second)
    assert violations(database) == [], (first, second)


@pytest.mark.parametrize("first", OPERATIONS)
def test_two_changes_of_an_order_take_effect_one_after_the_other(
    api: ApiClient, database: Connection, database_url: str, first: str
) -> None:
    for second in OPERATIONS:
        check_race(database, database_url, lambda: pending(api), first, second)


@pytest.mark.parametrize("other", OPERATIONS)
def test_a_change_of_an_order_that_expires_takes_effect_before_or_after_it(
    api: ApiClient, database: Connection, database_url: str, other: str
) -> None:
    for first, second in ((other, "expire"), ("expire", other)):
        check_race(database, database_url, lambda: due(api, database), first, second)


@pytest.fixture
def sale(api: ApiClient) -> Sale:
    return pending(api)


def amounts(database: Connection, sale: Sale) -> list[Decimal]:
    """The amounts of the refunds, except the first one."""
    rows = database.run(
        "SELECT amount FROM refunds WHERE order_id = :order AND id <> :id ORDER BY amount",
        order=sale.order,
        id=sale.refund,
    )
    return [amount for [amount] in rows or []]


def test_of_two_requests_for_too_much_only_the_first_one_gets_a_refund(
    database: Connection, database_url: str, sale: Sale
) -> None:
    requests = refund(sale.order, amount="80.00"), refund(sale.order, amount="80.00")
    assert two_at_once(database_url, *requests) == ("created", "refund_too_large")
    assert (amounts(database, sale), violations(database)) == ([Decimal(80)], [])


def test_of_two_requests_with_the_same_etag_only_the_first_one_gets_a_refund(
    api: ApiClient, database: Connection, database_url: str, sale: Sale
) -> None:
    seen = [api.get(f"/api/orders/{sale.order}").headers["etag"].strip('"')]
    request = refund(sale.order, amount="10.00", if_match=seen)
    assert two_at_once(database_url, request, request) == ("created", "stale")
    assert amounts(database, sale) == [Decimal(10)]


@pytest.mark.parametrize(("amount", "second"), [("70.00", "created"), ("70.01", "refund_too_large")])
def test_two_keys_get_two_refunds_as_far_as_the_money_allows(
    database: Connection, database_url: str, sale: Sale, amount: str, second: str
) -> None:
    request = refund(sale.order, amount=amount)
    assert two_at_once(database_url, once(request, "a"), once(request, "b")) == ("created", second)
    assert violations(database) == []


def test_the_same_key_twice_gets_one_refund(database: Connection, database_url: str, sale: Sale) -> None:
    request = once(refund(sale.order, amount="10.00", lines=[sale.unit()]), "k")
    assert two_at_once(database_url, request, request) == ("created", "replayed")
    assert (amounts(database, sale), violations(database)) == ([Decimal(10)], [])


def test_two_claims_give_the_refund_to_one_caller(database_url: str, sale: Sale) -> None:
    claim = set_refund(sale.refund, "pending")
    assert two_at_once(database_url, claim, claim) == ("changed", "invalid_transition")


def test_a_refund_that_is_withdrawn_cannot_be_claimed(database_url: str, sale: Sale) -> None:
    operations = set_refund(sale.refund, "canceled"), set_refund(sale.refund, "pending")
    assert two_at_once(database_url, *operations) == ("changed", "invalid_transition")


def test_a_dispute_that_arrives_first_stops_the_claim(database_url: str, sale: Sale) -> None:
    operations = OPERATIONS["dispute"](sale), set_refund(sale.refund, "pending")
    assert two_at_once(database_url, *operations) == ("applied", "payment_disputed")


@pytest.mark.parametrize(("order", "outcomes"), [((0, 1), ("changed", "duplicate")), ((1, 0), ("applied", "changed"))])
def test_the_executor_and_the_event_report_one_refund(
    database: Connection, database_url: str, sale: Sale, order: tuple[int, int], outcomes: tuple[str, str]
) -> None:
    reports = OPERATIONS["succeed"](sale), OPERATIONS["event of the refund"](sale)
    assert two_at_once(database_url, *(reports[n] for n in order)) == outcomes
    assert database.run("SELECT status::text, processor_reference FROM refunds") == [["succeeded", "re_1"]]
    assert violations(database) == []


def test_units_return_once_when_two_requests_return_the_last_ones(
    api: ApiClient, database: Connection, database_url: str, sale: Sale
) -> None:
    request = refund(sale.order, amount="1.00", lines=[sale.unit(2)])
    assert two_at_once(database_url, request, request) == ("created", "too_many_units")
    assert (api.stock(sale.product), violations(database)) == (2, [])


@pytest.mark.parametrize("order", [*product((0, 1), (2, 3, 4))])
def test_changes_of_the_same_products_wait_for_each_other(
    api: ApiClient, database: Connection, database_url: str, order: tuple[int, int]
) -> None:
    teas = sorted(api.create_product(price="10.00", quantity=10)["id"] for _ in range(2))
    orders = [api.order(*((tea, 2) for tea in sorted(teas, reverse=turn > 0))) for turn in range(3)]
    for placed in orders:
        expect(200, api.pay(placed["id"]))
    returns = [
        refund(
            placed["id"],
            lines=[{"order_item_id": item["id"], "quantity": 1, "restock": True} for item in placed["order_items"]],
        )
        for placed in orders
    ]
    calls = [*returns, change_status(orders[2]["id"], "canceled"), place(*((tea, 1) for tea in reversed(teas)))]
    first, second = (calls[n] for n in order)
    assert set(two_at_once(database_url, first, second)) <= {"created", "changed", "placed"}
    assert violations(database) == []
