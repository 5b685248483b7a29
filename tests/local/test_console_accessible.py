"""Each screen and dialog of the console meets WCAG 2.2 AA and fits, in light and dark, at three widths."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from tests.api_client import expect as expect_status
from tests.handlers.refunds import requested
from tests.local.browser import needs_chromium, watched_page
from tests.local.desk import SCHEMES, WIDTHS, Desk, Shop, desk

pytestmark = needs_chromium

RULES = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}

HOSTILE = "<img src=x onerror=alert(1)> \u202eabc\u2066 " + "W" * 200
"""A name with markup, with marks that turn the direction of text, and with a word that is wider than a screen."""

Order = dict[str, Any]
Opened = Callable[[Desk, Order], None]


@pytest.fixture(scope="module")
def order(shop: Shop) -> Order:
    """A paid, pending order with a hostile name, long notes, and a refund that is requested."""
    product = shop.api.create_product(name=HOSTILE, quantity=2, price="9999.99")
    address = {"name": "مثال " * 20, "line1": "1" * 200, "city": "Zürich", "country": "CH"}
    order = shop.api.order(
        (product["id"], 2), email=f"{'a' * 60}@example.com", shipping_address=address, note="x" * 900
    )
    expect_status(200, shop.api.pay(order["id"], payment_reference="pi_" + "9" * 200))
    requested(shop.api, order, amount="1.00", reason="r" * 900)
    expect_status(201, shop.api.call("POST", f"/api/orders/{order['id']}/notes", {"text": "n" * 900}))
    return order


def screen(name: str) -> Opened:
    return lambda at, order: at.open(name.format(id=order["id"], product=order["order_items"][0]["product_id"]))


def dialog(name: str, button: str, *changes: Callable[[Desk], None]) -> Opened:
    def opened(at: Desk, order: Order) -> None:
        screen(name)(at, order)
        at.page.get_by_role("main").get_by_role("button", name=button).first.click()
        for change in changes:
            change(at)

    return opened


def send(at: Desk) -> None:
    """Press the button of the dialog, which shows what is wrong with empty fields."""
    at.dialog.get_by_role("button").last.click()


OPENED: dict[str, Opened] = {
    "attention": screen("attention"),
    "orders": screen("orders"),
    "no orders": screen("orders?search=no-such-reference"),
    "order": screen("order/{id}"),
    "no order": screen("order/00000000-0000-4000-8000-000000000000"),
    "products": screen("products?sort=-price"),
    "product": screen("product/{product}"),
    "payment events": screen("payment-events?order_id={id}"),
    "refund": dialog("order/{id}", "Refund"),
    "refund without units": dialog("order/{id}", "Refund", send),
    "cancel": dialog("order/{id}", "Cancel order"),
    "complete": dialog("order/{id}", "Complete"),
    "note": dialog("order/{id}", "Add note", send),
    "erase": dialog("order/{id}", "Erase personal data", send),
    "set failed": dialog("order/{id}", "Set to failed"),
    "new product": dialog("products", "Create product", send),
    "edit": dialog("product/{product}", "Edit"),
    "adjust": dialog("product/{product}", "Adjust stock", send),
    "delete": dialog("product/{product}", "Delete"),
    "replay": dialog("payment-events", "Replay"),
    "dismiss": dialog("attention", "Dismiss", send),
}


@pytest.fixture(scope="module", params=SCHEMES)
def at(browser: Browser, shop: Shop, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A manager at the console, in one color scheme."""
    with desk(browser, shop, color_scheme=request.param, reduced_motion="reduce") as opened:
        yield opened


def violations(page: Page) -> list[str]:
    # Half a megabyte, which a page needs only once.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("rules => axe.run(rules)", RULES)["violations"]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


@pytest.mark.parametrize("name", OPENED)
def test_a_screen_is_accessible_and_fits(at: Desk, order: Order, name: str) -> None:
    OPENED[name](at, order)
    for width in WIDTHS:
        at.page.set_viewport_size({"width": width, "height": 900})
        assert violations(at.page) == [], width
        assert at.page.evaluate("document.documentElement.scrollWidth") <= width
        for box in at.page.locator("dialog").all():
            assert box.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth"), width
    at.page.keyboard.press("Escape")
    expect(at.dialog).to_have_count(0)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_pages_without_a_user_are_accessible(browser: Browser, shop: Shop, scheme: str) -> None:
    with desk(browser, shop, color_scheme=scheme) as at:
        with at.signing_out():
            at.press("Sign out")
        for width in WIDTHS:
            at.page.set_viewport_size({"width": width, "height": 900})
            assert violations(at.page) == [], width
    with watched_page(browser, shop.url, shop.issuer, color_scheme=scheme) as page:
        page.goto(f"{shop.url}/console")
        expect(page.get_by_role("button", name="Sign in as manager")).to_be_visible()
        assert violations(page) == []


def test_a_dialog_keeps_the_focus_and_gives_it_back(at: Desk, order: Order) -> None:
    at.open(f"order/{order['id']}")
    button = at.page.get_by_role("button", name="Add note")
    button.focus()
    at.page.keyboard.press("Enter")
    for _ in range(12):
        at.page.keyboard.press("Tab")
        assert at.page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    at.page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_a_new_screen_moves_the_focus_to_its_heading_and_has_a_title(at: Desk) -> None:
    at.open("orders")
    for name, title in (("Products", "Products – Storefront console"), ("Orders", "Orders – Storefront console")):
        at.page.get_by_role("link", name=name, exact=True).click()
        expect(at.page.get_by_role("heading", level=1, name=name)).to_be_focused()
        assert at.page.title() == title


def test_the_keyboard_skips_the_navigation(at: Desk) -> None:
    at.open("orders")
    at.page.reload()
    at.wait()
    at.page.keyboard.press("Tab")
    at.page.keyboard.press("Enter")
    expect(at.page.get_by_role("main")).to_be_focused()
    assert at.page.url.endswith("#/orders")
