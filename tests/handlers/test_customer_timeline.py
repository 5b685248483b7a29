"""What a customer sees of an order's timeline: the party that acted, and none of the shop's names and IDs."""

from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, expect, lambda_context, load_function, target
from tests.handlers.refunds import current, dispute, refund_event, requested, set_status
from tests.handlers.tokens import SCOPES, client_with_scopes, customer_client

HIDDEN = ("request_id", "idempotency_key", "payment_event_id", "inbox_id", "refund_id", "action")

STAFF = client_with_scopes(*SCOPES, sub="alice@shop.example")


@pytest.fixture(autouse=True)
def _require_tokens(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api
    monkeypatch.setenv("AUTH", "on")


@pytest.fixture
def order_id() -> str:
    """An order that the customer 7 placed with an idempotency key."""
    product = {"product_id": STAFF.create_product()["id"], "quantity": 1}
    body = {"customer_id": 7, "products": [product]}
    placed = customer_client(7).call("POST", "/api/orders", body, {"idempotency-key": "own-key"})
    return str(expect(201, placed)["id"])


def timeline(client: ApiClient, order_id: str) -> list[dict[str, Any]]:
    return client.items(f"/api/orders/{order_id}/events", page_size=100)


def parties(order_id: str) -> list[tuple[str, str]]:
    return [(event["cause"], event["actor"]) for event in timeline(customer_client(7), order_id)]


def test_a_customer_sees_only_the_party_that_acted(order_id: str) -> None:
    expect(200, STAFF.pay(order_id, event_id="evt_secret"))
    inbox_id = STAFF.items("/api/payment-events")[0]["id"]
    expect(200, STAFF.call("POST", f"/api/payment-events/{inbox_id}/replay"))
    expect(200, STAFF.change_status(order_id, "canceled"))
    assert parties(order_id) == [
        ("placed", "customer"),
        ("payment_event", "payment processor"),
        ("replay", "shop"),
        ("status_change", "shop"),
    ]
    whole = timeline(STAFF, order_id)
    for seen, event in zip(timeline(customer_client(7), order_id), whole, strict=True):
        assert seen == {**event, "actor": seen["actor"], **dict.fromkeys(HIDDEN)}
    hidden = {str(event[name]) for event in whole for name in ("actor", *HIDDEN) if event[name]}
    assert {"alice@shop.example", "customer-7", "own-key", "evt_secret", inbox_id} <= hidden
    shown = customer_client(7).get(f"/api/orders/{order_id}/events").text
    assert [one for one in hidden if one in shown] == []
    assert whole[-1]["action"] in hidden


def test_a_customer_sees_refunds_but_not_what_staff_dismissed(order_id: str) -> None:
    expect(200, STAFF.change_status(order_id, "completed"))
    dismissal = f"/api/reconciliation/completed_and_unpaid/{order_id}/acknowledgement"
    expect(201, STAFF.call("POST", dismissal, {"note": "A cheque from her mother."}))
    expect(200, STAFF.pay(order_id, event_id="evt_1"))
    refund = expect(201, STAFF.call("POST", f"/api/orders/{order_id}/refunds", {"reason": "Only a secret"}))
    events = timeline(customer_client(7), order_id)
    assert [(event["cause"], event["actor"], event["refund_status"]) for event in events] == [
        ("placed", "customer", None),
        ("status_change", "shop", None),
        ("payment_event", "payment processor", None),
        ("refund", "shop", "requested"),
    ]
    shown = customer_client(7).get(f"/api/orders/{order_id}/events").text
    assert [text for text in ("cheque", "secret", refund["id"]) if text in shown] == []


def last_message(order_id: str) -> str:
    """What the customer reads about the last event, which is what staff read, too."""
    message: str = timeline(customer_client(7), order_id)[-1]["message"]
    assert message == timeline(STAFF, order_id)[-1]["message"]
    return message


@pytest.fixture
def paid(order_id: str) -> dict[str, Any]:
    order = current(STAFF, {"id": order_id})
    expect(200, STAFF.pay(order_id, payment_reference=f"pi_{order['number']}"))
    return order


@pytest.mark.parametrize(
    ("statuses", "message"),
    [
        ([], "A refund of 2.00 USD was requested."),
        (["pending"], "A refund of 2.00 USD was claimed. It is executed now."),
        (["canceled"], "A refund of 2.00 USD was canceled. No money went back."),
        (["succeeded"], "A refund of 2.00 USD was set to succeeded. The money went back."),
        (["failed"], "A refund of 2.00 USD was set to failed. The customer did not get the money."),
    ],
)
def test_a_customer_reads_what_the_shop_did_with_a_refund(
    paid: dict[str, Any], statuses: list[str], message: str
) -> None:
    refund = requested(STAFF, paid, amount="2.00")
    for status in statuses:
        expect(200, set_status(STAFF, refund, status))
    assert last_message(paid["id"]) == message


def test_a_customer_reads_that_a_request_was_canceled_because_its_refund_was_made(paid: dict[str, Any]) -> None:
    refund = requested(STAFF, paid, amount="2.00")
    refund_event(STAFF, paid, "pending", "re_1", "1.00")
    refund_event(STAFF, paid, "succeeded", "re_1", "1.00", refund_id=refund["id"])
    assert last_message(paid["id"]) == (
        "The request of a refund of 2.00 USD was canceled, because the refund was already made at the processor."
    )
    [entry] = timeline(customer_client(7), paid["id"])[-1:]
    assert (entry["refund_status"], entry["reason"]) == ("canceled", "made_at_processor")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("pending", "The processor reports a refund of 2.00 USD. The money is not at the customer yet."),
        ("canceled", "A refund of 2.00 USD was canceled at the processor. No money went back."),
        ("succeeded", "A refund of 2.00 USD succeeded. The money went back."),
        ("failed", "A refund of 2.00 USD failed. The customer did not get the money."),
    ],
)
def test_a_customer_reads_what_the_processor_did_with_a_refund(paid: dict[str, Any], status: str, message: str) -> None:
    assert refund_event(STAFF, paid, status, "re_1", "2.00") == "applied"
    assert last_message(paid["id"]) == message


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("opened", "The customer disputes the payment at their bank."),
        ("won", "A dispute ended. The shop keeps the money."),
        ("lost", "A dispute was lost. The money went back to the customer."),
    ],
)
def test_a_customer_reads_what_became_of_a_dispute(paid: dict[str, Any], status: str, message: str) -> None:
    dispute(STAFF, paid, status)
    assert last_message(paid["id"]) == message


