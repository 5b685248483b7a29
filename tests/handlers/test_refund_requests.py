"""Requests for refunds: what they create, who may send them, and what is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.inbox import timeline
from tests.handlers.refunds import ask, current, etag, money, paid_order, payments, refunds, requested, set_status
from tests.handlers.tokens import SCOPES, client_with_scopes, customer_client


def test_a_refund_without_an_amount_is_of_everything_that_was_paid(api: ApiClient) -> None:
    order = paid_order(api)
    response = ask(api, order, {"reason": "A cup was broken."})
    refund = expect(201, response)
    [payment] = payments(api, order)
    assert refund == {
        **{name: refund[name] for name in ("id", "requested_at")},
        "order_id": order["id"],
        "payment_id": payment["id"],
        "payment_reference": payment["reference"],
        "amount": "100.00",
        "currency": "USD",
        "status": "requested",
        "lines": [],
        "reason": "A cup was broken.",
        "processor_reference": None,
        "requested_by": "anonymous",
        "updated_at": refund["updated_at"],
    }
    assert response.headers["cache-control"] == "no-store"
    assert refunds(api, order) == api.items("/api/refunds") == [refund]
    assert money(api, order) == ("100.00", "0.00", "pending")


def test_a_request_is_an_entry_of_the_timeline_without_its_reason(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order, reason="Ada was sad.")
    entry = timeline(api, order["id"])[-1]
    assert (entry["cause"], entry["refund_id"], entry["refund_status"]) == ("refund", refund["id"], "requested")
    assert entry["message"] == "A refund of 100.00 USD was requested."
    assert entry["from"] == entry["to"] == {"status": "pending", "payment_status": "paid"}
    assert "Ada" not in json.dumps(entry)


ONE = {"order_item_id": UNKNOWN, "quantity": 1, "restock": True}
MALFORMED_IN_LINE: dict[str, list[Any]] = {
    "quantity": [0, -1, 1.5, "1", True, None, 2147483648, 10**30],
    "restock": [None, 1, "true", []],
    "order_item_id": [None, 1, "x", "", f"{UNKNOWN}\n", f"{{{UNKNOWN}}}"],
    "price": ["1.00"],
}
MALFORMED: dict[str, list[Any]] = {
    "lines": [
        *([], {}, "x", 1, [1], [None], [[]], [ONE] * 201),
        *([{**ONE, name: value}] for name, values in MALFORMED_IN_LINE.items() for value in values),
        *([{name: value for name, value in ONE.items() if name != missing}] for missing in ONE),
    ],
    "payment_id": [1, "x", "", [], f"{UNKNOWN}\0"],
    "reason": ["", " ", "a\0b", "x" * 1001, 1, [], {}],
    **{name: ["x"] for name in ("status", "currency", "id", "order_id", "processor_reference", "refund")},
}


@pytest.mark.parametrize(
    "body", [*({name: value} for name, values in MALFORMED.items() for value in values), [], "x", 1, True]
)
def test_a_malformed_request_is_refused_and_changes_nothing(api: ApiClient, body: Any) -> None:
    order = paid_order(api)
    before = etag(api, order)
    assert ask(api, order, body).problem() == (422, "invalid-request")
    assert (refunds(api, order), etag(api, order)) == ([], before)


@pytest.mark.parametrize("body", [b"", b"{", b'{"amount": "5"', b"\xff", b'{"reason": "\xed\xa0\x80"}', b"null"])
def test_a_body_that_is_not_json_is_refused(api: ApiClient, body: bytes) -> None:
    assert ask(api, paid_order(api), body).status in (400, 422)


def test_optional_fields_can_be_null(api: ApiClient) -> None:
    body = dict.fromkeys(("amount", "lines", "reason", "payment_id"))
    assert requested(api, paid_order(api), **body)["amount"] == "100.00"


def test_a_refund_of_an_unknown_order_is_not_found(api: ApiClient) -> None:
    assert ask(api, {"id": UNKNOWN}).problem() == (404, "order-not-found")
    assert ask(api, {"id": UNKNOWN}, None, **{"idempotency-key": "k"}).problem() == (404, "order-not-found")
    assert ask(api, {"id": "1"}).problem() == (422, "invalid-request")


def test_customers_neither_see_nor_request_refunds(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    order = paid_order(api, customer_id=7)
    refund = requested(api, order)
    monkeypatch.setenv("AUTH", "on")
    for client in (customer_client(7), client_with_scopes(*SCOPES, customer_id="7")):
        for method, path, body in (
            ("POST", f"/api/orders/{order['id']}/refunds", {}),
            ("GET", f"/api/orders/{order['id']}/refunds", None),
            ("GET", f"/api/orders/{order['id']}/payments", None),
            ("GET", "/api/refunds", None),
            ("PUT", f"/api/refunds/{refund['id']}/status", {"status": "pending"}),
            ("PUT", f"/api/orders/{order['id']}/status", {"status": "canceled", "refund": True}),
        ):
            assert client.call(method, path, body).problem() == (403, "forbidden")


def test_the_refund_names_who_requested_it(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    order = paid_order(api)
    monkeypatch.setenv("AUTH", "on")
    assert requested(client_with_scopes("orders:manage", sub="ada"), order)["requested_by"] == "ada"


@pytest.mark.usefixtures("expect_no_violations")
def test_refunds_in_every_state_of_an_order_leave_its_status_alone(api: ApiClient) -> None:
    for status in ("pending", "completed", "canceled"):
        order = paid_order(api)
        if status != "pending":
            expect(200, api.change_status(order["id"], status))
        expect(200, set_status(api, requested(api, order), "succeeded"))
        after = current(api, order)
        assert (after["status"], after["payment_status"], after["refund_status"]) == (status, "paid", "full")
        assert Decimal(after["refunded_amount"]) == Decimal(after["paid_amount"]) == 100
