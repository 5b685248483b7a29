"""The program of the guide logs why it does not make a refund, and stops if it has wrong settings."""

from collections.abc import Callable

import pytest
import stripe

from tests.api_client import expect
from tests.refund_program import run
from tests.refund_shop import Shop
from tests.stripe_refunds import Payment, Stripe


def messages_of(logger: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == logger]


def refunded_in_the_dashboard(account: Stripe, payment: Payment) -> None:
    account.refund(payment.reference)


def partly_refunded_in_the_dashboard(account: Stripe, payment: Payment) -> None:
    account.refund(payment.reference, 601)


def disputed(_: Stripe, payment: Payment) -> None:
    payment.disputed = True


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (refunded_in_the_dashboard, "has already been refunded"),
        (partly_refunded_in_the_dashboard, "greater than unrefunded amount"),
        (disputed, "charged back"),
    ],
)
def test_a_final_refusal_sets_the_refund_to_failed_and_logs_the_reason(
    shop: Shop,
    account: Stripe,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[Stripe, Payment], None],
    reason: str,
) -> None:
    payment = shop.paid("10.00")
    refund_id = shop.request(payment, "4.00")
    change(account, payment)
    made = len(account.refunds)
    run()
    assert (shop.status(refund_id), len(account.refunds)) == ("failed", made)
    [message] = messages_of("refunds", caplog)
    assert refund_id in message
    assert reason in message


def test_a_refund_that_stripe_made_as_failed_is_not_made_again(shop: Shop, account: Stripe) -> None:
    payment = shop.paid("10.00")
    payment.refund_status = "failed"
    refund_id = shop.request(payment, "4.00")
    for _ in range(2):
        run()
        account.expire_keys()
    assert len(account.refunds) == 1
    shop.deliver()
    assert shop.status(refund_id) == "failed"


def test_a_wrong_key_ends_the_run_and_a_later_run_makes_the_refund(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    refund_id = shop.request(shop.paid("10.00"), "4.00")
    with monkeypatch.context() as patch:
        patch.setenv("STRIPE_API_KEY", "sk_test_wrong")
        with pytest.raises(stripe.AuthenticationError):
            run()
    assert shop.status(refund_id) == "pending"
    run()
    shop.expect_refunded_once(refund_id, 400)


def test_the_key_of_another_account_fails_no_refund_and_stops_no_other(shop: Shop, account: Stripe) -> None:
    payment, other = shop.paid("10.00"), shop.paid("10.00")
    refund_id, other_id = shop.request(payment, "4.00"), shop.request(other, "5.00")
    del account.payments[payment.reference]
    run()
    assert [shop.status(one) for one in (refund_id, other_id)] == ["pending", "pending"]
    assert account.returned(other.reference) == 500
    account.payments[payment.reference] = payment
    run()
    assert account.returned(payment.reference) == 400


@pytest.mark.parametrize("name", ["STOREFRONT_URL", "STOREFRONT_TOKEN", "STRIPE_API_KEY"])
@pytest.mark.usefixtures("shop")
def test_the_program_says_which_environment_variable_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SystemExit, match=f"^Set the environment variable {name}.$"):
        run()


def test_the_log_has_no_entries_of_stripe_s_library_about_its_requests(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    caplog.set_level("INFO", "stripe")
    shop.request(shop.paid("10.00"), "4.00")
    run()
    assert messages_of("stripe", caplog) == []


def test_a_refund_of_another_kind_of_payment_is_left_to_staff(
    shop: Shop, account: Stripe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "refunds")
    order = shop.api.order((shop.api.create_product()["id"], 1))
    shop.api.pay(order["id"])
    refund_id = expect(201, shop.api.call("POST", f"/api/orders/{order['id']}/refunds", {}))["id"]
    run()
    assert (shop.status(refund_id), account.refunds) == ("requested", [])
    # Each run would log it again.
    assert messages_of("refunds", caplog) == []
    caplog.set_level("DEBUG", "refunds")
    run()
    [message] = messages_of("refunds", caplog)
    assert refund_id in message
