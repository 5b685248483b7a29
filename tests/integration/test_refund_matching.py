"""Which refund an event is about, and which contents under one event ID are one event."""

from typing import Any

import pytest
from pg8000.native import Connection

from storefront.actor import PAYMENT_PROCESSOR
from tests.api_client import UNKNOWN, ApiClient
from tests.integration.races import Call, pay, replay, set_refund
from tests.integration.refund_events import dispute_event, refund_event, refund_total, requested
from tests.integration.refunds_of_orders import paid, refund_of, refunds, returned, unpaid_order
from tests.integration.stored_events import inbox, kinds, run

pytestmark = pytest.mark.usefixtures("order_id", "expect_no_violations")


@pytest.fixture
def order_id(api: ApiClient, database: Connection) -> str:
    """An order whose payment pi_1 of 100.00 was reported."""
    id_ = unpaid_order(api)
    paid(database, id_)
    return id_


def processed_again(database: Connection, event: Call, again: str) -> str:
    """Deliver or replay an event that is stored. Return the outcome."""
    [[id_]] = database.run("SELECT id::text FROM payment_events WHERE event_id = :event_id", **event.request)
    return (replay(id_) if again == "replay" else event).run(database)


def test_a_refund_that_was_made_at_the_processor_names_the_processor(database: Connection) -> None:
    """With a reserved name, which no token of a caller can have."""
    assert returned().run(database) == "applied"
    assert database.run("SELECT actor FROM refunds") == [[PAYMENT_PROCESSOR]]


def test_the_name_in_the_metadata_comes_first(database: Connection, order_id: str) -> None:
    _, second = requested(database, order_id, "30", "40")
    assert returned(refund_id=second).run(database) == "applied"
    assert refund_of(database, "re_1")[0] == second
    assert refunds(database) == [("requested", None, "30"), ("succeeded", "re_1", "30")]


def test_a_named_refund_that_has_another_reference_leaves_a_separate_refund(
    database: Connection, order_id: str
) -> None:
    [named] = requested(database, order_id, "30")
    assert run(database, returned(refund_id=named), returned("re_2", refund_id=named)) == ["applied", "applied"]
    assert refunds(database) == [("succeeded", "re_1", "30"), ("succeeded", "re_2", "30")]
    assert refund_of(database, "re_1")[0] == named


@pytest.mark.parametrize("open_requests", [0, 1])
def test_an_unknown_name_counts_as_none(database: Connection, order_id: str, open_requests: int) -> None:
    ids = requested(database, order_id, *["30"] * open_requests)
    assert returned(refund_id=UNKNOWN).run(database) == "applied"
    assert refunds(database) == [("succeeded", "re_1", "30")]
    assert refund_of(database, "re_1")[0] != UNKNOWN
    assert open_requests == 0 or refund_of(database, "re_1")[0] == ids[0]


def test_of_two_open_requests_with_the_same_amount_none_is_guessed(database: Connection, order_id: str) -> None:
    requested(database, order_id, "30", "30")
    assert returned().run(database) == "applied"
    assert refunds(database) == [("requested", None, "30"), ("requested", None, "30"), ("succeeded", "re_1", "30")]


def test_an_open_request_comes_before_one_that_staff_set_to_succeeded(database: Connection, order_id: str) -> None:
    by_hand, still_open = requested(database, order_id, "30", "30")
    set_refund(by_hand, "succeeded").run(database)
    assert returned().run(database) == "applied"
    assert refund_of(database, "re_1")[0] == still_open


