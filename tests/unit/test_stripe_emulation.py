"""The emulation of Stripe's refund endpoints does what Stripe documents, for Stripe's own library.

https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/error-low-level
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import stripe

from tests.stripe_refunds import KEY, Fault, Stripe, serving


@pytest.fixture
def account() -> Stripe:
    return Stripe()


@pytest.fixture
def client(account: Stripe) -> Iterator[stripe.StripeClient]:
    """Stripe's client, without retries."""
    http_client = stripe.RequestsClient(timeout=0.25)
    with serving(account) as address:
        yield stripe.StripeClient(KEY, base_addresses={"api": address}, http_client=http_client, max_network_retries=0)
        http_client.close()  # type: ignore[no-untyped-call]


def create(client: stripe.StripeClient, payment: str, amount: int, key: str = "key-1") -> Any:
    metadata = {"refund_id": "1"}
    parameters: Any = {"payment_intent": payment, "amount": amount, "metadata": metadata}
    return client.v1.refunds.create(parameters, {"idempotency_key": key})


def create_or_conflict(client: stripe.StripeClient, payment: str) -> None:
    with suppress(stripe.APIError):
        create(client, payment, 10)


def is_replay(refund: Any) -> bool:
    return "idempotent-replayed" in refund.last_response.headers


def test_a_key_makes_one_refund_until_it_expires(account: Stripe, client: stripe.StripeClient) -> None:
    payment = account.receive(1000).reference
    first, again = (create(client, payment, 400) for _ in range(2))
    assert (first.id, first.status, first.metadata.refund_id) == (again.id, "succeeded", "1")
    assert [is_replay(one) for one in (first, again)] == [False, True]
    assert account.returned(payment) == 400

    account.expire_keys()
    assert create(client, payment, 400).id != first.id
    assert account.returned(payment) == 800


def test_a_key_belongs_to_its_parameters(account: Stripe, client: stripe.StripeClient) -> None:
    payment = account.receive(1000).reference
    create(client, payment, 400)
    with pytest.raises(stripe.IdempotencyError):
        create(client, payment, 500)


def test_a_key_in_use_is_a_conflict(account: Stripe, client: stripe.StripeClient) -> None:
    payment = account.receive(1000).reference
    account.faults.append("slow")
    with pytest.raises(stripe.APIConnectionError):
        create(client, payment, 400)
    with pytest.raises(stripe.APIError) as conflict:
        create(client, payment, 400)
    assert (conflict.value.http_status, account.returned(payment)) == (409, 0)
    account.continue_slow_requests()
    assert is_replay(create(client, payment, 400))
    assert account.returned(payment) == 400


@pytest.mark.parametrize(
    ("fault", "made", "made_by_a_retry"),
    [
        ("request lost", 0, 1),
        ("response lost", 1, 1),
        ("500 before the refund", 0, 0),
        ("500 after the refund", 1, 1),
        ("rate limited", 0, 1),
    ],
)
def test_a_500_is_replayed_and_what_did_not_begin_is_not(
    account: Stripe, client: stripe.StripeClient, fault: Fault, made: int, made_by_a_retry: int
) -> None:
    payment = account.receive(1000).reference
    account.faults.append(fault)
    with pytest.raises(stripe.StripeError):
        create(client, payment, 400)
    assert len(account.refunds) == made
    if fault.startswith("500"):
        with pytest.raises(stripe.APIError):
            create(client, payment, 400)
    else:
        create(client, payment, 400)
    assert len(account.refunds) == made_by_a_retry


def test_a_refund_never_exceeds_what_is_left_of_the_payment(account: Stripe, client: stripe.StripeClient) -> None:
    payment = account.receive(1000)
    create(client, payment.reference, 400)
    with pytest.raises(stripe.InvalidRequestError) as too_large:
        create(client, payment.reference, 601, "key-2")
    assert (too_large.value.code, too_large.value.param) == (None, "amount")
    create(client, payment.reference, 600, "key-3")
    with pytest.raises(stripe.InvalidRequestError) as refunded:
        create(client, payment.reference, 1, "key-4")
    assert refunded.value.code == "charge_already_refunded"
    # A refusal is saved too.
    account.settle(account.refunds[0], "failed")
    with pytest.raises(stripe.InvalidRequestError):
        create(client, payment.reference, 1, "key-4")
    payment.disputed = True
    with pytest.raises(stripe.InvalidRequestError) as disputed:
        create(client, payment.reference, 1, "key-5")
    assert disputed.value.code == "charge_disputed"


def test_sixteen_requests_at_once_with_one_key_make_one_refund(account: Stripe, client: stripe.StripeClient) -> None:
    payment = account.receive(1000).reference
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: create_or_conflict(client, payment), range(16)))
    assert set(account.replies) in ({200}, {200, 409})
    assert account.returned(payment) == 10


def test_a_list_has_the_refunds_of_one_payment_in_pages(account: Stripe, client: stripe.StripeClient) -> None:
    payment, other = (account.receive(1000).reference for _ in range(2))
    made = [account.refund(payment, 1)["id"] for _ in range(5)]
    account.refund(other)
    for limit in (2, 5, 100):
        listed = client.v1.refunds.list({"payment_intent": payment, "limit": limit}).auto_paging_iter()
        assert [refund.id for refund in listed] == made[::-1]


def test_a_refund_causes_the_events_that_stripe_sends(account: Stripe) -> None:
    payment = account.receive(1000).reference
    refund = account.refund(payment, 400, refund_id="1")
    account.settle(refund, "failed")
    created, cumulative, *rest = account.events
    assert [event["type"] for event in (created, cumulative)] == ["refund.created", "charge.refunded"]
    assert (created["data"]["object"]["status"], cumulative["data"]["object"]["amount_refunded"]) == ("succeeded", 400)
    assert [event["type"] for event in rest] == ["refund.updated", "charge.refund.updated", "refund.failed"]
    assert {event["data"]["object"]["status"] for event in rest} == {"failed"}


def test_another_key_than_the_account_s_is_refused(account: Stripe, client: stripe.StripeClient) -> None:
    payment = account.receive(1000).reference
    wrong = stripe.StripeClient(
        "sk_test_wrong",
        base_addresses={"api": client._requestor._options.base_addresses["api"]},
        http_client=client._requestor._client,
    )
    with pytest.raises(stripe.AuthenticationError):
        create(wrong, payment, 1)
    assert account.refunds == []
