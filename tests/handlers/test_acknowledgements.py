"""Staff dismiss entries of the reconciliation with a note. New money on the order lists them again."""

import uuid
from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, Response, expect
from tests.handlers.inbox import RECONCILIATION, timeline
from tests.handlers.personal_data import add_note, erase, place, stripe_pair
from tests.handlers.refunds import Order, dispute, paid_order, pay_again, payments, refund_event, requested, set_status

pytestmark = pytest.mark.usefixtures("expect_no_violations")

Entry = dict[str, Any]
NOTE = "The customer paid in cash."


def acknowledge(api: ApiClient, entry: Entry, note: Any = NOTE, **headers: str) -> Response:
    return api.call("POST", path(entry), {"note": note}, headers)


def path(entry: Entry) -> str:
    return f"{RECONCILIATION}/{entry['kind']}/{entry['id']}/acknowledgement"


def kinds(api: ApiClient, *, acknowledged: bool = False) -> list[str]:
    return [one["kind"] for one in api.items(RECONCILIATION, acknowledged=str(acknowledged).lower())]


def report_total(api: ApiClient, order: Order, amount_refunded: int) -> list[str]:
    """Report the sum of the refunds of a payment as Stripe does. Returns the kinds that are listed then."""
    charge = {"payment_intent": f"pi_{order['number']}", "amount_refunded": amount_refunded, "currency": "usd"}
    event = {"id": f"evt_{uuid.uuid4()}", "type": "charge.refunded", "data": {"object": {**charge, "id": "ch_1"}}}
    expect(200, api.deliver(event, "stripe"))
    return sorted(kinds(api))


@pytest.fixture
def unpaid(api: ApiClient) -> Order:
    """A completed order with a total of 100.00 that was not paid."""
    order = api.order((api.create_product(price="100.00")["id"], 1))
    return dict(expect(200, api.change_status(order["id"], "completed")))


@pytest.fixture
def entry(api: ApiClient, unpaid: Order) -> Entry:
    """The entry of the order that was not paid."""
    assert unpaid
    [one] = api.items(RECONCILIATION)
    return one


@pytest.fixture
def paid_twice(api: ApiClient) -> Order:
    """An order whose second payment was acknowledged."""
    order = paid_order(api)
    pay_again(api, order, "pi_again")
    expect(200, api.change_status(order["id"], "completed"))
    [one] = api.items(RECONCILIATION)
    expect(201, acknowledge(api, one))
    assert kinds(api) == []
    return order


def test_an_acknowledged_entry_is_listed_only_on_request(api: ApiClient, entry: Entry) -> None:
    dismissed = expect(201, acknowledge(api, entry))
    assert kinds(api) == []
    assert api.items(RECONCILIATION, acknowledged="true") == [dismissed]
    acknowledgement = dismissed.pop("acknowledgement")
    assert dismissed == {key: value for key, value in entry.items() if key != "acknowledgement"}
    assert acknowledgement == {
        "note": NOTE,
        "actor": "anonymous",
        "acknowledged_at": acknowledgement["acknowledged_at"],
    }


def test_the_timeline_says_who_dismissed_the_entry_and_why(api: ApiClient, unpaid: Order, entry: Entry) -> None:
    expect(201, acknowledge(api, entry, **{"idempotency-key": "k"}))
    last = timeline(api, unpaid["id"])[-1]
    assert (last["cause"], last["reason"], last["idempotency_key"]) == ("acknowledgement", entry["kind"], "k")
    assert last["note"] == NOTE
    assert last["message"] == "Staff dismissed the entry completed_and_unpaid of the reconciliation."
    assert last["from"] == last["to"]


@pytest.mark.parametrize(
    "note",
    ["", " \t\n", "\u200b", None, 1, [NOTE], "x" * 1001, "a\0b"],
    ids=["empty", "spaces", "zero-width", *"1234", "NUL"],
)
def test_an_acknowledgement_needs_a_note(api: ApiClient, entry: Entry, note: Any) -> None:
    assert acknowledge(api, entry, note).problem() == (422, "invalid-request")
    assert kinds(api) == ["completed_and_unpaid"]


@pytest.mark.parametrize("body", [{}, {"note": NOTE, "actor": "Bob"}, [], "x", None, {"note": {}}])
def test_an_acknowledgement_has_only_a_note(api: ApiClient, entry: Entry, body: Any) -> None:
    assert api.call("POST", path(entry), body).status in (400, 415, 422)
    assert kinds(api) == ["completed_and_unpaid"]


