"""The status of a refund: who claims it, and what its executor reports."""

from itertools import product
from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.inbox import timeline
from tests.handlers.refunds import (
    ask,
    cancel,
    current,
    dispute,
    etag,
    money,
    paid_order,
    refund_event,
    refund_in,
    refunds,
    requested,
    set_status,
    set_to,
)
from tests.handlers.tokens import client_with_scopes

STATUSES = ("requested", "pending", "canceled", "succeeded", "failed")
ALLOWED = {
    "requested": {"pending", "canceled", "succeeded", "failed"},
    "pending": {"canceled", "succeeded", "failed"},
    "canceled": {"canceled"},
    "succeeded": {"succeeded", "failed"},
    "failed": {"failed"},
}
"""The statuses that a refund can be set to, by its current one. The same final status again changes nothing."""


@pytest.mark.parametrize(("before", "after"), [*product(STATUSES, STATUSES[1:])])
@pytest.mark.parametrize("reference", [None, "re_1"])
def test_a_refund_changes_only_to_a_later_status(
    api: ApiClient, before: str, after: str, reference: str | None
) -> None:
    refund = refund_in(api, before)
    response = set_status(api, refund, after, reference)
    if after in ALLOWED[before]:
        changed = expect(200, response)
        assert changed == {
            **refund,
            "status": after,
            "processor_reference": reference,
            "updated_at": changed["updated_at"],
        }
    else:
        assert response.problem() == (409, "refund-conflict")
        assert response.json["refund_status"] == before
        assert api.items(f"/api/orders/{refund['order_id']}/refunds") == [refund]


@pytest.mark.parametrize(("seen", "now"), [*product(STATUSES, STATUSES)])
def test_a_refund_that_changed_since_the_caller_saw_it_is_left_alone(api: ApiClient, seen: str, now: str) -> None:
    refund = refund_in(api, now)
    body = {"status": "failed", "expected_status": seen}
    response = api.call("PUT", f"/api/refunds/{refund['id']}/status", body)
    if seen == now and "failed" in ALLOWED[now]:
        assert expect(200, response)["status"] == "failed"
    else:
        assert response.problem() == (409, "refund-conflict")
        assert response.json["refund_status"] == now


def test_no_refund_becomes_requested_again(api: ApiClient) -> None:
    for status in STATUSES:
        assert set_status(api, refund_in(api, status), "requested").problem() == (422, "invalid-request")


