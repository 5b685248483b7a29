"""How the payment webhook handles an authentic event, from event to response."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.payments.signatures import Scheme
from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.conftest import new_order
from tests.stripe_events import stripe_event


def test_an_authentic_event_is_applied(api: ApiClient, order: dict[str, Any]) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    assert expect(200, api.pay(order["id"])) == {
        "message": "Payment status updated successfully",
        "order_id": order["id"],
        "payment_status": "paid",
        "event_id": hashlib.sha256(body).hexdigest(),
        "outcome": "applied",
    }
    assert api.payment_status(order["id"]) == "paid"


def test_an_event_may_have_an_event_id_and_unknown_fields(api: ApiClient, order: dict[str, Any]) -> None:
    response = api.pay(order["id"], event_id="evt_1", livemode=False)
    assert (expect(200, response)["event_id"], response.json["outcome"]) == ("evt_1", "applied")


def stripe_event_for(
    order: dict[str, Any], name: str = "payment_intent.succeeded", /, **changes: Any
) -> dict[str, Any]:
    """A Stripe event for the order."""
    return stripe_event(name, amount_received=450, metadata={"order_id": order["id"]}, **changes)


def test_a_standard_webhooks_envelope_is_applied(api: ApiClient, order: dict[str, Any]) -> None:
    body = {"type": "payment.paid", "timestamp": "2026-01-31T12:00:00Z", "data": {"order_id": order["id"]}}
    response = expect(200, api.deliver(body, "standard_webhooks", "msg_7"))
    assert (response["outcome"], response["event_id"], response["payment_status"]) == ("applied", "msg_7", "paid")


def test_a_stripe_event_is_applied(api: ApiClient, order: dict[str, Any]) -> None:
    body = stripe_event_for(order)
    response = expect(200, api.deliver(body, "stripe"))
    assert (response["outcome"], response["event_id"], response["payment_status"]) == ("applied", body["id"], "paid")


@pytest.mark.parametrize(
    ("scheme", "body"),
    [
        ("stripe", {"id": "evt_1", "type": "customer.created", "data": {"object": {}}}),
        ("stripe", {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"metadata": {}}}}),
        ("standard_webhooks", {"type": "user.created"}),
    ],
)
def test_an_unrelated_event_is_acknowledged_and_ignored(
    api: ApiClient, order: dict[str, Any], scheme: str, body: Any
) -> None:
    response = expect(200, api.deliver(body, scheme, "evt_1"))
    assert response == {
        "message": "Payment event received. It does not change the payment status",
        "order_id": None,
        "payment_status": None,
        "event_id": "evt_1",
        "outcome": "ignored",
    }
    assert api.payment_status(order["id"]) == "unpaid"


@pytest.mark.parametrize(
    "field",
    [
        '"occurred_at": "2026-01-31T12:00:00.1234567Z"',
        '"occurred_at": "2026-01-31T12:00:00.123456789+00:00"',
        '"occurred_at": 1769860800',
        '"occurred_at": ""',
        '"occurred_at": "31.01.2026"',
        '"event_id": 4711',
        '"event_id": {"id": 1}',
        '"event_id": "\\ud83d"',
        '"amount": "4.50000000"',
        '"amount": 4.50000000',
        '"amount": " 4.5\\n"',
        '"currency": " usd "',
        '"note": "half an emoji: \\ud83d"',
        '"note": NaN',
        f'"note": 1{"0" * 5000}',
        '"livemode": "maybe", "account": [], "payment_reference": {}',
    ],
    ids=lambda field: field[:50],
)
@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_data_that_decides_nothing_is_no_reason_to_refuse_a_payment(
    api: ApiClient, order: dict[str, Any], scheme: str, field: str
) -> None:
    body = f'{{"order_id": "{order["id"]}", "payment_status": "paid", {field}}}'
    assert expect(200, api.deliver(body.encode(), scheme))["outcome"] == "applied"
    assert api.payment_status(order["id"]) == "paid"


@pytest.mark.parametrize(
    "change",
    [
        {"created": "2026-01-31T12:00:00.123456789Z", "object": "v2.core.event"},
        {"created": {}, "id": 7},
        {"note": "\ud83d"},
    ],
    ids=str,
)
def test_data_that_decides_nothing_is_no_reason_to_refuse_a_stripe_event(
    api: ApiClient, order: dict[str, Any], change: dict[str, Any]
) -> None:
    assert expect(200, api.deliver({**stripe_event_for(order), **change}, "stripe"))["outcome"] == "applied"
    other = {**stripe_event_for(order), **change, "type": "v2.core.event_destination.ping", "id": "evt_ping"}
    assert expect(200, api.deliver(other, "stripe"))["outcome"] == "ignored"


@pytest.mark.parametrize("encode", [lambda text: b"\xef\xbb\xbf" + text, lambda text: text.replace(b"x", b"\xff")])
def test_bytes_that_decide_nothing_are_no_reason_to_refuse_a_payment(
    api: ApiClient, order: dict[str, Any], encode: Callable[[bytes], bytes], database: Connection
) -> None:
    body = encode(json.dumps({"order_id": order["id"], "payment_status": "paid", "note": "x"}).encode())
    assert expect(200, api.deliver(body))["outcome"] == "applied"
    [[stored, is_base64]] = database.run("SELECT body, body_is_base64 FROM payment_events")
    assert (base64.b64decode(stored) if is_base64 else stored.encode()) == body


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": "9" * 100, "occurred_at": "9999-12-31T23:59:59.999999999Z"},
        {"amount": f"-0.{'3' * 100}", "occurred_at": "0001-01-01T00:00:00Z"},
        {"amount": 1e99, "event_id": "🍵" * 255, "account": "\x7f\x01" * 100, "payment_reference": "�" * 255},
        {"amount": 10**99, "currency": "abcdefghij", "event_id": int("9" * 100), "livemode": 1},
        {"amount": 1e-99, "event_id": -0.0, "account": " "},
    ],
    ids=["large", "small", "wide", "integers", "tiny"],
)
def test_every_value_that_is_read_can_be_stored(api: ApiClient, order: dict[str, Any], fields: dict[str, Any]) -> None:
    assert expect(200, api.pay(order["id"], **fields))["outcome"] == "needs_review"


@pytest.mark.parametrize("form", ["{{{}}}", " {}\n", "urn:uuid:{}"])
def test_an_order_id_may_have_any_common_form(api: ApiClient, order: dict[str, Any], form: str) -> None:
    assert expect(200, api.pay(form.format(order["id"].upper())))["order_id"] == order["id"]
    assert expect(200, api.pay(order["id"].replace("-", "")))["outcome"] == "duplicate"


def test_a_session_can_name_its_order_in_client_reference_id(api: ApiClient, order: dict[str, Any]) -> None:
    session = stripe_event_for(order, "checkout.session.completed", amount_total=450)
    session["data"]["object"] |= {"metadata": {}, "client_reference_id": order["id"]}
    assert expect(200, api.deliver(session, "stripe"))["outcome"] == "applied"


@pytest.mark.parametrize("money", [{"amount": "4,50"}, {"amount": ""}, {"amount": "4.50", "currency": "$"}])
def test_a_payment_of_an_unreadable_amount_needs_review(
    api: ApiClient, order: dict[str, Any], money: dict[str, str]
) -> None:
    assert expect(200, api.pay(order["id"], **money))["outcome"] == "needs_review"
    assert api.payment_status(order["id"]) == "unpaid"
    assert expect(200, api.pay(order["id"], "failed", **money))["outcome"] == "applied"


def test_an_unpaid_checkout_session_waits_for_its_payment(api: ApiClient, order: dict[str, Any]) -> None:
    for name, outcome, status in (
        ("checkout.session.completed.unpaid", "ignored", "unpaid"),
        ("checkout.session.async_payment_failed", "applied", "failed"),
        ("checkout.session.async_payment_succeeded", "applied", "paid"),
    ):
        response = expect(200, api.deliver(stripe_event_for(order, name, amount_total=450), "stripe"))
        assert (response["outcome"], response["payment_status"]) == (outcome, status)


@pytest.mark.parametrize(
    ("money", "outcome"),
    [
        ({"amount": "4.50", "currency": "USD"}, "applied"),
        ({"amount": "4.5", "currency": "usd"}, "applied"),
        ({"amount": 4.5}, "applied"),
        ({"currency": "USD"}, "applied"),
        ({"amount": "4.49", "currency": "USD"}, "needs_review"),
        ({"amount": "4.51"}, "needs_review"),
        ({"amount": "4.500001"}, "needs_review"),
        ({"amount": "0"}, "needs_review"),
        ({"amount": "4.50", "currency": "EUR"}, "needs_review"),
        ({"currency": "JPY"}, "needs_review"),
    ],
)
def test_amount_and_currency_are_compared_if_the_event_has_them(
    api: ApiClient, order: dict[str, Any], money: dict[str, Any], outcome: str
) -> None:
    assert expect(200, api.pay(order["id"], "paid", **money))["outcome"] == outcome
    assert api.payment_status(order["id"]) == ("paid" if outcome == "applied" else "unpaid")


@pytest.mark.parametrize("money", [{"amount": "4.49"}, {"amount": "0"}, {"currency": "JPY"}])
def test_a_failure_moved_no_money_so_its_amount_does_not_matter(
    api: ApiClient, order: dict[str, Any], money: dict[str, Any]
) -> None:
    assert expect(200, api.pay(order["id"], "failed", **money))["outcome"] == "applied"
    assert api.payment_status(order["id"]) == "failed"


def test_the_currency_is_a_setting(api: ApiClient, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURRENCY", "EUR")
    assert expect(200, api.pay(order["id"], event_id="1", currency="USD"))["outcome"] == "needs_review"
    assert expect(200, api.pay(order["id"], event_id="2", currency="EUR"))["outcome"] == "applied"


@pytest.mark.parametrize(
    ("currency", "price", "units"),
    [
        ("JPY", "1990", 1990),
        ("MGA", "1990", 1990),
        # Without decimal places, but Stripe sends two.
        ("UGX", "5000", 500000),
        ("ISK", "5000", 500000),
        ("HUF", "19.90", 1990),
        ("KWD", "18.60", 18600),
    ],
)
def test_an_amount_of_stripe_is_in_the_minor_unit_of_the_shops_currency(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, currency: str, price: str, units: int
) -> None:
    monkeypatch.setenv("CURRENCY", currency)
    order = api.order((api.create_product(price=price)["id"], 1))
    event = stripe_event(amount_received=units, currency=currency.lower(), metadata={"order_id": order["id"]})
    assert expect(200, api.deliver(event, "stripe"))["outcome"] == "applied"


def test_a_repeated_event_is_applied_once(api: ApiClient, order: dict[str, Any]) -> None:
    outcomes = [expect(200, api.pay(order["id"], "failed", event_id="evt_1"))["outcome"] for _ in range(3)]
    assert outcomes == ["applied", "duplicate", "duplicate"]
    expect(200, api.pay(order["id"], "paid", event_id="evt_2"))
    assert expect(200, api.pay(order["id"], "failed", event_id="evt_1"))["outcome"] == "duplicate"
    assert api.payment_status(order["id"]) == "paid"


def test_the_same_event_in_another_notation_is_a_duplicate(api: ApiClient, order: dict[str, Any]) -> None:
    body = stripe_event_for(order)
    assert expect(200, api.deliver(body, "stripe"))["outcome"] == "applied"
    # Stripe counts the endpoints that it has not sent the event to.
    assert expect(200, api.deliver({**body, "pending_webhooks": 0}, "stripe"))["outcome"] == "duplicate"


@pytest.mark.parametrize(
    "change",
    [{"payment_status": "failed"}, {"amount": "4.50"}, {"currency": "USD"}, {"order_id": UNKNOWN}],
    ids=lambda change: next(iter(change)),
)
def test_an_event_id_with_other_content_needs_review_and_is_not_applied(
    api: ApiClient, order: dict[str, Any], change: dict[str, str]
) -> None:
    first = {"order_id": order["id"], "payment_status": "paid", "event_id": "evt_1"}
    assert expect(200, api.deliver(first))["outcome"] == "applied"
    outcomes = [expect(200, api.deliver(body))["outcome"] for body in ({**first, **change}, {**first, **change}, first)]
    assert outcomes == ["needs_review", "duplicate", "duplicate"]
    assert api.payment_status(order["id"]) == "paid"


def test_an_event_id_belongs_to_its_scheme(api: ApiClient, order: dict[str, Any]) -> None:
    body = {"order_id": order["id"], "payment_status": "failed", "event_id": "evt_1"}
    assert expect(200, api.deliver(body))["outcome"] == "applied"
    changed = {**body, "payment_status": "paid"}
    assert expect(200, api.deliver(changed, "standard_webhooks"))["outcome"] == "applied"


def test_an_attempt_counts_for_the_event_of_its_scheme(api: ApiClient, order: dict[str, Any]) -> None:
    body = {"order_id": order["id"], "payment_status": "paid", "event_id": "evt_1"}
    # The inbox is searched in the order of the schemes' names.
    assert api.deliver({**body, "order_id": UNKNOWN}, "standard_webhooks").status == 404
    schemes = ("x_signature", "stripe", "x_signature")
    outcomes = [expect(200, api.deliver(body, scheme))["outcome"] for scheme in schemes]
    assert outcomes == ["applied", "duplicate", "duplicate"]
    attempts = {event["scheme"]: event["attempts"] for event in api.items("/api/payment-events")}
    assert attempts == {"standard_webhooks": 1, "x_signature": 2, "stripe": 1}


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("has_event_id", [True, False])
def test_an_event_is_identified_by_event_id_then_webhook_id_then_body(
    api: ApiClient, order: dict[str, Any], scheme: str, *, has_event_id: bool
) -> None:
    body = {"order_id": order["id"], "payment_status": "paid", **({"event_id": "evt_1"} if has_event_id else {})}
    fallback_id = "msg_7" if scheme == "standard_webhooks" else hashlib.sha256(json.dumps(body).encode()).hexdigest()
    assert expect(200, api.deliver(body, scheme, "msg_7"))["event_id"] == ("evt_1" if has_event_id else fallback_id)


@pytest.mark.parametrize("ids", [(b"evt_\xfc", b"evt_\xf6"), (b" ", b" "), (b"evt_\\u0000", b"evt_\\u0000")])
def test_two_payments_whose_ids_cannot_be_read_are_both_applied(api: ApiClient, ids: tuple[bytes, bytes]) -> None:
    for event_id in ids:
        order_id = new_order(api)["id"].encode()
        body = b'{"order_id": "%b", "payment_status": "paid", "event_id": "%b"}' % (order_id, event_id)
        assert expect(200, api.deliver(body))["outcome"] == "applied"


@pytest.mark.parametrize(
    ("events", "outcomes", "status"),
    [
        (["paid", "paid"], ["applied", "duplicate"], "paid"),
        (["failed", "failed"], ["applied", "duplicate"], "failed"),
        (["failed", "paid"], ["applied", "applied"], "paid"),
        (["paid", "failed"], ["applied", "ignored"], "paid"),
        (["canceled", "paid"], [None, "needs_refund"], "unpaid"),
        (["canceled", "failed"], [None, "ignored"], "unpaid"),
        (["paid", "canceled", "paid"], ["applied", None, "duplicate"], "paid"),
        (["completed", "paid"], [None, "needs_review"], "unpaid"),
        (["completed", "failed"], [None, "ignored"], "unpaid"),
        (["paid", "completed", "failed"], ["applied", None, "ignored"], "paid"),
    ],
)
def test_the_outcome_of_an_event_depends_on_the_state_of_the_order(
    api: ApiClient, order: dict[str, Any], events: list[str], outcomes: list[str | None], status: str
) -> None:
    seen: list[str | None] = []
    for event in events:
        if event in ("paid", "failed"):
            response = expect(200, api.pay(order["id"], event))
            assert response["payment_status"] == api.payment_status(order["id"])
            seen.append(response["outcome"])
        else:
            expect(200, api.change_status(order["id"], event))
            seen.append(None)
    assert (seen, api.payment_status(order["id"])) == (outcomes, status)


def test_an_event_that_needs_action_is_logged_as_a_warning(
    api: ApiClient, order: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    expect(200, api.change_status(order["id"], "canceled"))
    expect(200, api.pay(order["id"], event_id="evt_1"))
    line = vars(caplog.records[-1])
    assert (line["levelname"], line["outcome"]) == ("WARNING", "needs_refund")
    assert (line["order_id"], line["event_id"]) == (order["id"], "evt_1")
    api.get("/api/orders")
    assert (caplog.records[-1].levelname, "outcome" in vars(caplog.records[-1])) == ("INFO", False)


def test_a_duplicate_or_ignored_event_does_not_change_the_order(api: ApiClient, order: dict[str, Any]) -> None:
    api.pay(order["id"])
    before = expect(200, api.get(f"/api/orders/{order['id']}"))
    api.pay(order["id"])
    api.pay(order["id"], "failed")
    assert expect(200, api.get(f"/api/orders/{order['id']}")) == before


def test_an_event_for_an_unknown_order_returns_404(api: ApiClient) -> None:
    assert api.pay(UNKNOWN).problem() == (404, "order-not-found")


def test_a_later_delivery_replaces_an_event_for_an_unknown_order(api: ApiClient, order: dict[str, Any]) -> None:
    for body in ({"order_id": UNKNOWN}, {"order_id": UNKNOWN, "amount": "1"}):
        response = api.deliver({**body, "payment_status": "paid", "event_id": "evt_1"})
        assert response.problem() == (404, "order-not-found")
    assert [expect(200, api.pay(order["id"], event_id="evt_1"))["outcome"] for _ in range(2)] == [
        "applied",
        "duplicate",
    ]


def test_an_event_gets_503_while_the_database_is_down_and_is_applied_later(
    api: ApiClient, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as away:
        away.setenv("DATABASE_URL", f"postgresql://nobody@/shop?host={tmp_path}")
        db.disconnect()
        response = api.pay(order["id"], event_id="evt_1")
        assert response.problem() == (503, "unavailable")
        assert response.headers["retry-after"] == "2"
    assert expect(200, api.pay(order["id"], event_id="evt_1"))["outcome"] == "applied"


def test_an_event_is_stored_as_it_was_sent(api: ApiClient, order: dict[str, Any], database: Connection) -> None:
    body = '{"payment_status":"paid" , "order_id": "%s", "note":"Grüße 🍵"}' % order["id"]  # noqa: UP031  braces
    expect(200, api.deliver(body.encode()))
    assert database.run("SELECT body FROM payment_events") == [[body]]