@pytest.mark.parametrize(
    ("kind", "entry_id"),
    [
        ("completed_and_unpaid", UNKNOWN),
        ("paid_and_canceled", None),
        ("lost", None),
        ("COMPLETED_AND_UNPAID", None),
        ("%00", None),
        ("%F0%28%8C%28", None),
        ("x" * 2000, None),
    ],
)
def test_an_entry_that_is_not_listed_is_not_found(
    api: ApiClient, entry: Entry, kind: str, entry_id: str | None
) -> None:
    response = acknowledge(api, {"kind": kind, "id": entry_id or entry["id"]})
    assert response.status in (404, 422)
    assert kinds(api) == ["completed_and_unpaid"]


def test_an_id_that_is_no_uuid_is_not_found(api: ApiClient, entry: Entry) -> None:
    assert acknowledge(api, {**entry, "id": "1"}).status in (404, 422)


def test_an_entry_that_ended_is_not_found(api: ApiClient, entry: Entry, unpaid: Order) -> None:
    pay_again(api, unpaid, "pi_1")
    response = acknowledge(api, entry)
    assert response.problem() == (404, "reconciliation-entry-not-found")
    assert response.json["detail"].endswith(f"{entry['id']} not found. It may have ended by itself.")


def test_an_entry_is_acknowledged_once(api: ApiClient, entry: Entry) -> None:
    expect(201, acknowledge(api, entry))
    assert acknowledge(api, entry, "Another reason.").problem() == (409, "already-acknowledged")
    [dismissed] = api.items(RECONCILIATION, acknowledged="true")
    assert dismissed["acknowledgement"]["note"] == NOTE


def test_a_retry_with_the_same_key_returns_the_first_response(api: ApiClient, entry: Entry) -> None:
    key = {"idempotency-key": "k"}
    first, second = acknowledge(api, entry, **key), acknowledge(api, entry, **key)
    assert (first.status, second.status, second.text) == (201, 201, first.text)
    assert second.headers["idempotent-replayed"] == "true"
    assert acknowledge(api, entry, "Another reason.", **key).status == 422


def test_another_payment_lists_the_entry_again(api: ApiClient, paid_twice: Order) -> None:
    assert pay_again(api, paid_twice, "pi_third") == "needs_refund"
    assert kinds(api) == ["paid_twice", "paid_twice"]
    [second, third] = api.items(RECONCILIATION)
    expect(201, acknowledge(api, second))
    assert [one["id"] for one in api.items(RECONCILIATION)] == [third["id"]]


def test_a_refund_lists_the_entry_again_when_it_succeeds_or_fails(api: ApiClient, paid_twice: Order) -> None:
    refund = requested(api, paid_twice, payment_id=payments(api, paid_twice)[0]["id"], amount="10")
    assert kinds(api) == [], "a request is no new money"
    expect(200, set_status(api, refund, "pending"))
    assert kinds(api) == [], "nor is a claim"
    expect(200, set_status(api, refund, "succeeded"))
    assert kinds(api) == ["paid_twice"]
    expect(201, acknowledge(api, api.items(RECONCILIATION)[0]))
    expect(200, set_status(api, refund, "failed"))
    assert kinds(api) == ["paid_twice", "refund_failed"]


def test_a_lost_dispute_lists_the_entry_again(api: ApiClient, paid_twice: Order) -> None:
    dispute(api, paid_twice, "lost", amount="10", currency="USD")
    assert kinds(api) == ["paid_twice"]


def test_a_higher_total_of_refunds_lists_the_entry_again(api: ApiClient, unpaid: Order) -> None:
    pay_again(api, unpaid, f"pi_{unpaid['number']}", amount="90", currency="USD")
    for one in api.items(RECONCILIATION):
        expect(201, acknowledge(api, one))
    assert report_total(api, unpaid, 3000) == ["amount_mismatch", "completed_and_unpaid"]
    for one in api.items(RECONCILIATION):
        expect(201, acknowledge(api, one))
    assert report_total(api, unpaid, 3000) == [], "the same total"
    assert report_total(api, unpaid, 2000) == [], "an earlier total"
    assert refund_event(api, unpaid, "succeeded", "re_1", "50") == "applied"
    for one in api.items(RECONCILIATION):
        expect(201, acknowledge(api, one))
    assert report_total(api, unpaid, 5000) == [], "the total of refunds that are known"


def test_what_moves_no_money_does_not_list_the_entry_again(api: ApiClient, paid_twice: Order) -> None:
    refund = requested(api, paid_twice, payment_id=payments(api, paid_twice)[0]["id"], amount="10")
    expect(200, set_status(api, refund, "canceled"))
    expect(201, add_note(api, paid_twice["id"], "Called the customer."))
    assert pay_again(api, paid_twice, "pi_again") == "duplicate"
    assert pay_again(api, paid_twice, "pi_again", event_id="evt_other") == "duplicate"
    expect(200, api.pay(paid_twice["id"], "failed", event_id="evt_failed"))
    assert kinds(api) == []
    assert kinds(api, acknowledged=True) == ["paid_twice"]


