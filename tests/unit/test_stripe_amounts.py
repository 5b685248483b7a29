"""How the amounts and the currencies of Stripe's events are read."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from storefront.currencies import EXPONENTS
from tests.stripe_events import stripe_event
from tests.unit import reading
from tests.unit.reading import ORDER

read = partial(reading.read, "stripe")


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("usd", "24.00"), ("JPY", "2400.00"), ("kwd", "2.40"), ("krw", "2400.00"), ("isk", "24.00"), ("ugx", "24.00")],
)
def test_minor_units_depend_on_the_currency(currency: str, amount: str) -> None:
    event = read(stripe_event(currency=currency))
    assert (str(event.amount), event.currency) == (amount, currency.upper())


def test_currencies_with_other_minor_units_match_the_stripe_documentation() -> None:
    by_exponent = {n: "".join(name for name, m in EXPONENTS.items() if m == n) for n in (0, 3)}
    assert by_exponent == {0: "BIFCLPDJFGNFJPYKMFKRWMGAPYGRWFVNDVUVXAFXOFXPF", 3: "BHDJODKWDOMRTND"}


def test_a_stripe_amount_keeps_its_third_decimal_place() -> None:
    event = read(stripe_event(currency="kwd", amount_received=2401))
    assert str(event.amount) == "2.401"


def test_amount_received_takes_precedence_over_amount() -> None:
    body = stripe_event(amount=2400, amount_received=2399)
    assert read(body).amount == Decimal("23.99")


def test_amount_is_used_if_amount_received_is_missing() -> None:
    assert read(stripe_event(amount=2399, amount_received=None)).amount == Decimal("23.99")
    assert read(stripe_event(amount=2400, amount_received=0)).amount == Decimal("0.00")


def test_a_stripe_event_may_have_no_amount() -> None:
    event = read(stripe_event(amount=None, amount_received=None))
    assert (event.amount, event.currency, event.payment_status) == (None, "USD", "paid")
    event = read(stripe_event(amount=None, amount_received=None, currency=None))
    assert (event.amount, event.currency, event.payment_status) == (None, None, "paid")


@pytest.mark.parametrize("currency", [None, "$", "", 840, []])
def test_an_amount_without_a_currency_cannot_be_read(currency: Any) -> None:
    # The number of decimal places depends on the currency.
    event = read(stripe_event(currency=currency))
    assert (event.payment_status, event.amount, event.currency) == ("paid", None, None)
    assert event.reason == "amount_unreadable"
    event = read(stripe_event("payment_intent.payment_failed", currency=currency))
    assert (event.payment_status, event.amount, event.reason) == ("failed", None, None)


@pytest.mark.parametrize("units", ["2400", 2400.0, " 2400\n"])
def test_minor_units_may_be_text_or_have_an_empty_fraction(units: Any) -> None:
    assert read(stripe_event(amount_received=units)).amount == Decimal("24.00")


@pytest.mark.parametrize("units", ["", "?", "24.00", 24.5, True, [], float("nan"), 10**101])
def test_an_amount_that_cannot_be_read_is_not_a_missing_amount(units: Any) -> None:
    event = read(stripe_event(amount_received=units))
    assert (event.payment_status, event.amount, event.currency) == ("paid", None, "USD")
    assert (event.order_id, event.reason) == (ORDER, "amount_unreadable")
    event = read(stripe_event("payment_intent.payment_failed", amount=units))
    assert (event.payment_status, event.amount, event.reason) == ("failed", None, None)


def test_a_negative_amount_is_read() -> None:
    assert read(stripe_event(amount_received=-1)).amount == Decimal("-0.01")


def test_a_large_amount_is_read() -> None:
    event = read(stripe_event(amount_received=10**15))
    assert event.amount == Decimal(10**13)
