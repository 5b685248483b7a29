"""An action of the console takes effect once: for double clicks, two people, lost responses and errors."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.handlers.refunds import refunds
from tests.local.browser import needs_chromium
from tests.local.desk import REFUNDS, Desk, Shop, choose_the_rest, desk, lose_the_response, posts

pytestmark = needs_chromium


def test_two_people_who_refund_an_order_at_the_same_time_make_one_refund(
    browser: Browser, shop: Shop, order: dict[str, Any]
) -> None:
    with desk(browser, shop) as one, desk(browser, shop) as other:
        for at in (one, other):
            choose_the_rest(at, order)
        # Without a wait in between, so that both requests are under way.
        buttons = [at.dialog.get_by_role("button", name="Refund $60.00") for at in (one, other)]
        for button in buttons:
            button.evaluate("button => button.click()")
        shown = [at.page.locator("dialog .failure, [role=status] p") for at in (one, other)]
        for place in shown:
            expect(place).to_have_count(1)
        texts = sorted(place.inner_text() for place in shown)
        assert texts[0] == "A refund of $60.00 is requested."
        assert texts[1].startswith("Somebody or something else made a change first. Nothing was done.")
        assert "Refunds: was No refund, is now Refund under way." in texts[1]
        assert "New in the timeline: A refund of 60.00 USD was requested." in texts[1]
        # What the second person saw is out of date, so the same request cannot be sent again.
        late = one if one.dialog.count() else other
        assert late.dialog.get_by_role("button").all_inner_texts() == ["Close"]
        late.press("Close")
        expect(late.row("$60.00").filter(has_text="Requested")).to_be_visible()
    assert [refund["amount"] for refund in refunds(shop.api, order)] == ["60.00"]


def test_a_double_click_refunds_once(at: Desk, shop: Shop, order: dict[str, Any]) -> None:
    choose_the_rest(at, order)
    sent = posts(at.page)
    at.dialog.get_by_role("button", name="Refund $60.00").dblclick()
    expect(at.message).to_have_text("A refund of $60.00 is requested.")
    assert len(sent) == 1
    assert len(refunds(shop.api, order)) == 1


def test_no_button_works_while_the_request_runs(at: Desk, order: dict[str, Any]) -> None:
    choose_the_rest(at, order)
    held: list[Route] = []
    at.page.route(REFUNDS, lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    at.press("Refund $60.00")
    expect(at.dialog.get_by_role("button", name="Sending…")).to_be_disabled()
    expect(at.dialog.get_by_role("button", name="Close")).to_be_disabled()
    at.page.keyboard.press("Escape")
    expect(at.dialog).to_be_visible()
    assert len(held) == 1
    held[0].continue_()
    expect(at.message).to_have_text("A refund of $60.00 is requested.")


def test_after_a_lost_response_the_same_request_is_sent_again_with_the_same_key(
    browser: Browser, shop: Shop, order: dict[str, Any]
) -> None:
    with desk(browser, shop, expected=("Failed to load resource: net::ERR_FAILED",)) as at:
        choose_the_rest(at, order)
        sent = posts(at.page)
        at.page.route(REFUNDS, lose_the_response, times=1)
        at.press("Refund $60.00")
        expect(at.dialog).to_contain_text("The shop did not confirm this, so it may be done or not.")
        at.press("Refund $60.00")
        expect(at.message).to_have_text("A refund of $60.00 is requested.")
    assert len(sent) == 2
    assert len({one.headers["idempotency-key"] for one in sent}) == 1
    assert len(refunds(shop.api, order)) == 1


def test_other_values_after_a_lost_response_are_not_sent_as_the_same_request(
    browser: Browser, shop: Shop, order: dict[str, Any]
) -> None:
    with desk(browser, shop, expected=("Failed to load resource: net::ERR_FAILED",)) as at:
        choose_the_rest(at, order)
        at.page.route(REFUNDS, lose_the_response, times=1)
        at.press("Refund $60.00")
        expect(at.dialog).to_contain_text("The shop did not confirm this")
        at.dialog.get_by_label("An amount", exact=True).check()
        at.dialog.get_by_label("Amount in USD").fill("5")
        at.press("Refund $5.00")
        expect(at.dialog).to_contain_text("Your first attempt was done, with other values.")
    assert [refund["amount"] for refund in refunds(shop.api, order)] == ["60.00"]


def test_a_dialog_that_is_closed_after_a_lost_response_shows_what_was_done(browser: Browser, shop: Shop) -> None:
    product = shop.api.create_product()
    with desk(browser, shop, expected=("Failed to load resource: net::ERR_FAILED",)) as at:
        at.open(f"product/{product['id']}")
        at.press("Adjust stock")
        at.dialog.get_by_label("Units to add").fill("5")
        at.dialog.get_by_label("Reason").fill("New delivery.")
        at.page.route("**/stock-adjustments", lose_the_response, times=1)
        at.press("Adjust stock")
        expect(at.dialog).to_contain_text("The shop did not confirm this")
        at.page.keyboard.press("Escape")
        expect(at.row("New delivery.")).to_contain_text("+5")
        at.press("Adjust stock")
        expect(at.dialog).to_contain_text("The stock is 15 units.")


def test_a_new_dialog_has_a_new_key(at: Desk, order: dict[str, Any]) -> None:
    sent = posts(at.page)
    for amount in ("5.00", "6.00"):
        at.open(f"order/{order['id']}")
        at.press("Refund")
        at.dialog.get_by_label("An amount", exact=True).check()
        at.dialog.get_by_label("Amount in USD").fill(amount)
        at.press(f"Refund ${amount}")
        expect(at.message).to_have_text(f"A refund of ${amount} is requested.")
    assert len({one.headers["idempotency-key"] for one in sent}) == 2


@pytest.mark.parametrize(
    ("status", "words"), [(429, "The shop is busy. Nothing was done."), (503, "The shop did not confirm this")]
)
def test_an_error_of_the_server_is_explained_and_the_request_can_be_sent_again(
    at: Desk, order: dict[str, Any], status: int, words: str
) -> None:
    choose_the_rest(at, order)
    at.page.route(REFUNDS, lambda route: route.fulfill(status=status, json={"message": "Error"}), times=1)
    at.press("Refund $60.00")
    expect(at.dialog).to_contain_text(words)
    at.press("Refund $60.00")
    expect(at.message).to_have_text("A refund of $60.00 is requested.")
    assert len(refunds(at.shop.api, order)) == 1


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "<html>",
        '{"type": 7, "detail": {}}',
        '{"errors": {"a": 1}}',
        '{"errors": [null, {"pointer": 1}, {"detail": "a", "pointer": 1}]}',
        "",
    ],
)
def test_an_error_with_any_body_leaves_a_dialog_that_can_be_closed(at: Desk, order: dict[str, Any], body: str) -> None:
    choose_the_rest(at, order)
    at.page.route(REFUNDS, lambda route: route.fulfill(status=422, body=body), times=1)
    at.press("Refund $60.00")
    expect(at.dialog).to_contain_text("HTTP 422")
    at.press("Close")
    expect(at.dialog).to_have_count(0)