def test_the_same_refund_event_does_not_list_the_entry_again(api: ApiClient, paid_twice: Order) -> None:
    refund_event(api, paid_twice, "succeeded", "re_1", "10")
    expect(201, acknowledge(api, api.items(RECONCILIATION)[0]))
    assert refund_event(api, paid_twice, "succeeded", "re_1", "10") == "duplicate"
    refund_event(api, paid_twice, "succeeded", "re_1", "10", event_id="evt_2")
    refund_event(api, paid_twice, "pending", "re_1", "10")
    assert kinds(api) == []


def test_an_entry_without_an_order_is_acknowledged_for_good(api: ApiClient) -> None:
    api.pay(UNKNOWN, event_id="evt_1")
    assert api.deliver(b"{", webhook_id="msg_2").status == 400
    for one in api.items(RECONCILIATION):
        assert one["order"] is None
        assert expect(201, acknowledge(api, one))["acknowledgement"]["note"] == NOTE
        assert acknowledge(api, one).status == 409
    assert kinds(api) == []
    assert sorted(kinds(api, acknowledged=True)) == ["event_without_order", "unreadable_event"]


def test_an_acknowledged_entry_ends_when_the_money_adds_up(api: ApiClient, entry: Entry, unpaid: Order) -> None:
    expect(201, acknowledge(api, entry))
    pay_again(api, unpaid, "pi_1")
    assert kinds(api, acknowledged=True) == []


def test_a_refund_that_does_not_take_too_long_yet_cannot_be_acknowledged(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = {"kind": "refund_stuck", "id": requested(api, paid_order(api))["id"]}
    assert acknowledge(api, stuck).problem() == (404, "reconciliation-entry-not-found")
    monkeypatch.setenv("REFUND_PENDING_DAYS", "0")
    expect(201, acknowledge(api, stuck))


def test_an_entry_of_a_pending_order_can_be_acknowledged(api: ApiClient) -> None:
    paid_order(api)
    [one] = api.items(RECONCILIATION, pending_minutes=0)
    expect(201, acknowledge(api, one, "The goods arrive on Friday."))
    assert api.items(RECONCILIATION, pending_minutes=0) == []
    assert [two["id"] for two in api.items(RECONCILIATION, pending_minutes=0, acknowledged="true")] == [one["id"]]


def test_an_erasure_blanks_the_note(api: ApiClient, entry: Entry) -> None:
    expect(201, acknowledge(api, entry, **{"idempotency-key": "k"}))
    erase(api, 1)
    [dismissed] = api.items(RECONCILIATION, acknowledged="true")
    assert dismissed["acknowledgement"]["note"] is None
    retried = expect(201, acknowledge(api, entry, **{"idempotency-key": "k"}))
    assert retried["acknowledgement"] is None


def test_an_erasure_blanks_the_note_about_an_event_that_named_no_order(api: ApiClient, database: Connection) -> None:
    session, intent = stripe_pair(expect(201, place(api, str(api.create_product()["id"]))))
    expect(200, api.deliver(intent, "stripe"))
    [entry] = api.items(RECONCILIATION)
    expect(201, acknowledge(api, entry, **{"idempotency-key": "k"}))
    expect(200, api.deliver(session, "stripe"))
    erase(api)
    assert database.run("SELECT note FROM acknowledgements") == [[None]]
    retried = expect(201, acknowledge(api, entry, **{"idempotency-key": "k"}))
    assert retried["acknowledgement"] is None


def test_a_second_erasure_of_an_order_is_recorded_if_it_blanks_such_a_note(api: ApiClient) -> None:
    order = expect(201, place(api, str(api.create_product()["id"])))
    erase(api)
    assert api.deliver({"event_id": "evt_1", "order_id": "?", "payment_status": "failed"}).status == 422
    expect(201, acknowledge(api, api.items(RECONCILIATION)[0]))
    # Only now the event has an order.
    expect(200, api.pay(order["id"], "failed", event_id="evt_1"))
    for _ in range(2):
        erase(api)
        causes = [event["cause"] for event in api.items(f"/api/orders/{order['id']}/events")]
        assert causes == ["placed", "erasure", "payment_event", "erasure"]


@pytest.mark.parametrize("acknowledged", ["", "yes", "1", "TRUE"])
def test_an_invalid_parameter_returns_422(api: ApiClient, acknowledged: str) -> None:
    assert api.get(f"{RECONCILIATION}?acknowledged={acknowledged}").problem() == (422, "invalid-request")
