"""Which payment a refund or dispute event is about."""

from itertools import permutations
from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient
from tests.integration.races import Call, pay
from tests.integration.refund_events import dispute_event, refund_event, requested
from tests.integration.refunds_of_orders import paid, refund_of, refunds, returned, unpaid_order
from tests.integration.stored_events import run

pytestmark = pytest.mark.usefixtures("order_id", "expect_no_violations")


@pytest.fixture
def order_id(api: ApiClient, database: Connection) -> str:
    """An order whose payment pi_1 of 100.00 was reported."""
    id_ = unpaid_order(api)
    paid(database, id_)
    return id_


def test_a_named_refund_of_another_payment_stays_open(api: ApiClient, database: Connection) -> None:
    other = unpaid_order(api)
    paid(database, other, "pi_2")
    [named] = requested(database, other, "30")
    assert returned(refund_id=named).run(database) == "applied"
    assert refunds(database) == [("requested", None, "30"), ("succeeded", "re_1", "30")]
    assert refund_of(database, "re_1")[1] == "pi_1"


@pytest.mark.parametrize("payment", ["pi_unknown", None])
@pytest.mark.parametrize("named_order", ["its own", "another", "unknown", None])
def test_a_named_refund_counts_if_no_known_payment_is_named(
    api: ApiClient, database: Connection, order_id: str, payment: str | None, named_order: str | None
) -> None:
    other = unpaid_order(api)
    paid(database, other, "pi_2")
    named_id = {"its own": order_id, "another": other, "unknown": UNKNOWN, None: None}[named_order]
    [named] = requested(database, order_id, "30")
    event = returned(payment=payment, order_id=named_id, refund_id=named)
    assert run(database, event, event) == ["applied", "duplicate"]
    assert (refunds(database), refund_of(database, "re_1")) == ([("succeeded", "re_1", "30")], (named, "pi_1"))
    assert database.run("SELECT FROM payments WHERE order_id IS NULL") == []


def test_a_named_refund_of_a_payment_without_a_reference_counts(api: ApiClient, database: Connection) -> None:
    order_id = unpaid_order(api)
    paid(database, order_id, None)
    [named] = requested(database, order_id, "30")
    assert returned(refund_id=named, payment="pi_unknown", provider="stripe").run(database) == "applied"
    assert refund_of(database, "re_1")[0] == named


def test_an_event_that_names_only_the_refund_finds_its_payment(database: Connection, order_id: str) -> None:
    [named] = requested(database, order_id, "30")
    assert returned(payment=None, refund_id=named).run(database) == "applied"
    assert refunds(database) == [("succeeded", "re_1", "30")]


def test_an_event_that_names_only_an_unknown_refund_waits_for_nothing(database: Connection) -> None:
    assert returned(payment=None, refund_id=UNKNOWN).run(database) == "unknown_order"
    assert refunds(database) == []


def test_the_id_of_the_payment_event_can_stand_in_for_the_reference(api: ApiClient, database: Connection) -> None:
    paid(database, unpaid_order(api), None)
    assert returned(payment="evt_None").run(database) == "applied"
    assert refunds(database) == [("succeeded", "re_1", "30")]


def by_order(order_id: str, reference: str, amount: str, **fields: Any) -> Call:
    return returned(reference, payment=None, order_id=order_id, amount=amount, **fields)


def request_of(database: Connection, reference: str, amount: str = "30") -> None:
    """Request a refund of a payment."""
    database.run(
        "SELECT request_refund(jsonb_build_object('id', order_id, 'payment_id', id, 'actor', 'Ada',"
        " 'amount', CAST(:amount AS text))) FROM payments WHERE reference = :reference",
        reference=reference,
        amount=amount,
    )


def test_of_several_payments_the_one_with_the_request_gets_the_refund(database: Connection, order_id: str) -> None:
    paid(database, order_id, "pi_2")
    request_of(database, "pi_1")
    assert by_order(order_id, "re_1", "30").run(database) == "applied"
    assert (refund_of(database, "re_1")[1], len(refunds(database))) == ("pi_1", 1)


