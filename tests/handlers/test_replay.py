"""Running a payment event of the inbox through again."""

from collections.abc import Iterator
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.inbox import EVENTS, last_line, only_event


@pytest.fixture(autouse=True)
def _the_books_are_right_after_each_test(database: Connection) -> Iterator[None]:
    yield
    assert violations(database) == []


def replay(api: ApiClient, event: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = expect(200, api.call("POST", f"{EVENTS}/{event['id']}/replay"))
    return response


def test_an_event_that_was_applied_can_be_replayed_without_harm(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], event_id="evt_1"))
    event = only_event(api)
    for attempts in (2, 3):
        assert replay(api, event) == {
            "message": "Payment event already taken into account",
            "order_id": order["id"],
            "payment_status": "paid",
            "event_id": "evt_1",
            "outcome": "duplicate",
        }
        again = only_event(api)
        assert (again["outcome"], again["reason"], again["attempts"]) == ("applied", None, attempts)
    line = last_line(api, order)
    assert (line["cause"], line["actor"], line["reason"]) == ("replay", "anonymous", "same_event")
    assert (line["inbox_id"], line["payment_event_id"]) == (event["id"], "evt_1")


def test_an_event_is_applied_by_a_replay_once_nothing_stands_against_it(
    api: ApiClient, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURRENCY", "EUR")
    assert expect(200, api.pay(order["id"], event_id="evt_1", currency="USD"))["outcome"] == "needs_review"
    assert replay(api, only_event(api))["outcome"] == "needs_review"
    # Somebody had set the shop up with the wrong currency.
    monkeypatch.setenv("CURRENCY", "USD")
    assert replay(api, only_event(api))["payment_status"] == "paid"
    event, line = only_event(api), last_line(api, order)
    assert (event["outcome"], event["reason"], event["attempts"]) == ("applied", None, 3)
    assert (line["cause"], line["outcome"], line["to"]["payment_status"]) == ("replay", "applied", "paid")
    assert replay(api, event)["outcome"] == "duplicate"


def test_a_replay_does_not_apply_another_content_of_an_event(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], "failed", event_id="evt_1"))
    expect(200, api.pay(order["id"], "paid", event_id="evt_1"))
    [other] = api.items(EVENTS, outcome="needs_review")
    response = replay(api, other)
    assert (response["outcome"], response["payment_status"]) == ("needs_review", "failed")
    assert [event["reason"] for event in api.items(EVENTS, outcome="needs_review")] == ["other_content"]


def test_a_replay_sees_the_order_as_it_is_by_now(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], event_id="evt_1", amount="1"))
    expect(200, api.change_status(order["id"], "canceled"))
    assert replay(api, only_event(api))["outcome"] == "needs_refund"
    event = only_event(api)
    assert (event["outcome"], event["reason"]) == ("needs_refund", "order_canceled")


def test_an_event_that_is_not_ours_stays_so_when_it_is_replayed(api: ApiClient) -> None:
    expect(200, api.deliver({"type": "user.created"}, "standard_webhooks"))
    assert replay(api, only_event(api))["outcome"] == "ignored"
    event = only_event(api)
    assert (event["reason"], event["attempts"]) == ("type_not_ours", 2)


def test_a_replay_of_an_event_whose_order_is_not_there_is_404(api: ApiClient) -> None:
    api.pay(UNKNOWN, event_id="evt_1")
    event = only_event(api)
    assert api.call("POST", f"{EVENTS}/{event['id']}/replay").problem() == (404, "order-not-found")
    assert only_event(api)["attempts"] == 2


@pytest.mark.parametrize(
    ("id_", "problem"), [(UNKNOWN, (404, "payment-event-not-found")), ("evt_1", (422, "invalid-request"))]
)
def test_an_event_outside_the_inbox_cannot_be_replayed(api: ApiClient, id_: str, problem: tuple[int, str]) -> None:
    assert api.call("POST", f"{EVENTS}/{id_}/replay").problem() == problem
