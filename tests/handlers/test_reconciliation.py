"""The reconciliation lists money without goods, and goods without money."""

from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, expect, target
from tests.handlers.conftest import new_order
from tests.handlers.inbox import RECONCILIATION


def entries(api: ApiClient, **parameters: Any) -> list[tuple[str, str | None, str | None]]:
    """The kind, the order's ID and the payment event's ID of each entry."""
    found = api.items(RECONCILIATION, **parameters)
    for one in found:
        assert one["message"].endswith("."), "an entry says what happened"
        assert one["action"].endswith("."), "an entry says what to do"
    return [
        (one["kind"], (one["order"] or {}).get("id"), (one["payment_event"] or {}).get("event_id")) for one in found
    ]


@pytest.mark.parametrize(
    "parameters", [{"kind": "lost"}, {"pending_minutes": "-1"}, {"pending_minutes": "1.5"}, {"outcome": "applied"}]
)
def test_an_invalid_reconciliation_parameter_returns_422(api: ApiClient, parameters: dict[str, str]) -> None:
    assert api.get(target(RECONCILIATION, **parameters)).problem() == (422, "invalid-request")


def test_the_reconciliation_is_empty_if_payments_and_orders_match(api: ApiClient) -> None:
    for status in ("completed", "canceled"):
        order = new_order(api)
        if status == "completed":
            expect(200, api.pay(order["id"]))
        expect(200, api.change_status(order["id"], status))
    new_order(api)
    assert entries(api) == []


def test_it_lists_a_paid_order_that_was_canceled(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"]))
    expect(200, api.change_status(order["id"], "canceled"))
    assert entries(api) == [("paid_and_canceled", order["id"], None)]


def test_it_lists_a_payment_for_a_canceled_order(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.change_status(order["id"], "canceled"))
    expect(200, api.pay(order["id"], event_id="evt_1"))
    assert entries(api) == [("paid_and_canceled", order["id"], "evt_1")]


@pytest.mark.parametrize("payment_status", ["unpaid", "failed"])
def test_it_lists_a_completed_order_that_was_not_paid(
    api: ApiClient, order: dict[str, Any], payment_status: str
) -> None:
    if payment_status == "failed":
        expect(200, api.pay(order["id"], "failed"))
    expect(200, api.change_status(order["id"], "completed"))
    [one] = api.items(RECONCILIATION)
    assert one == {
        "kind": "completed_and_unpaid",
        "id": order["id"],
        "since": one["order"]["created_at"],
        "message": "The order was completed without payment.",
        "action": "If the customer paid in another way, such as in cash, acknowledge this entry. Otherwise, ask for the"
        " money.",
        "order": {
            "id": order["id"],
            "number": order["number"],
            "customer_id": 1,
            "status": "completed",
            "payment_status": payment_status,
            "total_price": "4.50",
            "currency": "USD",
            "paid_amount": "0.00",
            "refunded_amount": "0.00",
            "refund_status": "none",
            "created_at": order["created_at"],
        },
        "payment_event": None,
        "payment": None,
        "refund": None,
        "acknowledgement": None,
    }


def test_it_lists_each_event_that_needs_review_by_its_reason(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], event_id="short", amount="1"))
    expect(200, api.pay(order["id"], event_id="foreign", currency="EUR"))
    expect(200, api.pay(order["id"], event_id="short", amount="2"))
    expect(200, api.change_status(order["id"], "completed"))
    expect(200, api.pay(order["id"], event_id="late"))
    assert entries(api) == [
        ("amount_mismatch", order["id"], "short"),
        ("amount_mismatch", order["id"], "foreign"),
        ("conflicting_event", order["id"], "short"),
        ("paid_after_completion", order["id"], "late"),
    ]


def test_it_lists_an_event_for_an_unknown_order_until_the_processor_corrects_it(
    api: ApiClient, order: dict[str, Any]
) -> None:
    api.pay(UNKNOWN, event_id="evt_1")
    assert entries(api) == [("event_without_order", None, "evt_1")]
    assert api.items(RECONCILIATION)[0]["payment_event"]["order_id"] == UNKNOWN
    expect(200, api.pay(order["id"], event_id="evt_1"))
    assert entries(api) == []


