"""Requests for refunds: the amount, the limits, and what protects from refunding twice."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import UNKNOWN, ApiClient, expect, target
from tests.handlers.inbox import timeline
from tests.handlers.lists import follow_cursors
from tests.handlers.refunds import (
    ask,
    cancel,
    current,
    dispute,
    etag,
    line,
    money,
    paid_order,
    pay_again,
    payments,
    refund_event,
    refunds,
    requested,
    set_status,
)
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


@pytest.mark.usefixtures("expect_no_violations")
def test_three_partial_refunds_add_up_to_the_whole_payment(api: ApiClient) -> None:
    order = paid_order(api)
    states = [money(api, order)]
    for amount in ("33.33", "33.33", "33.34"):
        refund = requested(api, order, amount=amount)
        states.append(money(api, order))
        expect(200, set_status(api, refund, "succeeded"))
        states.append(money(api, order))
    assert [state[1:] for state in states] == [
        ("0.00", "none"),
        ("0.00", "pending"),
        ("33.33", "partial"),
        ("33.33", "pending"),
        ("66.66", "partial"),
        ("66.66", "pending"),
        ("100.00", "full"),
    ]
    assert ask(api, order, {"amount": "0.01"}).problem() == (422, "refund-too-large")


def test_a_refund_is_at_most_what_is_left(api: ApiClient) -> None:
    order = paid_order(api)
    requested(api, order, amount="60.00")
    response = ask(api, order, {"amount": "40.01"})
    assert response.problem() == (422, "refund-too-large")
    assert response.json["amount_left"] == "40.00"
    assert response.json["detail"] == "The refund would be 40.01, but only 40.00 is left of the payment."
    assert requested(api, order)["amount"] == "40.00"


@pytest.mark.parametrize(("status", "left"), [("pending", "40.00"), ("succeeded", "40.00")])
def test_a_refund_that_is_executed_or_succeeded_leaves_less(api: ApiClient, status: str, left: str) -> None:
    order = paid_order(api)
    expect(200, set_status(api, requested(api, order, amount="60.00"), status))
    assert ask(api, order, {"amount": "60.00"}).json["amount_left"] == left


@pytest.mark.parametrize("status", ["canceled", "failed"])
def test_a_refund_that_returned_no_money_can_be_requested_again(api: ApiClient, status: str) -> None:
    order = paid_order(api)
    expect(200, set_status(api, requested(api, order), status))
    assert money(api, order) == ("100.00", "0.00", "none")
    assert requested(api, order)["amount"] == "100.00"


def test_a_refund_that_succeeded_and_failed_later_can_be_requested_again(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order)
    for status in ("succeeded", "failed"):
        expect(200, set_status(api, refund, status))
    assert requested(api, order)["amount"] == "100.00"


def test_an_order_without_a_payment_has_nothing_to_refund(api: ApiClient, order: dict[str, Any]) -> None:
    for body in ({}, {"amount": "0.01"}, {"lines": [line(order, 1, restock=True)]}):
        response = ask(api, order, body)
        assert response.problem() == (422, "refund-too-large")
        assert response.json["amount_left"] == "0.00"
    assert ask(api, order).json["detail"] == "Nothing is left of the payment."
    assert refunds(api, order) == []


def test_an_order_with_a_total_of_0_has_nothing_to_refund(api: ApiClient) -> None:
    charges = [{"kind": "discount", "label": "Gift", "amount": "-4.50"}]
    order = api.order((api.create_product()["id"], 1), charges=charges)
    assert order["payment_status"] == "paid"
    assert ask(api, order).problem() == (422, "refund-too-large")


def test_a_failed_payment_is_nothing_to_refund(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], "failed"))
    assert ask(api, order).problem() == (422, "refund-too-large")


def test_lines_with_a_discount_are_larger_than_what_was_paid(api: ApiClient) -> None:
    discount = {"kind": "discount", "label": "Voucher", "amount": "-0.01"}
    order = paid_order(api, price="50.00", units=2, charges=[discount])
    response = ask(api, order, {"lines": [line(order, 2, restock=True)]})
    assert response.problem() == (422, "refund-too-large")
    assert response.json["amount_left"] == "99.99"
    assert refunds(api, order) == []
    both = requested(api, order, amount="99.99", lines=[line(order, 2, restock=True)])
    assert (both["amount"], both["lines"]) == ("99.99", [line(order, 2, restock=True)])


def test_lines_alone_do_not_include_the_shipping(api: ApiClient) -> None:
    shipping = {"kind": "shipping", "label": "Parcel", "amount": "4.90"}
    order = paid_order(api, price="50.00", charges=[shipping])
    assert requested(api, order, lines=[line(order, 1, restock=False)])["amount"] == "50.00"
    assert requested(api, order)["amount"] == "4.90"


def test_the_amount_can_be_less_or_more_than_the_sum_of_the_lines(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=10)
    for amount in ("1.00", "25.00"):
        refund = requested(api, order, amount=amount, lines=[line(order, 2, restock=False)])
        assert (refund["amount"], refund["lines"][0]["quantity"]) == (amount, 2)


@pytest.mark.usefixtures("expect_no_violations")
def test_a_late_payment_of_a_canceled_order_can_be_refunded(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, cancel(api, order))
    assert pay_again(api, order, "pi_late") == "needs_refund"
    refund = requested(api, order)
    assert (refund["amount"], refund["payment_reference"]) == ("4.50", "pi_late")
    expect(200, set_status(api, refund, "succeeded", "re_1"))
    assert money(api, order) == ("4.50", "4.50", "full")
    assert api.items("/api/reconciliation") == []


@pytest.mark.usefixtures("expect_no_violations")
def test_a_canceled_order_whose_refund_fails_a_week_later_is_listed_again(api: ApiClient) -> None:
    order = paid_order(api)
    product = order["order_items"][0]["product_id"]
    expect(200, cancel(api, order, refund=True))
    [refund] = refunds(api, order)
    expect(200, set_status(api, refund, "succeeded", "re_1"))
    assert (api.items("/api/reconciliation"), api.stock(product)) == ([], 1)

    assert refund_event(api, order, "failed", "re_1", "100.00") == "applied"
    assert money(api, order) == ("100.00", "0.00", "none")
    assert {entry["kind"] for entry in api.items("/api/reconciliation")} == {"paid_and_canceled", "refund_failed"}
    assert api.stock(product) == 1
    assert requested(api, order)["amount"] == "100.00"


@pytest.mark.usefixtures("expect_no_violations")
def test_a_payment_in_another_currency_is_refunded_in_it(api: ApiClient, order: dict[str, Any]) -> None:
    assert pay_again(api, order, "pi_eur", amount="4.20", currency="EUR") == "needs_review"
    refund = requested(api, order, amount="4.00")
    assert (refund["amount"], refund["currency"]) == ("4.00", "EUR")
    assert requested(api, order)["amount"] == "0.20"
    assert money(api, order) == ("0.00", "0.00", "pending")


def test_lines_in_another_currency_than_the_payment_need_an_amount(api: ApiClient, order: dict[str, Any]) -> None:
    pay_again(api, order, "pi_jpy", amount="500", currency="JPY")
    lines = [line(order, 1, restock=True)]
    response = ask(api, order, {"lines": lines})
    assert response.problem() == (422, "invalid-request")
    assert response.json["errors"] == [
        {
            "detail": "Input is required, because the payment is in JPY, and the prices are in USD",
            "pointer": "#/amount",
        }
    ]
    assert requested(api, order, lines=lines, amount="480")["lines"] == lines


def test_an_amount_has_the_decimal_places_of_the_payments_currency(
    api: ApiClient, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pay_again(api, order, "pi_jpy", amount="500", currency="JPY") == "needs_review"
    response = ask(api, order, {"amount": "4.50"})
    assert response.problem() == (422, "invalid-request")
    assert response.json["errors"] == [
        {"detail": "Input should be a whole number, because JPY has no decimal places", "pointer": "#/amount"}
    ]
    assert requested(api, order, amount="450.00")["amount"] == "450.00"
    # The shop sells in another currency now.
    dollars = paid_order(api, price="4.50")
    monkeypatch.setenv("CURRENCY", "JPY")
    assert requested(api, dollars, amount="1.25")["currency"] == "USD"


def test_an_amount_with_more_places_than_the_api_accepts_is_refunded_in_full(
    api: ApiClient, order: dict[str, Any]
) -> None:
    assert pay_again(api, order, "pi_kwd", amount="1.234", currency="KWD") == "needs_review"
    assert requested(api, order)["amount"] == "1.234"
    assert ask(api, order, {"amount": "0.01"}).problem() == (422, "refund-too-large")


def test_a_payment_without_any_id_can_be_refunded(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"]))
    assert requested(api, order)["payment_reference"] is None


def forget_payments(database: Connection) -> None:
    """Leave what an earlier release stored of a paid order."""
    database.run("DELETE FROM payments")
    database.run("UPDATE orders SET paid_amount = 0, money_changes = 0")


def test_an_order_that_an_earlier_release_recorded_as_paid_can_be_refunded(
    api: ApiClient, database: Connection
) -> None:
    orders = [paid_order(api) for _ in range(2)]
    forget_payments(database)
    assert requested(api, orders[0], amount="60.00")["payment_reference"] == f"pi_{orders[0]['number']}"
    expect(200, cancel(api, orders[1], refund=True))
    assert [refund["amount"] for refund in refunds(api, orders[1])] == ["100.00"]
    assert [money(api, order) for order in orders] == [("100.00", "0.00", "pending")] * 2
    assert violations(database) == []


@pytest.mark.usefixtures("expect_no_violations")
def test_of_several_payments_with_money_left_the_request_names_one(api: ApiClient) -> None:
    order = paid_order(api)
    assert pay_again(api, order, "pi_second") == "needs_refund"
    first, second = payments(api, order)
    for body in ({}, {"amount": "1.00"}, {"lines": [line(order, 1, restock=False)]}):
        response = ask(api, order, body)
        assert response.problem() == (422, "several-payments")
        assert [payment["id"] for payment in response.json["payments"]] == [first["id"], second["id"]]
    assert ask(api, order, {"payment_id": second["id"], "amount": "100.01"}).json["amount_left"] == "100.00"
    refund = requested(api, order, payment_id=second["id"].upper())
    assert (refund["payment_id"], refund["payment_reference"]) == (second["id"], "pi_second")
    # Only the first payment has money left.
    assert requested(api, order, amount="10.00")["payment_id"] == first["id"]
    assert ask(api, order, {"payment_id": second["id"]}).json["amount_left"] == "0.00"


def test_an_unknown_payment_is_not_found(api: ApiClient) -> None:
    order, other = paid_order(api), paid_order(api)
    for id_ in (UNKNOWN, payments(api, other)[0]["id"]):
        response = ask(api, order, {"payment_id": id_})
        assert response.problem() == (404, "payment-not-found")
        assert response.json["errors"] == [{"detail": f"Payment {id_} not found", "pointer": "#/payment_id"}]
    assert refunds(api, order) == refunds(api, other) == []


def test_a_disputed_payment_is_not_refunded_until_the_shop_wins(api: ApiClient) -> None:
    order = paid_order(api)
    dispute(api, order)
    before = etag(api, order)
    for body in ({}, {"payment_id": payments(api, order)[0]["id"]}):
        assert ask(api, order, body).problem() == (409, "payment-disputed")
    assert (refunds(api, order), etag(api, order)) == ([], before)
    dispute(api, order, "won")
    requested(api, order)


def test_a_disputed_payment_is_not_refunded_again_when_nothing_is_left_of_it(api: ApiClient) -> None:
    order = paid_order(api)
    requested(api, order)
    dispute(api, order)
    assert ask(api, order).problem() == (409, "payment-disputed")
    assert ask(api, order, {"payment_id": UNKNOWN}).problem() == (404, "payment-not-found")


def test_a_dispute_of_another_order_does_not_matter(api: ApiClient) -> None:
    order, other = paid_order(api), paid_order(api)
    requested(api, order)
    dispute(api, other)
    assert ask(api, order).problem() == (422, "refund-too-large")


def test_nothing_is_left_of_a_payment_that_returned_more_than_it_brought(api: ApiClient) -> None:
    order = paid_order(api)
    requested(api, order, amount="60.00")
    assert refund_event(api, order, "succeeded", "re_dashboard", "70.00") == "applied"
    [payment] = payments(api, order)
    assert (payment["refunded_amount"], payment["amount_left"]) == ("70.00", "0.00")
    assert ask(api, order, {"payment_id": payment["id"]}).json["amount_left"] == "0.00"
    assert [entry["kind"] for entry in api.items("/api/reconciliation")] == ["over_refunded"]
    # A second payment can be refunded without naming it.
    pay_again(api, order, "pi_second")
    assert requested(api, order)["payment_reference"] == "pi_second"


def test_a_lost_dispute_leaves_nothing_to_refund(api: ApiClient) -> None:
    order = paid_order(api)
    dispute(api, order, "lost", amount="70.00", currency="USD")
    assert ask(api, order, {"amount": "30.01"}).json["amount_left"] == "30.00"
    assert requested(api, order)["amount"] == "30.00"


def test_a_dispute_of_one_payment_does_not_block_the_other(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_second")
    dispute(api, order)
    disputed, other = payments(api, order)
    assert ask(api, order, {"payment_id": disputed["id"]}).problem() == (409, "payment-disputed")
    requested(api, order, payment_id=other["id"])


def test_a_refund_at_the_processor_leaves_less(api: ApiClient) -> None:
    order = paid_order(api)
    assert refund_event(api, order, "succeeded", "re_dashboard", "70.00") == "applied"
    assert ask(api, order, {"amount": "30.01"}).json["amount_left"] == "30.00"


AMOUNTS_REFUSED = [
    *("0", "0.00", "-0", "-1", "-0.01", "1e2", " 5", "5 ", "+5", "1_0", "1,00", "0x10", "٥", "", "NaN", "Infinity"),
    *("0.001", "100000000", "9" * 400, "5\0", "null"),
    *(0, -0.0, -1, 0.001, 1e300, 100000000, True, [], {}, ["5"], {"amount": "5"}),
]


@pytest.mark.parametrize("amount", AMOUNTS_REFUSED)
def test_an_amount_is_a_plain_number_above_0(api: ApiClient, amount: Any) -> None:
    order = paid_order(api)
    assert ask(api, order, {"amount": amount}).problem() == (422, "invalid-request")
    assert refunds(api, order) == []


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1e-400", b"NaN", b"Infinity", b"9" * 5000, b"0e5", b"-0"])
def test_a_number_that_is_no_amount_is_refused(api: ApiClient, number: bytes) -> None:
    order = paid_order(api)
    response = ask(api, order, b'{"amount": %s}' % number)
    assert response.status in (400, 422)
    assert refunds(api, order) == []


@pytest.mark.parametrize("amount", ["5", "5.0", "5.00", "005", 5, 5.0])
def test_equal_amounts_in_other_notations_are_equal(api: ApiClient, amount: Any) -> None:
    assert requested(api, paid_order(api), amount=amount)["amount"] == "5.00"


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


def test_the_same_key_requests_one_refund(api: ApiClient) -> None:
    order = paid_order(api)
    key = {"idempotency-key": "k"}
    first = ask(api, order, {"amount": "60.00"}, **key)
    again = ask(api, order, {"amount": 60}, **key)
    assert (again.status, again.text, again.headers["idempotent-replayed"]) == (201, first.text, "true")
    for other in ({"amount": "60.01"}, {}, {"amount": "60.00", "reason": "x"}):
        assert ask(api, order, other, **key).problem() == (422, "idempotency-key-reused")
    assert ask(api, paid_order(api), {"amount": "60.00"}, **key).problem() == (422, "idempotency-key-reused")
    assert len(refunds(api, order)) == 1
    assert timeline(api, order["id"])[-1]["idempotency_key"] == "k"


def test_a_retry_with_the_same_key_returns_the_first_response_after_the_refund_changed(api: ApiClient) -> None:
    order = paid_order(api)
    first = ask(api, order, None, **{"idempotency-key": "k"})
    expect(200, set_status(api, first.json, "succeeded"))
    again = ask(api, order, None, **{"idempotency-key": "k"})
    assert (again.status, again.text) == (201, first.text)


def test_a_refused_request_does_not_use_up_its_key(api: ApiClient) -> None:
    order = paid_order(api)
    key = {"idempotency-key": "k"}
    assert ask(api, order, {"amount": "100.01"}, **key).problem() == (422, "refund-too-large")
    assert ask(api, order, {"amount": "100.00"}, **key).status == 201


def test_other_keys_request_other_refunds_as_far_as_the_money_allows(api: ApiClient) -> None:
    order = paid_order(api)
    statuses = [ask(api, order, {"amount": "40.00"}, **{"idempotency-key": key}).status for key in ("a", "b", "c")]
    assert statuses == [201, 201, 422]


def test_each_refund_changes_the_etag_of_its_order(api: ApiClient) -> None:
    order = paid_order(api)
    tags = [etag(api, order)]
    for _ in range(2):
        # refund_status stays pending.
        refund = requested(api, order, amount="10.00")
        tags.append(etag(api, order))
    for status in ("pending", "succeeded", "failed"):
        expect(200, set_status(api, refund, status))
        tags.append(etag(api, order))
    assert len(set(tags)) == len(tags)


def test_the_second_of_two_staff_members_gets_412(api: ApiClient) -> None:
    order = paid_order(api)
    seen = {"if-match": etag(api, order)}
    assert ask(api, order, {"amount": "10.00"}, **seen).status == 201
    assert ask(api, order, {"amount": "10.00"}, **seen).problem() == (412, "stale-etag")
    assert len(refunds(api, order)) == 1
    assert ask(api, order, {"amount": "10.00"}, **{"if-match": etag(api, order)}).status == 201
    assert ask(api, order, {"amount": "10.00"}, **{"if-match": "*"}).status == 201


@pytest.mark.parametrize("tag", ['"x"', "", "x", 'W/"x"', '"x", "y"'])
def test_another_etag_is_stale(api: ApiClient, tag: str) -> None:
    order = paid_order(api)
    assert ask(api, order, None, **{"if-match": tag}).problem() == (412, "stale-etag")
    assert refunds(api, order) == []


def test_a_weak_etag_never_matches(api: ApiClient) -> None:
    order = paid_order(api)
    assert ask(api, order, None, **{"if-match": f"W/{etag(api, order)}"}).problem() == (412, "stale-etag")


def test_a_retry_with_a_stale_etag_returns_the_first_response(api: ApiClient) -> None:
    order = paid_order(api)
    headers = {"idempotency-key": "k", "if-match": etag(api, order)}
    first, again = ask(api, order, None, **headers), ask(api, order, None, **headers)
    assert (first.status, again.status, again.text) == (201, 201, first.text)
    assert len(refunds(api, order)) == 1


def test_the_status_of_a_refund_cannot_be_set_under_a_condition(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order)
    response = api.call("PUT", f"/api/refunds/{refund['id']}/status", {"status": "pending"}, {"if-match": '"x"'})
    assert response.status == 412
    assert refunds(api, order) == [refund]


def test_the_queue_lists_the_refunds_with_a_status_oldest_first(api: ApiClient) -> None:
    orders = [paid_order(api) for _ in range(2)]
    made = [requested(api, order, amount=str(10 + n)) for n in range(3) for order in orders]
    claimed = expect(200, set_status(api, made[2], "pending"))
    ids = [refund["id"] for refund in made]
    assert [refund["id"] for refund in api.items("/api/refunds")] == ids
    assert [refund["id"] for refund in api.items("/api/refunds", status="requested")] == ids[:2] + ids[3:]
    assert api.items("/api/refunds", status="pending") == [claimed]
    assert api.items("/api/refunds", status="failed") == []
    assert [refund["id"] for refund in refunds(api, orders[1])] == ids[1::2]


def test_the_lists_of_refunds_have_pages(api: ApiClient) -> None:
    order = paid_order(api)
    ids = [requested(api, order, amount="1")["id"] for _ in range(5)]
    for path in ("/api/refunds", f"/api/orders/{order['id']}/refunds"):
        assert [refund["id"] for refund in follow_cursors(api, path, page_size=2)] == ids
    page = expect(200, api.get("/api/refunds?page=2&page_size=2&status=requested"))
    assert ([refund["id"] for refund in page["items"]], page["total"], page["total_pages"]) == (ids[2:4], 5, 3)
    cursor = expect(200, api.get("/api/refunds?page_size=2"))["next_cursor"]
    assert api.get(target("/api/refunds", cursor=cursor, status="pending")).problem() == (400, "bad-cursor")


@pytest.mark.parametrize("query", ["status=", "status=open", "status=requested,failed", "x=1", "page=0", "cursor="])
def test_a_malformed_parameter_of_the_queue_is_refused(api: ApiClient, query: str) -> None:
    assert api.get(f"/api/refunds?{query}").problem() == (422, "invalid-request")


def test_the_refunds_and_payments_of_an_unknown_order_are_not_found(api: ApiClient) -> None:
    for name in ("refunds", "payments"):
        assert api.get(f"/api/orders/{UNKNOWN}/{name}").problem() == (404, "order-not-found")
        assert api.get(f"/api/orders/1/{name}").problem() == (422, "invalid-request")


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


def test_a_payment_shows_what_is_left_of_it(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, set_status(api, requested(api, order, amount="25.00"), "succeeded"))
    requested(api, order, amount="5.00")
    [payment] = payments(api, order)
    assert (payment["amount"], payment["refunded_amount"], payment["amount_left"]) == ("100.00", "25.00", "70.00")


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