def test_of_several_requests_the_one_of_the_same_amount_gets_the_refund(database: Connection, order_id: str) -> None:
    paid(database, order_id, "pi_2")
    request_of(database, "pi_1")
    request_of(database, "pi_2", "40")
    assert by_order(order_id, "re_1", "30").run(database) == "applied"
    assert refunds(database) == [("requested", None, "40"), ("succeeded", "re_1", "30")]


def test_of_several_payments_the_second_one_gets_a_refund_without_a_request(
    database: Connection, order_id: str
) -> None:
    paid(database, order_id, "pi_2")
    pending, succeeded = (by_order(order_id, "re_1", "100", status=status) for status in ("pending", "succeeded"))
    assert run(database, pending, succeeded, by_order(order_id, "re_2", "100")) == ["applied"] * 3
    assert [refund_of(database, name)[1] for name in ("re_1", "re_2")] == ["pi_2", "pi_1"]


PAYMENTS_AND_REFUND = ("USD", "EUR", "refund")


@pytest.mark.parametrize("arrivals", list(permutations(PAYMENTS_AND_REFUND)), ids=" ".join)
@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_of_payments_in_several_currencies_the_one_in_its_own_gets_a_refund_of_the_order(
    api: ApiClient, database: Connection, currency: str, arrivals: tuple[str, ...]
) -> None:
    order_id = unpaid_order(api)
    calls = {
        **{
            name: pay(order_id, "paid", f"evt_{name}", amount="100", currency=name, payment_reference=name)
            for name in ("USD", "EUR")
        },
        "refund": by_order(order_id, "re_1", "100", currency=currency),
    }
    run(database, *(calls[name] for name in arrivals))
    assert refunds(database) == [("succeeded", "re_1", "100")]
    assert refund_of(database, "re_1")[1] == currency
    assert database.run("SELECT outcome::text FROM payment_events WHERE refund_status IS NOT NULL") == [["applied"]]


def test_a_request_in_another_currency_is_not_matched_by_its_amount(database: Connection, order_id: str) -> None:
    pay(order_id, "paid", "evt_2", amount="100", currency="EUR", payment_reference="pi_eur").run(database)
    request_of(database, "pi_eur")
    assert by_order(order_id, "re_1", "30").run(database) == "applied"
    assert refunds(database) == [("requested", None, "30"), ("succeeded", "re_1", "30")]
    assert refund_of(database, "re_1")[1] == "pi_1"


@pytest.mark.parametrize(("currency", "payment"), [("USD", "pi_1"), ("EUR", "pi_eur")])
@pytest.mark.parametrize("disputed", ["one", "both"])
def test_a_dispute_of_an_order_is_about_the_payment_in_its_currency(
    database: Connection, order_id: str, currency: str, payment: str, disputed: str
) -> None:
    pay(order_id, "paid", "evt_2", amount="100", currency="EUR", payment_reference="pi_eur").run(database)
    for one in ("USD", "EUR") if disputed == "both" else (currency,):
        dispute_event(f"evt_{one}", "open", None, None, order_id=order_id, currency=one).run(database)
    dispute_event("evt_lost", "lost", None, None, order_id=order_id, currency=currency).run(database)
    assert database.run("SELECT reference, lost_amount FROM payments WHERE lost_amount > 0") == [[payment, 100]]


def test_a_refund_stays_with_its_payment_when_an_event_names_another_one(api: ApiClient, database: Connection) -> None:
    order_id = unpaid_order(api)
    paid(database, order_id, None)
    assert returned(payment="pi_2", order_id=order_id).run(database) == "applied"
    paid(database, order_id, "pi_2")
    assert refund_event("evt_again", "succeeded", "pi_2").run(database) == "duplicate"
    assert refunds(database) == [("succeeded", "re_1", "30")]
    assert refund_of(database, "re_1")[1] == "evt_None"


def test_a_refund_of_an_order_counts_once_when_an_event_names_its_payment(database: Connection, order_id: str) -> None:
    paid(database, order_id, "pi_2")
    by_order(order_id, "re_1", "30").run(database)
    for payment in ("pi_1", "pi_2"):
        refund_event(f"evt_{payment}_again", "succeeded", payment).run(database)
    assert refunds(database) == [("succeeded", "re_1", "30")]
