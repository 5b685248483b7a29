"""A working day at the console, with a mouse and with the keyboard alone."""

import re
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.api_client import expect as expect_status
from tests.handlers.refunds import product_of, refunds, requested, set_status
from tests.local.browser import needs_chromium
from tests.local.desk import Desk, Shop, desk

pytestmark = needs_chromium

MOST_TABS = 200
"""Presses of the tab key after which a control counts as out of reach."""


class Hands(Protocol):
    """How a person uses the page."""

    def press(self, control: Locator) -> None: ...

    def enter(self, field: Locator, text: str) -> None: ...


@dataclass
class Mouse:
    page: Page

    def press(self, control: Locator) -> None:
        control.click()

    def enter(self, field: Locator, text: str) -> None:
        field.fill(text)


@dataclass
class Keyboard:
    page: Page

    def press(self, control: Locator) -> None:
        self._reach(control)
        self.page.keyboard.press("Enter")

    def enter(self, field: Locator, text: str) -> None:
        self._reach(field)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def _reach(self, control: Locator) -> None:
        control.wait_for()
        for _ in range(MOST_TABS):
            if control.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"The keyboard does not reach {control}")


def entry_for_a_line_item(shop: Shop) -> dict[str, Any]:
    """A canceled order that was paid. The customer has the money of one of its two line items back."""
    api = shop.api
    cup, tea = api.create_product(name="Cup", price="8.00"), api.create_product(name="Green tea", price="4.50")
    order = api.order((cup["id"], 1), (tea["id"], 2))
    expect_status(200, api.pay(order["id"], payment_reference=f"pi_{order['number']}"))
    line = {"order_item_id": order["order_items"][0]["id"], "quantity": 1, "restock": False}
    refund = requested(api, order, lines=[line])
    expect_status(200, set_status(api, refund, "succeeded"))
    expect_status(200, api.change_status(order["id"], "canceled"))
    return order


@pytest.mark.parametrize("kind", [Mouse, Keyboard])
def test_a_working_day(browser: Browser, shop: Shop, kind: type[Mouse] | type[Keyboard]) -> None:
    order = entry_for_a_line_item(shop)
    with desk(browser, shop, user=None) as at:
        hands = kind(at.page)
        hands.press(at.page.get_by_role("button", name="Sign in as manager"))
        see_what_needs_attention(at, order)
        find_an_order_by_its_number(at, hands, order)
        refund_a_line_item(at, hands, shop, order)
        see_the_event_of_the_processor_close_the_entry(at, hands, shop, order)
        adjust_the_stock(at, hands, shop, product_of(order, 1))
        edit_a_product_that_somebody_else_changes(at, hands, shop, product_of(order, 1))
        replay_an_event(at, hands)
        sign_out(at, hands, shop)


def see_what_needs_attention(at: Desk, order: dict[str, Any]) -> None:
    entry = at.entry(order)
    expect(entry).to_contain_text("canceled")
    section = at.page.locator("section").filter(has=entry)
    expect(section.get_by_role("heading", level=2)).to_have_text(re.compile(r"Paid, but canceled \d+"))
    expect(entry.get_by_role("button", name=f"Refund, order {order['number']}")).to_be_visible()


def find_an_order_by_its_number(at: Desk, hands: Hands, order: dict[str, Any]) -> None:
    hands.press(link(at, "Orders"))
    hands.enter(at.page.get_by_label("Number, reference or email"), str(order["number"]))
    hands.press(at.page.get_by_role("button", name="Search"))
    expect(at.page.locator("tbody tr")).to_have_count(1)
    hands.press(link(at, str(order["number"])))
    expect(at.page.get_by_role("heading", level=1)).to_have_text(f"Order {order['number']}")


def refund_a_line_item(at: Desk, hands: Hands, shop: Shop, order: dict[str, Any]) -> None:
    hands.press(at.page.get_by_role("button", name="Refund", exact=True))
    hands.enter(at.dialog.get_by_label("Green tea"), "2")
    expect(at.dialog).to_contain_text("$9.00 of $9.00 goes back to the customer.")
    # The order is canceled, so its units are back already.
    expect(at.dialog).to_contain_text("No unit returns to the stock.")
    hands.enter(at.dialog.get_by_label("Reason"), "Canceled by the customer.")
    hands.press(at.dialog.get_by_role("button", name="Refund $9.00"))
    expect(at.message).to_have_text("A refund of $9.00 is requested.")
    expect(at.row("Canceled by the customer.")).to_contain_text("Requested")
    assert [(refund["amount"], refund["status"]) for refund in refunds(shop.api, order)] == [
        ("8.00", "succeeded"),
        ("9.00", "requested"),
    ]


