"""The inbox of payment events: each event with its outcome and reason."""

import json
from typing import Any

import pytest

from tests.api_client import ApiClient, expect, target
from tests.handlers.conftest import new_order
from tests.handlers.inbox import EVENTS, RECONCILIATION, last_timeline_event, only_event


def test_the_inbox_shows_the_content_and_the_outcome_of_an_event(api: ApiClient, order: dict[str, Any]) -> None:
    fields = {"event_id": "evt_1", "amount": "4.50", "currency": "usd", "occurred_at": "2026-01-31T12:00:00Z"}
    expect(200, api.pay(order["id"], **fields))
    event = only_event(api)
    for timestamp in ("received_at", "last_attempt_at"):
        assert event.pop(timestamp).endswith("Z")
    assert len(event.pop("id")) == 36
    assert event == {
        "event_id": "evt_1",
        "scheme": "x_signature",
        "provider": "storefront",
        "type": None,
        "order_id": order["id"],
        "payment_status": "paid",
        "amount": "4.50",
        "currency": "USD",
        "occurred_at": "2026-01-31T12:00:00.000000Z",
        "livemode": None,
        "account": None,
        "payment_reference": None,
        "object_reference": None,
        "refund_id": None,
        "refund_status": None,
        "dispute_status": None,
        "outcome": "applied",
        "reason": None,
        "message": "The payment was recorded.",
        "action": None,
        "error": None,
        "attempts": 1,
    }


def test_the_inbox_counts_the_attempts_and_keeps_the_first_outcome(api: ApiClient, order: dict[str, Any]) -> None:
    for _ in range(3):
        expect(200, api.pay(order["id"], event_id="evt_1"))
    event = only_event(api)
    assert (event["outcome"], event["reason"], event["attempts"]) == ("applied", None, 3)
    assert event["last_attempt_at"] > event["received_at"]


@pytest.mark.parametrize(
    ("before", "sent", "outcome", "reason"),
    [
        ([], {"payment_status": "paid"}, "applied", None),
        (["paid"], {"payment_status": "paid"}, "needs_refund", "paid_twice"),
        (["paid"], {"payment_status": "failed"}, "ignored", "order_paid"),
        (["canceled"], {"payment_status": "failed"}, "ignored", "order_not_pending"),
        (["completed"], {"payment_status": "failed"}, "ignored", "order_not_pending"),
        (["failed", "canceled"], {"payment_status": "failed"}, "duplicate", "same_status"),
        (["failed", "completed"], {"payment_status": "failed"}, "duplicate", "same_status"),
        (["canceled"], {"payment_status": "paid"}, "needs_refund", "order_canceled"),
        # The money arrived, so it needs a refund even though the amount differs.
        (["canceled"], {"payment_status": "paid", "amount": "1"}, "needs_refund", "order_canceled"),
        (["paid", "canceled"], {"payment_status": "paid"}, "needs_refund", "paid_twice"),
        (["failed", "canceled"], {"payment_status": "paid"}, "needs_refund", "order_canceled"),
        ([], {"payment_status": "paid", "amount": "1"}, "needs_review", "amount_differs"),
        ([], {"payment_status": "paid", "amount": "1", "currency": "EUR"}, "needs_review", "amount_differs"),
        ([], {"payment_status": "paid", "currency": "EUR"}, "needs_review", "currency_differs"),
        # It is a payment of its own, whatever its amount.
        (["paid"], {"payment_status": "paid", "amount": "1"}, "needs_refund", "paid_twice"),
        (["paid"], {"payment_status": "failed", "amount": "1"}, "ignored", "order_paid"),
        (["completed"], {"payment_status": "paid"}, "needs_review", "order_completed"),
        (["failed", "completed"], {"payment_status": "paid"}, "needs_review", "order_completed"),
        (["paid", "completed"], {"payment_status": "paid"}, "needs_refund", "paid_twice"),
    ],
)
def test_inbox_and_timeline_show_the_outcome_and_its_reason(
    api: ApiClient, order: dict[str, Any], *, before: list[str], sent: dict[str, str], outcome: str, reason: str | None
) -> None:
    for n, step in enumerate(before):
        is_payment = step in ("paid", "failed")
        response = (
            api.pay(order["id"], step, event_id=f"before-{n}") if is_payment else api.change_status(order["id"], step)
        )
        expect(200, response)
    expect(200, api.deliver({"order_id": order["id"], "event_id": "evt_1", **sent}))
    event, entry = only_event(api, event_id="evt_1"), last_timeline_event(api, order)
    assert (event["outcome"], event["reason"]) == (outcome, reason)
    assert event["message"].endswith(".")
    assert (event["action"] is not None) == (outcome in ("needs_refund", "needs_review"))
    assert (entry["outcome"], entry["reason"], entry["inbox_id"]) == (outcome, reason, event["id"])
    assert (entry["cause"], entry["received_payment_status"]) == ("payment_event", sent["payment_status"])


