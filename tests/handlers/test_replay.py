"""Replays of payment events from the inbox."""

import json
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.payments.native_refunds import REFUND_AND_DISPUTE_TYPES
from storefront.payments.stripe_refunds import READERS
from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.inbox import EVENTS, last_timeline_event, only_event

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def replay(api: ApiClient, event: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = expect(200, api.call("POST", f"{EVENTS}/{event['id']}/replay"))
    return response


def test_a_replay_of_an_applied_event_is_a_duplicate(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], event_id="evt_1"))
    event = only_event(api)
    for attempts in (2, 3):
        assert replay(api, event) == {
            "message": "Payment event received. It reports nothing new",
            "order_id": order["id"],
            "payment_status": "paid",
            "event_id": "evt_1",
            "outcome": "duplicate",
        }
        again = only_event(api)
        assert (again["outcome"], again["reason"], again["attempts"]) == ("applied", None, attempts)
    entry = last_timeline_event(api, order)
    assert (entry["cause"], entry["actor"], entry["reason"]) == ("replay", "anonymous", "same_event")
    assert (entry["inbox_id"], entry["payment_event_id"]) == (event["id"], "evt_1")


def test_a_replay_applies_an_event_after_its_problem_was_fixed(
    api: ApiClient, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENT_MODE", "live")
    assert expect(200, api.pay(order["id"], event_id="evt_1", livemode=False))["outcome"] == "ignored"
    assert replay(api, only_event(api))["outcome"] == "ignored"
    # The configured mode was wrong.
    monkeypatch.setenv("PAYMENT_MODE", "any")
    assert replay(api, only_event(api))["payment_status"] == "paid"
    event, entry = only_event(api), last_timeline_event(api, order)
    assert (event["outcome"], event["reason"], event["attempts"]) == ("applied", None, 3)
    assert (entry["cause"], entry["outcome"], entry["to"]["payment_status"]) == ("replay", "applied", "paid")
    assert replay(api, event)["outcome"] == "duplicate"


def test_a_replay_does_not_apply_an_event_with_other_content(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], "failed", event_id="evt_1"))
    expect(200, api.pay(order["id"], "paid", event_id="evt_1"))
    [other] = api.items(EVENTS, outcome="needs_review")
    response = replay(api, other)
    assert (response["outcome"], response["payment_status"]) == ("needs_review", "failed")
    assert [event["reason"] for event in api.items(EVENTS, outcome="needs_review")] == ["other_content"]


def test_a_replay_uses_the_current_state_of_the_order(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], event_id="evt_1", amount="1"))
    expect(200, api.change_status(order["id"], "canceled"))
    assert replay(api, only_event(api))["outcome"] == "needs_refund"
    event = only_event(api)
    assert (event["outcome"], event["reason"]) == ("needs_refund", "order_canceled")


def test_an_ignored_event_is_ignored_again_in_a_replay(api: ApiClient) -> None:
    expect(200, api.deliver({"type": "user.created"}, "standard_webhooks"))
    assert replay(api, only_event(api))["outcome"] == "ignored"
    event = only_event(api)
    assert (event["reason"], event["attempts"]) == ("type_not_ours", 2)


def test_a_replay_of_an_event_for_an_unknown_order_returns_404(api: ApiClient) -> None:
    api.pay(UNKNOWN, event_id="evt_1")
    event = only_event(api)
    assert api.call("POST", f"{EVENTS}/{event['id']}/replay").problem() == (404, "order-not-found")
    assert only_event(api)["attempts"] == 2


@pytest.mark.parametrize(
    ("id_", "problem"), [(UNKNOWN, (404, "payment-event-not-found")), ("evt_1", (422, "invalid-request"))]
)
def test_a_replay_of_an_unknown_event_is_refused(api: ApiClient, id_: str, problem: tuple[int, str]) -> None:
    assert api.call("POST", f"{EVENTS}/{id_}/replay").problem() == problem


def test_each_type_that_earlier_releases_did_not_read_can_be_read_again(database: Connection) -> None:
    for type_ in (*READERS, *REFUND_AND_DISPUTE_TYPES):
        stored = json.dumps({"type": type_, "reason": "type_not_ours"})
        event = "jsonb_populate_record(NULL::payment_events, :stored)"
        assert database.run(f"SELECT is_unread_refund({event})", stored=stored) == [[True]], type_


def test_an_event_of_a_type_that_is_still_not_read_stays_ignored(api: ApiClient) -> None:
    expect(200, api.deliver({"type": "payment.refunded", "data": {}}, "standard_webhooks"))
    assert replay(api, only_event(api))["outcome"] == "ignored"
    event = only_event(api)
    assert (event["reason"], event["action"]) == ("type_not_ours", None)
    assert event["message"] == "Storefront does not handle events of this type. Nothing changed."