def test_an_expiry_was_the_shop(order_id: str, database: Connection) -> None:
    database.run("UPDATE orders SET expires_at = expires_at - interval '2 days'")
    load_function("expire_orders").lambda_handler({}, lambda_context())
    assert parties(order_id)[-1] == ("expiry", "shop")


def test_an_order_that_the_shop_placed_for_a_customer_was_placed_by_the_shop() -> None:
    order = STAFF.order((STAFF.create_product()["id"], 1), customer_id=7)
    assert parties(order["id"]) == [("placed", "shop")]


def test_each_page_hides_what_the_shop_sees(order_id: str) -> None:
    expect(200, STAFF.pay(order_id))
    path = f"/api/orders/{order_id}/events"
    first = expect(200, customer_client(7).get(target(path, page_size=1)))
    second = expect(200, customer_client(7).get(target(path, page_size=1, cursor=first["next_cursor"])))
    assert [one["actor"] for one in first["items"] + second["items"]] == ["customer", "payment processor"]


def test_events_of_earlier_releases_show_the_party_as_far_as_it_is_known(order_id: str, database: Connection) -> None:
    expect(200, STAFF.pay(order_id))
    expect(200, STAFF.change_status(order_id, "canceled"))
    by_staff = STAFF.order((STAFF.create_product()["id"], 1), customer_id=7)["id"]
    # The timeline is append-only, except for its owner without triggers.
    database.run("SET session_replication_role = replica")
    database.run("UPDATE order_events SET party = NULL")
    assert [actor for _, actor in parties(order_id)] == ["customer", "payment processor", "shop"]
    assert [actor for _, actor in parties(by_staff)] == ["shop"]


def test_the_shop_sees_who_acted(order_id: str) -> None:
    expect(200, STAFF.change_status(order_id, "completed"))
    first, second = timeline(STAFF, order_id)
    assert (first["actor"], first["idempotency_key"]) == ("customer-7", "own-key")
    assert (second["actor"], len(second["request_id"])) == ("alice@shop.example", 36)