def see_the_event_of_the_processor_close_the_entry(at: Desk, hands: Hands, shop: Shop, order: dict[str, Any]) -> None:
    hands.press(link(at, "Attention"))
    expect(at.entry(order)).to_be_visible()
    refund = refunds(shop.api, order)[-1]
    event = {"type": "refund.succeeded", "refund_id": refund["id"], "order_id": order["id"], "amount": "9.00"}
    event |= {"event_id": f"evt_{refund['id']}", "currency": "USD", "payment_reference": refund["payment_reference"]}
    assert expect_status(200, shop.api.deliver(event))["outcome"] == "applied"
    hands.press(link(at, "Orders"))
    hands.press(link(at, "Attention"))
    expect(at.page.get_by_role("heading", name="Low stock")).to_be_visible()
    expect(at.entry(order)).to_have_count(0)


def adjust_the_stock(at: Desk, hands: Hands, shop: Shop, product_id: str) -> None:
    hands.press(link(at, "Products"))
    hands.enter(at.page.get_by_label("Words of the name"), "green tea")
    hands.press(at.page.get_by_role("button", name="Search"))
    hands.press(at.page.locator(f"a[href='#/product/{product_id}']"))
    hands.press(at.page.get_by_role("button", name="Adjust stock"))
    hands.enter(at.dialog.get_by_label("Units to add"), "-3")
    hands.enter(at.dialog.get_by_label("Reason"), "Broken in the shop.")
    expect(at.dialog).to_contain_text("The stock changes from 10 to 7. No money moves.")
    hands.press(at.dialog.get_by_role("button", name="Adjust stock"))
    expect(at.message).to_have_text("Green tea has 7 in stock now.")
    expect(at.row("Broken in the shop.")).to_contain_text("you")
    assert shop.api.stock(product_id) == 7


def edit_a_product_that_somebody_else_changes(at: Desk, hands: Hands, shop: Shop, product_id: str) -> None:
    hands.press(at.page.get_by_role("button", name="Edit"))
    hands.enter(at.dialog.get_by_label("Description"), "From the first harvest.")
    expect_status(200, shop.api.call("PUT", f"/api/products/{product_id}", {"price": "5.25"}))
    hands.press(at.dialog.get_by_role("button", name="Save"))
    expect(at.dialog).to_contain_text("Somebody or something else made a change first. Nothing was done.")
    expect(at.dialog).to_contain_text("Price: was $4.50, is now $5.25.")
    # The entries are still there, and the price of the other person stays.
    hands.press(at.dialog.get_by_role("button", name="Save"))
    expect(at.message).to_have_text("Green tea is saved.")
    found = expect_status(200, shop.api.get(f"/api/products/{product_id}"))
    assert (found["price"], found["description"], found["sku"]) == ("5.25", "From the first harvest.", None)


def replay_an_event(at: Desk, hands: Hands) -> None:
    hands.press(link(at, "Payment events"))
    hands.enter(at.page.get_by_label("Event ID"), "evt_sample")
    hands.press(at.page.get_by_role("button", name="Search"))
    expect(at.page.locator("tbody tr")).to_have_count(1)
    hands.press(at.page.get_by_role("button", name="Replay evt_sample"))
    hands.press(at.dialog.get_by_role("button", name="Replay"))
    expect(at.message).to_contain_text("Needs review.")


def sign_out(at: Desk, hands: Hands, shop: Shop) -> None:
    with at.signing_out():
        hands.press(at.page.get_by_role("button", name="Sign out"))
    # Neither the history nor the issuer brings the session back.
    at.page.go_back()
    expect(at.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    hands.press(at.page.get_by_role("button", name="Sign in"))
    expect(at.page.get_by_role("button", name="Sign in as manager")).to_be_visible()
    assert at.page.url.startswith(shop.issuer)


def link(at: Desk, name: str) -> Locator:
    return at.page.get_by_role("link", name=name, exact=True)
