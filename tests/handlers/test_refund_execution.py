"""The program of the guide makes each requested refund exactly once, through Stripe's library, whatever goes wrong."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, get_ident
from typing import Any, get_args

import pytest
import requests

from storefront.currencies import EXPONENTS
from tests import refund_program
from tests.refund_program import run
from tests.refund_shop import Shop
from tests.stripe_refunds import Fault, Stripe

FAULTS = get_args(Fault)


class Killed(BaseException):
    """The process of the program ends."""


@contextmanager
def together(method: str) -> Iterator[None]:
    """Hold the first request with a method of each of two runs, until both have arrived."""
    send, barrier, arrived = requests.Session.send, Barrier(2), set[int]()

    def sent(session: requests.Session, request: Any, **options: Any) -> requests.Response:
        if request.method == method and get_ident() not in arrived:
            arrived.add(get_ident())
            barrier.wait(10)
        return send(session, request, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", sent)
        yield
    assert len(arrived) == 2


def run_and_kill(number: int, *, after: bool) -> bool:
    """Kill a run before it sends a request, or when the response arrives. False: it sent fewer requests."""
    send, count = requests.Session.send, iter(range(1000))

    def sent(session: requests.Session, request: Any, **options: Any) -> requests.Response:
        killed = next(count) == number
        if killed and not after:
            raise Killed
        response = send(session, request, **options)
        if killed:
            response.close()
            raise Killed
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", sent)
        try:
            run()
        except Killed:
            return True
    return False


@contextmanager
def canceled_after_the_queue_was_read(shop: Shop, refund_id: str) -> Iterator[None]:
    """Cancel a refund before the program claims it."""
    send = requests.Session.send

    def sent(session: requests.Session, request: Any, **options: Any) -> requests.Response:
        if request.method == "PUT":
            shop.set_status(refund_id, "canceled")
        return send(session, request, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", sent)
        yield


def test_a_requested_refund_is_made_and_confirmed_by_the_event(shop: Shop) -> None:
    payment = shop.paid("10.00")
    refund_id = shop.request(payment, "4.05")
    run()
    assert shop.status(refund_id) == "pending"
    shop.expect_refunded_once(refund_id, 405)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("0.29", "USD", 29), ("1990.00", "JPY", 1990), ("1990.00", "ISK", 199_000), ("19.90", "KWD", 19_900)],
)
def test_the_program_counts_like_stripe(
    shop: Shop, account: Stripe, monkeypatch: pytest.MonkeyPatch, *, amount: str, currency: str, minor: int
) -> None:
    monkeypatch.setenv("CURRENCY", currency)
    payment = shop.paid(amount, currency)
    shop.request(payment, amount)
    run()
    assert [one["amount"] for one in account.refunds] == [minor]


@pytest.mark.usefixtures("shop")
def test_the_program_knows_the_decimal_places_of_every_currency() -> None:
    assert refund_program.names()["PLACES"] == EXPONENTS


def test_partial_refunds_add_up_to_the_payment(shop: Shop, account: Stripe) -> None:
    payment = shop.paid("10.00")
    for amount in ("3.33", "3.33", "3.34"):
        shop.request(payment, amount)
    run()
    assert sorted(one["amount"] for one in account.refunds) == [333, 333, 334]
    assert account.returned(payment.reference) == 1000


@pytest.mark.parametrize("times", [1, 3], ids=["once", "for the whole run"])
@pytest.mark.parametrize("a_day_later", [False, True], ids=["soon", "a day later"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_stripe_refunds_nothing_twice(
    shop: Shop, account: Stripe, fault: Fault, *, times: int, a_day_later: bool
) -> None:
    payment = shop.paid("10.00")
    refund_id = shop.request(payment, "4.00")
    account.faults.extend([fault] * times)
    run()
    account.faults.clear()
    account.continue_slow_requests()
    if a_day_later:
        account.expire_keys()
    run()
    if not account.refunds:
        # Stripe repeats a 500 until it forgets the key.
        assert (fault, shop.status(refund_id)) == ("500 before the refund", "pending")
        account.expire_keys()
        run()
    shop.expect_refunded_once(refund_id, 400)


@pytest.mark.parametrize("a_day_later", [False, True], ids=["soon", "a day later"])
@pytest.mark.parametrize("after", [False, True], ids=["before the request", "before the response"])
def test_a_run_that_is_killed_at_any_request_is_continued(
    shop: Shop, account: Stripe, *, after: bool, a_day_later: bool
) -> None:
    number = 0
    refunds = {}
    while True:
        payment = shop.paid("10.00")
        refund_id = shop.request(payment, "4.00")
        if not run_and_kill(number, after=after):
            break
        refunds[payment.reference] = refund_id
        if a_day_later:
            account.expire_keys()
        run()
        assert account.returned(payment.reference) == 400
        shop.deliver()
        number += 1
    # The queue of unfinished refunds, the queue of requested ones, the claim, and two requests to Stripe.
    assert number == 5
    assert {shop.status(refund_id) for refund_id in refunds.values()} == {"succeeded"}
    assert len(account.refunds) == number + 1


@pytest.mark.parametrize(
    ("claimed", "method"), [(False, "PUT"), (True, "POST")], ids=["both claim it", "both continue it"]
)
def test_two_runs_at_the_same_time_refund_nothing_twice(shop: Shop, *, claimed: bool, method: str) -> None:
    refund_id = shop.request(shop.paid("10.00"), "4.00")
    if claimed:
        shop.set_status(refund_id, "pending")
    with together(method), ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run) for _ in range(2)]:
            future.result()
    shop.expect_refunded_once(refund_id, 400)


def test_a_refund_that_cannot_be_claimed_is_not_made(shop: Shop, account: Stripe) -> None:
    refund_id = shop.request(shop.paid("10.00"), "4.00")
    with canceled_after_the_queue_was_read(shop, refund_id):
        run()
    run()
    assert (shop.status(refund_id), account.refunds) == ("canceled", [])


def test_a_long_queue_is_read_to_its_end(shop: Shop, account: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refund_program, "PROGRAM", refund_program.PROGRAM.replace('"page_size": 100', '"page_size": 2'))
    payment = shop.paid("10.00")
    for cents in range(1, 6):
        shop.request(payment, f"0.0{cents}")
    run()
    assert sorted(one["amount"] for one in account.refunds) == [1, 2, 3, 4, 5]
