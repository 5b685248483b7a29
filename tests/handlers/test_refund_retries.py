"""Idempotency-Key and If-Match: a refund that is requested again, or from an old view, is not made twice."""

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import timeline
from tests.handlers.refunds import ask, etag, paid_order, refunds, requested, set_status


def test_the_same_key_requests_one_refund(api: ApiClient) -> None:
    order = paid_order(api)
    key = {"idempotency-key": "k"}
    first = ask(api, order, {"amount": "60.00"}, **key)
    again = ask(api, order, {"amount": 60}, **key)
    assert (again.status, again.text, again.headers["idempotent-replayed"]) == (201, first.text, "true")
    for other in ({"amount": "60.01"}, {}, {"amount": "60.00", "reason": "x"}):
        assert ask(api, order, other, **key).problem() == (422, "idempotency-key-reused")
    assert ask(api, paid_order(api), {"amount": "60.00"}, **key).problem() == (422, "idempotency-key-reused")
    assert len(refunds(api, order)) == 1
    assert timeline(api, order["id"])[-1]["idempotency_key"] == "k"


def test_a_retry_with_the_same_key_returns_the_first_response_after_the_refund_changed(api: ApiClient) -> None:
    order = paid_order(api)
    first = ask(api, order, None, **{"idempotency-key": "k"})
    expect(200, set_status(api, first.json, "succeeded"))
    again = ask(api, order, None, **{"idempotency-key": "k"})
    assert (again.status, again.text) == (201, first.text)


def test_a_refused_request_does_not_use_up_its_key(api: ApiClient) -> None:
    order = paid_order(api)
    key = {"idempotency-key": "k"}
    assert ask(api, order, {"amount": "100.01"}, **key).problem() == (422, "refund-too-large")
    assert ask(api, order, {"amount": "100.00"}, **key).status == 201


def test_other_keys_request_other_refunds_as_far_as_the_money_allows(api: ApiClient) -> None:
    order = paid_order(api)
    statuses = [ask(api, order, {"amount": "40.00"}, **{"idempotency-key": key}).status for key in ("a", "b", "c")]
    assert statuses == [201, 201, 422]


def test_each_refund_changes_the_etag_of_its_order(api: ApiClient) -> None:
    order = paid_order(api)
    tags = [etag(api, order)]
    for _ in range(2):
        # refund_status stays pending.
        refund = requested(api, order, amount="10.00")
        tags.append(etag(api, order))
    for status in ("pending", "succeeded", "failed"):
        expect(200, set_status(api, refund, status))
        tags.append(etag(api, order))
    assert len(set(tags)) == len(tags)


def test_the_second_of_two_staff_members_gets_412(api: ApiClient) -> None:
    order = paid_order(api)
    seen = {"if-match": etag(api, order)}
    assert ask(api, order, {"amount": "10.00"}, **seen).status == 201
    assert ask(api, order, {"amount": "10.00"}, **seen).problem() == (412, "stale-etag")
    assert len(refunds(api, order)) == 1
    assert ask(api, order, {"amount": "10.00"}, **{"if-match": etag(api, order)}).status == 201
    assert ask(api, order, {"amount": "10.00"}, **{"if-match": "*"}).status == 201


@pytest.mark.parametrize("tag", ['"x"', "", "x", 'W/"x"', '"x", "y"'])
def test_another_etag_is_stale(api: ApiClient, tag: str) -> None:
    order = paid_order(api)
    assert ask(api, order, None, **{"if-match": tag}).problem() == (412, "stale-etag")
    assert refunds(api, order) == []


def test_a_weak_etag_never_matches(api: ApiClient) -> None:
    order = paid_order(api)
    assert ask(api, order, None, **{"if-match": f"W/{etag(api, order)}"}).problem() == (412, "stale-etag")


def test_a_retry_with_a_stale_etag_returns_the_first_response(api: ApiClient) -> None:
    order = paid_order(api)
    headers = {"idempotency-key": "k", "if-match": etag(api, order)}
    first, again = ask(api, order, None, **headers), ask(api, order, None, **headers)
    assert (first.status, again.status, again.text) == (201, 201, first.text)
    assert len(refunds(api, order)) == 1


def test_the_status_of_a_refund_cannot_be_set_under_a_condition(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order)
    response = api.call("PUT", f"/api/refunds/{refund['id']}/status", {"status": "pending"}, {"if-match": '"x"'})
    assert response.status == 412
    assert refunds(api, order) == [refund]