def test_an_event_confirms_a_refund_that_staff_set_to_succeeded(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    [by_hand] = requested(database, order_id, "30")
    set_refund(by_hand, "succeeded").run(database)
    assert run(database, returned(), returned(status="pending")) == ["applied", "ignored"]
    assert refunds(database) == [("succeeded", "re_1", "30")]
    assert kinds(api) == []


def test_a_canceled_request_is_not_matched_by_its_amount(database: Connection, order_id: str) -> None:
    [canceled] = requested(database, order_id, "30")
    set_refund(canceled, "canceled").run(database)
    returned().run(database)
    assert refunds(database) == [("canceled", None, "30"), ("succeeded", "re_1", "30")]


def test_a_canceled_request_that_was_executed_anyway_succeeded(database: Connection, order_id: str) -> None:
    [canceled] = requested(database, order_id, "30")
    set_refund(canceled, "canceled").run(database)
    returned(refund_id=canceled).run(database)
    assert refunds(database) == [("succeeded", "re_1", "30")]


@pytest.mark.parametrize("status", ["succeeded", "pending"])
def test_a_request_is_canceled_when_a_refund_with_another_amount_names_it_later(
    api: ApiClient, database: Connection, order_id: str, status: str
) -> None:
    [request] = requested(database, order_id, "30")
    run(database, returned(status="pending", amount="80"))
    named = refund_event("evt_named", status, "pi_1", amount="80", refund_id=request)
    named.run(database)
    named.run(database)
    assert set(refunds(database)) == {("canceled", None, "30"), (status, "re_1", "80")}
    assert kinds(api) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"livemode": False, "payment_mode": "live"},
        {"account": "acct_2", "payment_accounts": ["acct_1"]},
        {"currency": "EUR"},
        # Another refund was reported under this event ID before.
        {"event_id": "evt_re_1_succeeded", "amount": "31"},
        {"amount": "0"},
    ],
    ids=["other mode", "other account", "other currency", "other content", "nothing went back"],
)
def test_an_event_without_effect_cancels_no_request_that_it_names(
    database: Connection, order_id: str, fields: dict[str, Any]
) -> None:
    [request] = requested(database, order_id, "50")
    returned().run(database)
    event = {"event_id": "evt_named", "status": "succeeded", "payment": "pi_1", "refund_id": request, **fields}
    assert refund_event(**event).run(database) in ("ignored", "needs_review")
    assert refunds(database) == [("requested", None, "50"), ("succeeded", "re_1", "30")]


@pytest.mark.parametrize("again", ["replay", "delivery"])
def test_a_request_is_canceled_when_the_settings_accept_the_event_that_names_it(
    database: Connection, order_id: str, again: str
) -> None:
    [request] = requested(database, order_id, "50")
    returned().run(database)
    named = refund_event("evt_named", "succeeded", "pi_1", refund_id=request, livemode=False)
    refused = named._replace(request={**named.request, "payment_mode": "live"})
    assert refused.run(database) == "ignored"
    assert ("requested", None, "50") in refunds(database)
    assert processed_again(database, named, again) == "duplicate"
    assert refunds(database) == [("canceled", None, "50"), ("succeeded", "re_1", "30")]


@pytest.mark.parametrize("again", ["replay", "delivery"])
def test_a_refund_that_the_settings_accept_later_brings_the_amount_of_its_other_events(
    database: Connection, again: str
) -> None:
    pending = returned(status="pending", livemode=False)
    refused = pending._replace(request={**pending.request, "payment_mode": "live"})
    assert run(database, refused, returned(amount=None)) == ["ignored", "needs_review"]
    assert processed_again(database, pending, again) == "applied"
    assert refunds(database) == [("succeeded", "re_1", "30")]


def test_one_event_id_for_two_orders_is_a_conflict(api: ApiClient, database: Connection, order_id: str) -> None:
    other = unpaid_order(api)
    paid(database, other, "pi_2")
    events = [refund_event("evt_1", "succeeded", None, order_id=id_) for id_ in (order_id, other)]
    assert run(database, *events, *events) == ["applied", "needs_review", "duplicate", "duplicate"]
    assert refunds(database) == [("succeeded", "re_1", "30")]
    assert kinds(api) == ["conflicting_event"]


