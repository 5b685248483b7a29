"""Running a payment event of the inbox through again."""

from collections.abc import Iterator
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.handlers.inbox import EVENTS, last_line, only_event
from tests.shop import UNKNOWN, Shop, expect


@pytest.fixture(autouse=True)
def _the_books_are_right_after_each_test(database: Connection) -> Iterator[None]:
    yield
    assert violations(database) == []


def replay(shop: Shop, event: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = expect(200, shop.call("POST", f"{EVENTS}/{event['id']}/replay"))
    return response


def test_an_event_that_was_applied_can_be_replayed_without_harm(shop: Shop, order: dict[str, Any]) -> None:
    expect(200, shop.pay(order["id"], event_id="evt_1"))
    event = only_event(shop)
    for attempts in (2, 3):
        assert replay(shop, event) == {
            "message": "Payment event already taken into account",
            "order_id": order["id"],
            "payment_status": "paid",
            "event_id": "evt_1",
            "outcome": "duplicate",
        }
        again = only_event(shop)
        assert (again["outcome"], again["reason"], again["attempts"]) == ("applied", None, attempts)
    line = last_line(shop, order)
    assert (line["cause"], line["actor"], line["reason"]) == ("replay", "anonymous", "same_event")
    assert (line["inbox_id"], line["payment_event_id"]) == (event["id"], "evt_1")


def test_an_event_is_applied_by_a_replay_once_nothing_stands_against_it(
    shop: Shop, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURRENCY", "EUR")
    assert expect(200, shop.pay(order["id"], event_id="evt_1", currency="USD"))["outcome"] == "needs_review"
    assert replay(shop, only_event(shop))["outcome"] == "needs_review"
    # Somebody had set the shop up with the wrong currency.
    monkeypatch.setenv("CURRENCY", "USD")
    assert replay(shop, only_event(shop))["payment_status"] == "paid"
    event, line = only_event(shop), last_line(shop, order)
    assert (event["outcome"], event["reason"], event["attempts"]) == ("applied", None, 3)
    assert (line["cause"], line["outcome"], line["to"]["payment_status"]) == ("replay", "applied", "paid")
    assert replay(shop, event)["outcome"] == "duplicate"


def test_a_replay_does_not_apply_another_content_of_an_event(shop: Shop, order: dict[str, Any]) -> None:
    expect(200, shop.pay(order["id"], "failed", event_id="evt_1"))
    expect(200, shop.pay(order["id"], "paid", event_id="evt_1"))
    [other] = shop.items(EVENTS, outcome="needs_review")
    response = replay(shop, other)
    assert (response["outcome"], response["payment_status"]) == ("needs_review", "failed")
    assert [event["reason"] for event in shop.items(EVENTS, outcome="needs_review")] == ["other_content"]


def test_a_replay_sees_the_order_as_it_is_by_now(shop: Shop, order: dict[str, Any]) -> None:
    expect(200, shop.pay(order["id"], event_id="evt_1", amount="1"))
    expect(200, shop.change_status(order["id"], "canceled"))
    assert replay(shop, only_event(shop))["outcome"] == "needs_refund"
    event = only_event(shop)
    assert (event["outcome"], event["reason"]) == ("needs_refund", "order_canceled")


def test_an_event_that_is_not_ours_stays_so_when_it_is_replayed(shop: Shop) -> None:
    expect(200, shop.deliver({"type": "user.created"}, "standard_webhooks"))
    assert replay(shop, only_event(shop))["outcome"] == "ignored"
    event = only_event(shop)
    assert (event["reason"], event["attempts"]) == ("type_not_ours", 2)


def test_a_replay_of_an_event_whose_order_is_not_there_is_404(shop: Shop) -> None:
    shop.pay(UNKNOWN, event_id="evt_1")
    event = only_event(shop)
    assert shop.call("POST", f"{EVENTS}/{event['id']}/replay").problem() == (404, "order-not-found")
    assert only_event(shop)["attempts"] == 2


@pytest.mark.parametrize(
    ("id_", "problem"), [(UNKNOWN, (404, "payment-event-not-found")), ("evt_1", (422, "invalid-request"))]
)
def test_an_event_that_is_not_in_the_inbox_cannot_be_replayed(shop: Shop, id_: str, problem: tuple[int, str]) -> None:
    assert shop.call("POST", f"{EVENTS}/{id_}/replay").problem() == problem