def test_only_one_caller_gets_a_refund(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    order = paid_order(api)
    refund = requested(api, order)
    monkeypatch.setenv("AUTH", "on")
    ada, bob = (client_with_scopes("orders:manage", sub=sub) for sub in ("ada", "bob"))
    assert set_status(ada, refund, "pending").json["status"] == "pending"
    # ada may have called the processor already.
    for caller in (bob, ada):
        response = set_status(caller, refund, "pending")
        assert response.problem() == (409, "refund-conflict")
        assert response.json["detail"] == "The refund is already claimed."
    entries = timeline(client_with_scopes("orders:read"), order["id"])[-2:]
    assert [(entry["actor"], entry["refund_status"]) for entry in entries] == [
        ("anonymous", "requested"),
        ("ada", "pending"),
    ]


@pytest.mark.parametrize("status", ["canceled", "succeeded", "failed"])
def test_a_claim_of_a_final_refund_says_why_not(api: ApiClient, status: str) -> None:
    response = set_status(api, refund_in(api, status), "pending")
    assert response.problem() == (409, "refund-conflict")
    assert response.json["detail"] == f"The refund is {status}, so it cannot change to pending."


@pytest.mark.parametrize("status", ["canceled", "succeeded", "failed"])
def test_a_repeated_final_status_changes_nothing(api: ApiClient, status: str) -> None:
    refund = refund_in(api, status, "re_1")
    order = {"id": refund["order_id"]}
    before = etag(api, order), timeline(api, order["id"])
    for reference in ("re_1", None):
        assert expect(200, set_status(api, refund, status, reference)) == refund
    assert (etag(api, order), timeline(api, order["id"])) == before


def test_adding_a_reference_lists_no_dismissed_entry_again(api: ApiClient) -> None:
    refund = refund_in(api, "failed")
    [entry] = api.items("/api/reconciliation", kind="refund_failed")
    path = f"/api/reconciliation/refund_failed/{entry['id']}/acknowledgement"
    expect(201, api.call("POST", path, {"note": "Paid in cash."}))
    assert expect(200, set_status(api, refund, "failed", "re_1"))["processor_reference"] == "re_1"
    assert api.items("/api/reconciliation", kind="refund_failed") == []


def test_an_entry_stays_dismissed_until_money_moves(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, cancel(api, order, refund=True))
    path = f"/api/reconciliation/paid_and_canceled/{order['id']}/acknowledgement"
    expect(201, api.call("POST", path, {"note": "The refund takes a week."}))

    def is_listed() -> bool:
        return api.items("/api/reconciliation", kind="paid_and_canceled") != []

    [refund] = refunds(api, order)
    for status in ("pending", "canceled"):
        expect(200, set_status(api, refund, status))
        assert not is_listed()
    again = requested(api, order)
    assert not is_listed()
    expect(200, set_status(api, again, "succeeded"))
    expect(200, set_status(api, again, "failed"))
    assert is_listed()


def test_a_claimed_refund_that_succeeds_returns_the_money(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order, amount="40.00")
    states = []
    for status in ("pending", "succeeded", "failed"):
        expect(200, set_status(api, refund, status, "re_1"))
        states.append(money(api, order)[1:])
    assert states == [("0.00", "pending"), ("40.00", "partial"), ("0.00", "none")]


def test_a_refund_that_failed_stays_failed(api: ApiClient) -> None:
    refund = refund_in(api, "succeeded", "re_1")
    order = current(api, {"id": refund["order_id"]})
    expect(200, set_status(api, refund, "failed"))
    for status in ("pending", "succeeded"):
        assert refund_event(api, order, status, "re_1", "100.00") == "ignored"
    assert [found["status"] for found in refunds(api, order)] == ["failed"]
    assert money(api, order) == ("100.00", "0.00", "none")


def test_each_change_is_an_entry_of_the_timeline(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order)
    for status in ("pending", "succeeded", "failed"):
        expect(200, set_status(api, refund, status))
    canceled = requested(api, order)
    expect(200, set_status(api, canceled, "canceled"))
    entries = timeline(api, order["id"])[2:]
    assert {entry["cause"] for entry in entries} == {"refund"}
    assert [(entry["refund_id"] == refund["id"], entry["refund_status"]) for entry in entries] == [
        *((True, status) for status in ("requested", "pending", "succeeded", "failed")),
        *((False, status) for status in ("requested", "canceled")),
    ]
    assert [entry["message"] for entry in entries][1:4] == [
        "A refund of 100.00 USD was claimed. It is executed now.",
        "A refund of 100.00 USD was set to succeeded. The money went back.",
        "A refund of 100.00 USD was set to failed. The customer did not get the money.",
    ]


def test_a_refund_of_a_disputed_payment_cannot_be_claimed(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order, amount="40.00")
    dispute(api, order)
    before = etag(api, order)
    assert set_status(api, refund, "pending").problem() == (409, "payment-disputed")
    assert (refunds(api, order), etag(api, order)) == ([refund], before)
    dispute(api, order, "won")
    assert set_status(api, refund, "pending").json["status"] == "pending"


@pytest.mark.parametrize("how", ["lost", "refunded", "claimed"])
def test_a_refund_cannot_be_claimed_if_too_little_of_its_payment_is_left(api: ApiClient, how: str) -> None:
    order = paid_order(api)
    refund, other = requested(api, order, amount="40.00"), requested(api, order, amount="20.00")
    if how == "claimed":
        expect(200, set_status(api, other, "pending"))
        refund_event(api, order, "succeeded", "re_9", "50.00")
    elif how == "lost":
        dispute(api, order, "lost", amount="70.00")
    else:
        refund_event(api, order, "succeeded", "re_9", "70.00")
    before = etag(api, order)
    response = set_status(api, refund, "pending")
    assert response.problem() == (409, "refund-conflict")
    assert response.json["detail"].endswith("Cancel the refund.")
    assert etag(api, order) == before
    expect(200, set_status(api, refund, "canceled"))


def test_a_refund_of_all_that_is_left_can_be_claimed(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order, amount="40.00")
    requested(api, order, amount="60.00")
    refund_event(api, order, "succeeded", "re_9", "59.00")
    refund_event(api, order, "succeeded", "re_10", "1.00")
    expect(200, set_status(api, refund, "pending"))


@pytest.mark.parametrize("status", ["canceled", "succeeded", "failed"])
def test_the_result_of_a_refund_can_be_set_while_its_payment_is_disputed(api: ApiClient, status: str) -> None:
    order = paid_order(api)
    refund = requested(api, order)
    dispute(api, order)
    assert set_status(api, refund, status).json["status"] == status


MALFORMED_STATUSES: list[Any] = ["", "open", "PENDING", "succeeded\0", None, 1, True, [], {}]


@pytest.mark.parametrize(
    "body",
    [
        *({"status": status} for status in MALFORMED_STATUSES),
        *({"status": "pending", name: "1"} for name in ("amount", "reason", "id", "refund")),
        {},
        [],
        "pending",
        {"processor_reference": "re_1"},
    ],
)
def test_a_malformed_status_is_refused(api: ApiClient, body: Any) -> None:
    refund = refund_in(api, "requested")
    assert set_to(api, refund, body).problem() == (422, "invalid-request")
    assert api.items("/api/refunds") == [refund]


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"\xff", b'{"status": "pending', b'{"status": "\\ud800"}'])
def test_a_status_that_is_not_json_is_refused(api: ApiClient, body: bytes) -> None:
    refund = refund_in(api, "requested")
    assert set_to(api, refund, body).status in (400, 422)
    assert api.items("/api/refunds") == [refund]


def test_an_unknown_refund_is_not_found(api: ApiClient) -> None:
    for status in STATUSES[1:]:
        assert set_status(api, {"id": UNKNOWN}, status, "re_1").problem() == (404, "refund-not-found")
    assert set_status(api, {"id": "1"}, "pending").problem() == (422, "invalid-request")
    # An order has no status as a refund.
    assert set_status(api, paid_order(api), "pending").problem() == (404, "refund-not-found")


def test_a_canceled_refund_that_was_executed_anyway_counts(api: ApiClient) -> None:
    refund = refund_in(api, "canceled")
    order = current(api, {"id": refund["order_id"]})
    event = {"refund_id": refund["id"]}
    assert refund_event(api, order, "succeeded", "re_1", "100.00", **event) == "applied"
    assert money(api, order) == ("100.00", "100.00", "full")
    assert ask(api, order).problem() == (422, "refund-too-large")


def test_an_interrupted_executor_finds_its_claims(api: ApiClient) -> None:
    claimed = refund_in(api, "pending")
    refund_in(api, "requested")
    assert api.items("/api/refunds", status="pending") == [claimed]