@pytest.mark.parametrize(
    "other",
    [
        {"reference": "re_2"},
        {"amount": "31"},
        {"currency": "EUR"},
        {"status": "failed"},
        {"payment": "pi_2"},
    ],
    ids=str,
)
def test_two_refunds_under_one_event_id_are_a_conflict(
    api: ApiClient, database: Connection, other: dict[str, str]
) -> None:
    paid(database, unpaid_order(api), "pi_2")
    event = {"event_id": "evt_1", "status": "succeeded", "payment": "pi_1"}
    calls = refund_event(**event), refund_event(**{**event, **other})
    assert run(database, *calls, *calls) == ["applied", "needs_review", "duplicate", "duplicate"]
    assert refunds(database) == [("succeeded", "re_1", "30")]
    assert kinds(api) == ["conflicting_event"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_refund_and_a_payment_under_one_event_id_are_a_conflict(
    api: ApiClient, database: Connection, *, is_first: bool
) -> None:
    other = unpaid_order(api)
    refund, payment = refund_event("evt_1", "succeeded", "pi_1"), pay(other, "paid", "evt_1", payment_reference="pi_2")
    calls = (refund, payment) if is_first else (payment, refund)
    assert run(database, *calls, *calls) == ["applied", "needs_review", "duplicate", "duplicate"]
    assert (len(refunds(database)), api.payment_status(other)) == ((1, "unpaid") if is_first else (0, "paid"))
    assert kinds(api) == ["conflicting_event"]


def test_a_corrected_amount_replaces_one_that_cannot_be_read(api: ApiClient, database: Connection) -> None:
    broken = refund_event("evt_1", "succeeded", "pi_1", amount=None, reason="amount_unreadable")
    assert run(database, broken, broken) == ["needs_review", "duplicate"]
    assert kinds(api) == ["amount_mismatch"]
    corrected = refund_event("evt_1", "succeeded", "pi_1")
    assert run(database, corrected, corrected, broken) == ["applied", "duplicate", "duplicate"]
    assert (refunds(database), kinds(api)) == ([("succeeded", "re_1", "30")], [])
    assert [row[:3] for row in inbox(database)[:1]] == [[0, "applied", None]]


def test_an_amount_that_cannot_be_read_leaves_that_of_the_refund(database: Connection) -> None:
    returned(status="pending").run(database)
    broken = refund_event("evt_1", "succeeded", "pi_1", amount=None, reason="amount_unreadable")
    calls = broken, broken, refund_event("evt_1", "succeeded", "pi_1")
    assert run(database, *calls) == ["applied", "duplicate", "duplicate"]
    assert refunds(database) == [("succeeded", "re_1", "30")]


@pytest.mark.parametrize("status", ["failed", "canceled"])
@pytest.mark.parametrize("amount", ["0", "-30"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_refund_of_which_nothing_went_back_keeps_its_amount(
    database: Connection, status: str, amount: str, *, is_first: bool
) -> None:
    calls = returned(status="pending"), returned(status=status, amount=amount)
    run(database, *(reversed(calls) if is_first else calls))
    assert refunds(database) == [(status, "re_1", "30")]


@pytest.mark.parametrize(
    ("event", "outcome", "reason"),
    [
        (returned(amount="0"), "ignored", "amount_zero"),
        (returned(amount="0", status="failed"), "ignored", "amount_zero"),
        (returned(currency="EUR"), "needs_review", "currency_differs"),
        (returned(amount=None), "needs_review", "amount_unreadable"),
        (refund_total("evt_total", "pi_1", "0"), "ignored", "refund_total"),
        (refund_total("evt_total", "pi_1", "5", currency="EUR"), "ignored", "refund_total"),
        (dispute_event("evt_dp", "lost", "pi_1", livemode=False, payment_mode="live"), "ignored", "other_mode"),
        (returned(account="acct_2", payment_accounts=["acct_1"]), "ignored", "other_account"),
    ],
    ids=lambda value: value.request["event_id"] if isinstance(value, Call) else value,
)
def test_an_event_that_changes_nothing_says_why(database: Connection, event: Call, outcome: str, reason: str) -> None:
    assert run(database, event) == [outcome]
    found = database.run("SELECT reason FROM payment_events WHERE event_id = :id", id=event.request["event_id"])
    assert found == [[reason]]
    assert database.run("SELECT refunded_amount + lost_amount, refund_status::text FROM orders") == [[0, "none"]]


@pytest.mark.parametrize("amount", ["70", None], ids=["known", "unknown"])
@pytest.mark.parametrize("currency", ["USD", "EUR", None])
def test_a_lost_dispute_takes_its_amount_or_else_the_whole_payment(
    database: Connection, amount: str | None, currency: str | None
) -> None:
    dispute_event("evt_1", "lost", "pi_1", amount=amount, currency=currency).run(database)
    expected = 70 if amount == "70" and currency != "EUR" else 100
    assert database.run("SELECT lost_amount FROM orders") == [[expected]]


def test_disputes_without_an_id_are_one_for_each_payment(database: Connection) -> None:
    events = [dispute_event(f"evt_{status}", status, "pi_1", None) for status in ("open", "lost")]
    assert run(database, *events) == ["applied", "applied"]
    assert database.run("SELECT reference, status::text FROM disputes") == [["", "lost"]]