def test_a_timeline_shows_each_delivery(api: ApiClient, order: dict[str, Any]) -> None:
    for amount in ("4.50", "4.50", "1.00"):
        expect(200, api.pay(order["id"], event_id="evt_1", amount=amount))
    entries = api.items(f"/api/orders/{order['id']}/events")[1:]
    assert [(entry["outcome"], entry["reason"]) for entry in entries] == [
        ("applied", None),
        ("duplicate", "same_event"),
        ("needs_review", "other_content"),
    ]


def test_an_event_id_with_other_content_is_a_new_inbox_entry(api: ApiClient, order: dict[str, Any]) -> None:
    for amount in ("4.50", "1.00", "2.00", "1.00", "4.50"):
        expect(200, api.pay(order["id"], event_id="evt_1", amount=amount))
    found = [(event["amount"], event["outcome"], event["attempts"]) for event in api.items(EVENTS, event_id="evt_1")]
    assert found == [("2.00", "needs_review", 1), ("1.00", "needs_review", 2), ("4.50", "applied", 2)]


def test_an_ignored_event_is_kept_with_its_reason(api: ApiClient) -> None:
    expect(200, api.deliver({"type": "user.created"}, "standard_webhooks", "msg_1"))
    event = only_event(api)
    assert (event["type"], event["outcome"], event["reason"]) == ("user.created", "ignored", "type_not_ours")
    assert (event["provider"], event["order_id"], event["payment_status"]) == ("standard_webhooks", None, None)


def test_the_inbox_can_be_filtered_by_outcome_order_and_event(api: ApiClient, order: dict[str, Any]) -> None:
    other = new_order(api)
    for event_id, order_id in (("a", order["id"]), ("b", order["id"]), ("c", other["id"])):
        expect(200, api.pay(order_id, event_id=event_id))
    ids = {
        name: [event["event_id"] for event in api.items(EVENTS, **parameters)]
        for name, parameters in {
            "all": {},
            "order": {"order_id": order["id"].upper()},
            "applied": {"outcome": "applied"},
            "both": {"outcome": "needs_refund", "order_id": order["id"]},
            "event": {"event_id": "b"},
            "none": {"outcome": "needs_review"},
        }.items()
    }
    assert ids == {"all": [*"cba"], "order": [*"ba"], "applied": [*"ca"], "both": ["b"], "event": ["b"], "none": []}


@pytest.mark.parametrize(
    "parameters",
    [
        {"outcome": "lost"},
        {"outcome": ""},
        {"order_id": "7"},
        {"event_id": ""},
        {"event_id": "\0"},
        {"event_id": "e" * 256},
        {"kind": "x"},
    ],
)
def test_an_invalid_inbox_parameter_is_named(api: ApiClient, parameters: dict[str, str]) -> None:
    response = api.get(target(EVENTS, **parameters))
    assert response.problem() == (422, "invalid-request")
    assert [error["parameter"] for error in response.json["errors"]] == [*parameters]


@pytest.mark.parametrize("path", [EVENTS, RECONCILIATION])
def test_pages_of_inbox_and_reconciliation_neither_repeat_nor_miss_a_row(api: ApiClient, path: str) -> None:
    for n in range(5):
        expect(200, api.pay(new_order(api)["id"], event_id=f"evt_{n}", amount="1"))
    whole = expect(200, api.get(path))
    assert (whole["total"], len(whole["items"])) == (5, 5)
    page = expect(200, api.get(target(path, page_size=2)))
    found = page["items"]
    while page["next_cursor"]:
        page = expect(200, api.get(target(path, page_size=2, cursor=page["next_cursor"])))
        found += page["items"]
    assert found == whole["items"]
    assert api.items(path, page_size=2, page=3) == whole["items"][4:]


def test_a_cursor_of_another_list_returns_400(api: ApiClient) -> None:
    for n in range(2):
        expect(200, api.pay(new_order(api)["id"], event_id=f"evt_{n}", amount="1"))
    cursor = expect(200, api.get(target(EVENTS, page_size=1)))["next_cursor"]
    assert api.get(target(RECONCILIATION, cursor=cursor)).problem() == (400, "bad-cursor")
    assert api.get(target(EVENTS, outcome="needs_review", cursor=cursor)).problem() == (400, "bad-cursor")


def test_no_list_contains_other_fields_of_an_event(api: ApiClient, order: dict[str, Any]) -> None:
    body = {"order_id": order["id"], "payment_status": "paid", "amount": "1", "email": "jenny@example.com"}
    expect(200, api.deliver(json.dumps(body).encode()))
    for path in (EVENTS, RECONCILIATION, f"/api/orders/{order['id']}/events"):
        assert "jenny" not in api.get(path).text
