"""The processor's reference of a refund, which whoever made the refund states with its status."""

from typing import Any

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.refunds import current, paid_order, refund_event, refund_in, refunds, requested, set_status, set_to


def test_a_repeated_final_status_can_add_the_reference(api: ApiClient) -> None:
    refund = refund_in(api, "succeeded")
    assert expect(200, set_status(api, refund, "succeeded", "re_1"))["processor_reference"] == "re_1"
    # The processor reports the same refund.
    order = current(api, {"id": refund["order_id"]})
    assert refund_event(api, order, "succeeded", "re_1", "100.00") == "duplicate"
    assert len(refunds(api, order)) == 1


def test_a_refund_has_one_reference(api: ApiClient) -> None:
    refund = refund_in(api, "pending", "re_1")
    assert set_status(api, refund, "succeeded", "re_2").problem() == (409, "processor-reference-taken")
    assert set_status(api, refund, "succeeded").json["processor_reference"] == "re_1"
    assert set_status(api, refund, "succeeded", "re_2").problem() == (409, "processor-reference-taken")


def test_two_refunds_of_a_payment_have_different_references(api: ApiClient) -> None:
    order = paid_order(api)
    one, two = (requested(api, order, amount="10.00") for _ in range(2))
    expect(200, set_status(api, one, "succeeded", "re_1"))
    for status in ("pending", "succeeded", "failed", "canceled"):
        assert set_status(api, two, status, "re_1").problem() == (409, "processor-reference-taken")
    assert refunds(api, order)[1] == two
    expect(200, set_status(api, two, "succeeded", "re_2"))


def test_refunds_of_different_payments_can_have_the_same_reference(api: ApiClient) -> None:
    # Different processors can use the same ID.
    references = [refund_in(api, "succeeded", "re_1")["processor_reference"] for _ in range(2)]
    assert references == ["re_1", "re_1"]


def test_a_reference_of_a_refund_made_at_the_processor_is_taken(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order, amount="10.00")
    assert refund_event(api, order, "succeeded", "re_dashboard", "5.00") == "applied"
    assert set_status(api, refund, "succeeded", "re_dashboard").problem() == (409, "processor-reference-taken")


def test_the_white_space_around_a_reference_is_not_part_of_it(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order)
    assert set_status(api, refund, "pending", " re_1\n").json["processor_reference"] == "re_1"
    # An event with another amount is about the same refund.
    assert refund_event(api, order, "succeeded", "re_1", "99.00") == "applied"
    assert [found["amount"] for found in refunds(api, order)] == ["99.00"]


@pytest.mark.parametrize("reference", ["", " ", "\n", "a\0b", "a\nb", "\u200b", "x" * 256, 1, True, [], {"id": "re_1"}])
def test_a_malformed_reference_is_refused(api: ApiClient, reference: Any) -> None:
    refund = refund_in(api, "requested")
    body = {"status": "succeeded", "processor_reference": reference}
    assert set_to(api, refund, body).problem() == (422, "invalid-request")
    assert api.items("/api/refunds") == [refund]


def test_a_reference_can_have_255_characters(api: ApiClient) -> None:
    assert set_status(api, refund_in(api, "requested"), "pending", "字" * 255).status == 200
