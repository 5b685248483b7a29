"""The program of the guide, Stripe's dashboard and Stripe's events meet in any order: the money goes back once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import requests
import stripe

from tests import refund_program
from tests.api_client import ApiClient, expect
from tests.refund_program import run
from tests.refund_shop import Shop
from tests.stripe_refunds import Fault, Stripe
from tests.waiting import wait_until


@contextmanager
def events_before_responses(shop: Shop) -> Iterator[None]:
    """Deliver Stripe's events about a refund before the program gets the response."""
    send = requests.Session.send

    def sent(session: requests.Session, request: Any, **options: Any) -> requests.Response:
        response = send(session, request, **options)
        shop.deliver()
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", sent)
        yield


@contextmanager
def before_the_refund_is_made(action: Callable[[], None]) -> Iterator[None]:
    """Act before the program's request to make a refund arrives at Stripe."""
    send = requests.Session.send

    def sent(session: requests.Session, request: Any, **options: Any) -> requests.Response:
        if request.method == "POST":
            action()
        return send(session, request, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", sent)
        yield


def refunds_of(api: ApiClient, order_id: str | None) -> list[tuple[str, str]]:
    """The amount and status of each refund of an order, the smallest first."""
    refunds = api.items(f"/api/orders/{order_id}/refunds")
    return sorted(((one["amount"], one["status"]) for one in refunds), key=lambda one: Decimal(one[0]))


def test_a_payment_that_is_not_stripe_s_is_left_to_people(shop: Shop, account: Stripe) -> None:
    payments = [{"payment_reference": "bank-4711"}, {"event_id": "evt_of_another_processor"}, {}]
    requested = []
    for fields in payments:
        order = shop.api.order((shop.api.create_product(price="10.00")["id"], 1))
        expect(200, shop.api.pay(order["id"], amount="10.00", currency="USD", **fields))
        requested.append(
            expect(201, shop.api.call("POST", f"/api/orders/{order['id']}/refunds", {"amount": "4.00"}))["id"]
        )
    shop.set_status(requested[0], "pending")
    run()
    assert [shop.status(one) for one in requested] == ["pending", "requested", "requested"]
    assert account.replies == []


def test_a_refund_in_the_dashboard_executes_the_open_request(shop: Shop, account: Stripe) -> None:
    payment = shop.paid("10.00")
    shop.request(payment, "4.00")
    account.refund(payment.reference, 400)
    shop.deliver()
    run()
    assert refunds_of(shop.api, payment.order_id) == [("4.00", "succeeded")]
    assert account.returned(payment.reference) == 400


def test_a_refund_in_the_dashboard_at_the_same_moment_stays_succeeded(shop: Shop, account: Stripe) -> None:
    payment = shop.paid("10.00")
    shop.request(payment, "10.00")

    def refund_in_the_dashboard() -> None:
        account.refund(payment.reference)
        shop.deliver()

    with before_the_refund_is_made(refund_in_the_dashboard):
        run()
    assert refunds_of(shop.api, payment.order_id) == [("10.00", "succeeded")]
    assert account.returned(payment.reference) == 1000


def test_a_refund_in_the_dashboard_that_takes_time_is_not_made_again(shop: Shop, account: Stripe) -> None:
    payment = shop.paid("10.00")
    payment.refund_status = "pending"
    account.refund(payment.reference, 300)
    shop.deliver()
    run()
    assert refunds_of(shop.api, payment.order_id) == [("3.00", "pending")]
    assert account.returned(payment.reference) == 300


def test_a_refund_that_staff_made_themselves_is_not_made_again(shop: Shop, account: Stripe) -> None:
    refund_id = shop.request(shop.paid("10.00"), "4.00")
    made = {"status": "pending", "processor_reference": "re_made_by_hand"}
    expect(200, shop.api.call("PUT", f"/api/refunds/{refund_id}/status", made))
    run()
    assert account.replies == []


def test_a_refund_of_a_disputed_payment_is_made_after_the_dispute(shop: Shop, account: Stripe) -> None:
    payment = shop.paid("10.00")
    refund_id = shop.request(payment, "4.00")
    shop.dispute(payment, "created", "needs_response")
    shop.deliver()
    run()
    assert (shop.status(refund_id), account.replies) == ("requested", [])
    shop.dispute(payment, "closed", "won")
    shop.deliver()
    run()
    shop.expect_refunded_once(refund_id, 400)


def test_an_event_does_not_change_when_a_refund_was_requested(shop: Shop) -> None:
    shop.request(shop.paid("10.00"), "4.00")
    [requested] = shop.api.items("/api/refunds")
    run()
    shop.deliver()
    [made] = shop.api.items("/api/refunds")
    assert (made["status"], made["requested_at"]) == ("succeeded", requested["requested_at"])


@pytest.mark.parametrize("fault", [None, "500 after the refund", "response lost"])
def test_an_event_may_arrive_before_the_response(shop: Shop, account: Stripe, fault: Fault | None) -> None:
    refund_id = shop.request(shop.paid("10.00"), "4.00")
    account.faults.extend([fault] if fault else [])
    with events_before_responses(shop):
        run()
    assert shop.status(refund_id) == "succeeded"
    shop.expect_refunded_once(refund_id, 400)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_events_does_not_matter(shop: Shop, account: Stripe, seed: int) -> None:
    requested, slow, failed, elsewhere = [shop.paid("10.00") for _ in range(4)]
    slow.refund_status = "pending"
    for payment in (requested, slow, failed):
        shop.request(payment, "4.00")
    run()
    shop.request(requested, "6.00")
    run()
    account.settle(account.refunds_of(slow.reference)[0], "succeeded")
    account.settle(account.refunds_of(failed.reference)[0], "failed")
    account.refund(failed.reference)
    account.refund(elsewhere.reference, 333)
    # Its payment is reported after its refunds, in some orders of the events.
    unknown = shop.payment(shop.api.order((shop.api.create_product(price="10.00")["id"], 1)))
    account.refund(unknown.reference, 250)
    account.refund(unknown.reference, 250)
    shop.report_later(unknown)
    shop.deliver(Random(seed))

    assert {
        name: refunds_of(shop.api, payment.order_id)
        for name, payment in {
            "requested": requested,
            "slow": slow,
            "failed": failed,
            "elsewhere": elsewhere,
            "unknown": unknown,
        }.items()
    } == {
        "requested": [("4.00", "succeeded"), ("6.00", "succeeded")],
        "slow": [("4.00", "succeeded")],
        "failed": [("4.00", "failed"), ("10.00", "succeeded")],
        "elsewhere": [("3.33", "succeeded")],
        "unknown": [("2.50", "succeeded"), ("2.50", "succeeded")],
    }
    orders = [expect(200, shop.api.get(f"/api/orders/{payment.order_id}")) for payment in account.payments.values()]
    assert [(one["paid_amount"], one["refunded_amount"], one["refund_status"]) for one in orders] == [
        ("10.00", "10.00", "full"),
        ("10.00", "4.00", "partial"),
        ("10.00", "10.00", "full"),
        ("10.00", "3.33", "partial"),
        ("10.00", "5.00", "partial"),
    ]
    assert shop.api.items("/api/reconciliation") == []


@pytest.mark.parametrize("fault", ["request lost", "response lost", "slow"])
def test_a_killed_process_is_continued_by_the_next_run(shop: Shop, account: Stripe, fault: Fault) -> None:
    refund_id = shop.request(shop.paid("10.00"), "4.00")
    account.faults.append(fault)
    program = f"import stripe\nstripe.api_base = {stripe.api_base!r}\n{refund_program.PROGRAM}"
    with subprocess.Popen([sys.executable, "-c", program], env=dict(os.environ)) as process:
        # Stripe has the request to make the refund, and does not respond.
        wait_until(lambda: account.refunds if fault == "response lost" else not account.faults)
        process.kill()
        assert process.wait(10) == -signal.SIGKILL
    assert shop.status(refund_id) == "pending"
    account.continue_slow_requests()
    run()
    shop.expect_refunded_once(refund_id, 400)