def test_it_lists_a_paid_order_that_is_pending_for_too_long(
    api: ApiClient, order: dict[str, Any], database: Connection
) -> None:
    expect(200, api.pay(order["id"]))
    database.run("UPDATE orders SET created_at = created_at - interval '61 minutes'")
    assert entries(api) == []
    assert entries(api, pending_minutes=62) == []
    assert entries(api, pending_minutes=61) == [("pending_too_long", order["id"], None)]
    database.run("UPDATE orders SET created_at = created_at - interval '1 day'")
    assert entries(api) == [("pending_too_long", order["id"], None)]


def test_a_completed_order_refers_to_the_payment_that_needs_review(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], amount="1"))
    expect(200, api.change_status(order["id"], "completed"))
    actions = {one["kind"]: one["action"] for one in api.items(RECONCILIATION)}
    assert actions == {
        "completed_and_unpaid": "A payment for it needs review. Follow the entry of that payment. If you accept what"
        " was paid, acknowledge this entry, too.",
        "amount_mismatch": "Ask the customer for the rest, or refund what is too much. If you accept the amount,"
        " acknowledge this entry.",
    }


def test_a_completed_order_says_how_much_of_it_was_paid(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], amount="1"))
    expect(200, api.change_status(order["id"], "completed"))
    messages = {one["kind"]: one["message"] for one in api.items(RECONCILIATION)}
    assert messages == {
        "completed_and_unpaid": "The order was completed without its full payment. 1.00 of 4.50 USD were paid.",
        "amount_mismatch": "A payment of 1.00 USD was reported, but the total of the order is 4.50 USD.",
    }


@pytest.mark.parametrize("type_", ["refund.succeeded", "refund.done", "dispute.opened", "dispute.closed"])
def test_an_unreadable_event_says_that_it_may_report_a_refund_or_a_dispute(api: ApiClient, type_: str) -> None:
    response = api.deliver({"type": type_, "event_id": "evt_1"})
    assert response.problem() == (422, "invalid-request")
    [entry] = api.items(RECONCILIATION)
    assert (entry["kind"], entry["payment_event"]["type"]) == ("unreadable_event", type_)
    assert entry["message"].startswith("The event may report a refund or a dispute, but it cannot be read.")
    assert entry["action"] == (
        "Look up the refund or the dispute at the processor. If there is none, acknowledge this entry. Otherwise, have"
        " the program that sent the event corrected, and the event sent again."
    )
    assert str(entry["payment_event"]["action"]).count("acknowledge the entry of the reconciliation") == 1


@pytest.mark.parametrize(
    ("is_paid", "message", "action"),
    [
        (True, "The order is paid, but it is still pending.", "Ship the goods, and complete the order."),
        (False, "The order is still not paid.", "Ask the customer for the payment, or cancel the order."),
    ],
)
def test_a_pending_order_is_listed_with_what_it_waits_for(
    api: ApiClient, order: dict[str, Any], *, is_paid: bool, message: str, action: str
) -> None:
    if is_paid:
        expect(200, api.pay(order["id"]))
    [one] = api.items(RECONCILIATION, pending_minutes=0)
    assert (one["message"], one["action"]) == (message, action)


def test_it_can_be_filtered_by_kind(api: ApiClient) -> None:
    canceled, completed = new_order(api), new_order(api)
    expect(200, api.change_status(canceled["id"], "canceled"))
    expect(200, api.pay(canceled["id"], event_id="evt_1"))
    expect(200, api.change_status(completed["id"], "completed"))
    assert entries(api, kind="paid_and_canceled") == [("paid_and_canceled", canceled["id"], "evt_1")]
    assert entries(api, kind="completed_and_unpaid") == [("completed_and_unpaid", completed["id"], None)]
    assert entries(api, kind="conflicting_event") == []
    assert len(entries(api)) == 2


def test_the_oldest_entry_comes_first(api: ApiClient) -> None:
    orders = [new_order(api) for _ in range(3)]
    for order in reversed(orders):
        expect(200, api.change_status(order["id"], "completed"))
    assert [id_ for _, id_, _ in entries(api)] == [order["id"] for order in orders]
