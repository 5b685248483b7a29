"""What the console shows: text as text, values in the locale of the browser, and lists page by page. How it loads."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.api_client import expect as expect_status
from tests.handlers.refunds import paid_order
from tests.local.browser import needs_chromium, watched_page
from tests.local.desk import Desk, Shop, desk

pytestmark = needs_chromium

SCREENS = {
    "attention": 3,
    "orders": 1,
    "order/b0000000-0000-4000-8000-000000000003": 4,
    "products": 1,
    "product/a0000000-0000-4000-8000-000000000001": 2,
    "payment-events": 1,
}
"""The screens, with the number of requests for their data."""


def test_names_are_shown_as_text(at: Desk) -> None:
    name = "<script>alert(1)</script> \u202edrawkcab <b>bold</b>"
    description = "<img src=x onerror=alert(1)>" + "D" * 9_972
    product = at.shop.api.create_product(name=name, description=description)
    at.open(f"product/{product['id']}")
    heading = at.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(name)
    # The direction of the name does not reach beyond it.
    assert heading.locator("bdi").evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"
    assert at.page.locator(".text").inner_text() == description
    at.press("Edit")
    assert at.dialog.get_by_label("Description").input_value() == description
    # In a sentence, it has no marks that could reach beyond it.
    expect(at.dialog.get_by_role("heading")).to_have_text(f"Edit \u2068{name}\u2069".replace("\u202e", ""))


def test_values_are_in_the_locale_of_the_browser_and_exact(browser: Browser, shop: Shop) -> None:
    order = paid_order(shop.api, price="12345.60")
    with desk(browser, shop, locale="de-DE", timezone_id="Europe/Berlin") as at:
        at.open(f"order/{order['id']}")
        total = at.page.locator(".total data")
        expect(total).to_have_text("12.345,60\xa0$")
        expect(total).to_have_attribute("value", "12345.60 USD")
        placed = at.page.locator("aside time").first
        assert placed.get_attribute("datetime") == order["created_at"]
        assert order["created_at"] in (placed.get_attribute("title") or "")


def test_orders_are_found_by_number_reference_email_and_id(at: Desk) -> None:
    order = paid_order(at.shop.api, reference="WEB-77", email="Ada+shop@example.com")
    search = at.page.get_by_label("Number, reference or email")
    at.open("orders")
    for text in (str(order["number"]), f"#{order['number']}", "WEB-77", "ada+SHOP@example.com"):
        search.fill(text)
        at.page.keyboard.press("Enter")
        expect(at.page.locator("tbody tr")).to_have_count(1)
        expect(at.page.locator("tbody th")).to_have_text([str(order["number"])])
    search.fill(order["id"])
    at.page.keyboard.press("Enter")
    expect(at.page.get_by_role("heading", level=1)).to_have_text(f"Order {order['number']}")


def test_a_reference_of_digits_is_found(at: Desk) -> None:
    order = paid_order(at.shop.api, reference="987650001")
    at.open("orders?search=987650001")
    expect(at.page.locator("tbody th")).to_have_text([str(order["number"])])


def test_filters_are_in_the_address_but_an_email_is_not(at: Desk) -> None:
    order = paid_order(at.shop.api, email="private@example.com")
    at.open("orders")
    at.page.get_by_label("Status").select_option("pending")
    at.page.get_by_label("Number, reference or email").fill("private@example.com")
    at.press("Search")
    expect(at.page.locator("tbody th")).to_have_text([str(order["number"])])
    assert at.page.url == f"{at.shop.url}/console#/orders?status=pending&by=email"
    at.page.reload()
    expect(at.page.locator(".none")).to_have_text("Enter the email again. For privacy, it is not kept in the address.")


def test_filters_show_what_is_applied(at: Desk) -> None:
    at.open("orders?search=no-such-reference&payment_status=paid")
    search = at.page.get_by_label("Number, reference or email")
    search.fill("entered, but not applied")
    at.page.get_by_label("Payment").select_option("failed")
    at.page.get_by_role("link", name="Show all").click()
    expect(search).to_have_value("")
    expect(at.page.get_by_label("Payment")).to_have_value("")
    at.page.go_back()
    expect(search).to_have_value("no-such-reference")
    expect(at.page.get_by_label("Payment")).to_have_value("paid")


@pytest.mark.parametrize(
    "address", ["orders?customer_id=none", "payment-events?order=none", "products?max_quantity=-1"]
)
def test_a_filter_that_cannot_be_used_is_explained_above_the_list(at: Desk, address: str) -> None:
    at.open(address)
    expect(at.page.get_by_role("alert")).to_contain_text("This filter cannot be used.")
    expect(at.page.get_by_role("button", name="Search")).to_be_visible()


def test_payment_events_are_found_by_the_number_of_their_order(at: Desk) -> None:
    order = paid_order(at.shop.api)
    at.open("payment-events")
    at.page.get_by_label("Order number").fill(str(order["number"]))
    at.press("Search")
    expect(at.page.locator("tbody tr")).to_have_count(1)
    at.open(f"order/{order['id']}")
    at.page.get_by_role("link", name="Payment events of this order").click()
    expect(at.page.locator("tbody tr")).to_have_count(1)


def test_what_was_requested_first_and_arrives_last_is_not_shown(at: Desk) -> None:
    held: list[Route] = []
    at.page.route("**/api/products**", lambda route: held.append(route))  # noqa: PLW0108  Playwright marks it
    at.page.get_by_role("link", name="Products").click()
    at.page.get_by_role("link", name="Orders").click()
    expect(at.page.get_by_role("heading", level=1)).to_have_text("Orders")
    for route in held:
        route.continue_()
    at.page.wait_for_timeout(300)
    expect(at.page.get_by_role("heading", level=1)).to_have_text("Orders")
    assert at.page.title() == "Orders – Storefront console"


def test_an_amount_with_three_decimal_places_is_exact(at: Desk) -> None:
    order = at.shop.api.order((at.shop.api.create_product()["id"], 1))
    event = {"amount": "12.345", "currency": "KWD", "payment_reference": f"pi_{order['number']}"}
    assert expect_status(200, at.shop.api.pay(order["id"], **event))["outcome"] == "needs_review"
    at.open(f"order/{order['id']}")
    expect(at.row(f"pi_{order['number']}")).to_contain_text("KWD\xa012.345")
    at.press("Refund")
    at.dialog.get_by_label("Everything that is left").check()
    expect(at.dialog.get_by_role("button", name="Refund KWD\xa012.345")).to_be_visible()


def test_a_day_of_the_calendar_is_a_filter(at: Desk) -> None:
    at.open("orders?from=2026-01-01&to=2026-01-31")
    expect(at.page.locator(".none")).to_contain_text("No order matches.")
    at.open("orders?from=2026-01-01")
    expect(at.page.locator("tbody tr").first).to_be_visible()


def test_a_list_continues_on_the_next_page_and_the_browser_goes_back(at: Desk) -> None:
    product = at.shop.api.create_product(quantity=100)["id"]
    for _ in range(21):
        at.shop.api.order((product, 1), customer_id=555_111)
    at.open("orders?customer_id=555111")
    expect(at.page.locator("tbody tr")).to_have_count(20)
    newest = at.page.locator("tbody th").first.inner_text()
    at.page.get_by_role("link", name="Next page").click()
    expect(at.page.locator("tbody tr")).to_have_count(1)
    at.page.go_back()
    expect(at.page.locator("tbody th").first).to_have_text(newest)


def test_an_address_that_does_not_exist_shows_the_first_screen(at: Desk) -> None:
    at.page.goto(f"{at.shop.url}/console#/nowhere/%E0%A4%A")
    expect(at.page.get_by_role("heading", level=1)).to_have_text("Attention")


def test_without_a_connection_the_screen_can_be_loaded_again(browser: Browser, shop: Shop) -> None:
    with desk(browser, shop, expected=("Failed to load resource: net::ERR_FAILED",)) as at:
        at.page.route("**/api/orders", lambda route: route.abort(), times=1)
        at.open("orders")
        expect(at.page.get_by_role("heading", level=1)).to_have_text("Something went wrong")
        at.press("Try again")
        expect(at.page.get_by_role("heading", level=1)).to_have_text("Orders")


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_needs_one_round_trip(at: Desk, screen: str) -> None:
    """No request of a screen waits for another one: none is answered before all have arrived."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)
        if len(held) == SCREENS[screen]:
            for one in held:
                one.continue_()

    at.page.goto(f"{at.shop.url}/console#/{'products?in_stock=true' if screen == 'orders' else 'orders?customer_id=1'}")
    at.wait()
    at.page.route("**/api/**", hold)
    at.open(screen)
    assert len(held) == SCREENS[screen]


def test_the_first_screen_appears_after_two_round_trips_from_the_sign_in(browser: Browser, shop: Shop) -> None:
    """The code for the tokens, and then all data at the same time. The files of the page are in the cache by then."""
    with desk(browser, shop, user=None) as at:
        button = at.page.get_by_role("button", name="Sign in as manager")
        button.wait_for()
        sent: list[str] = []
        at.page.on("request", lambda one: sent.append(one.url))
        button.click()
        at.page.wait_for_url(f"{shop.url}/console#/*")
        at.wait()
        after = [address.removeprefix(shop.url) for address in sent[sent.index(f"{shop.issuer}/token") + 1 :]]
    assert [address for address in sent if "/.well-known/" in address] == []
    assert sorted(address.partition("?")[0] for address in after) == [
        "/api/products",
        "/api/reconciliation",
        "/api/refunds",
    ]


@pytest.mark.parametrize("status", [429, 503])
def test_a_page_without_its_settings_says_so_and_can_be_loaded_again(browser: Browser, shop: Shop, status: int) -> None:
    with desk(browser, shop, user=None, expected=("Error: settings",)) as at:
        at.page.get_by_role("button", name="Sign in as manager").wait_for()
        at.page.route("**/console/settings.json", lambda route: route.fulfill(status=status), times=1)
        at.page.goto(f"{shop.url}/console")
        expect(at.page.get_by_role("heading", level=1)).to_have_text("Something went wrong")
        at.press("Try again")
        at.page.get_by_role("button", name="Sign in as manager").wait_for()


def test_a_page_without_its_script_says_so(browser: Browser, shop: Shop) -> None:
    with watched_page(browser, shop.url, expected=("Failed to load resource: net::ERR_FAILED",)) as page:
        page.route("**/console/*.js", lambda route: route.abort())
        page.goto(f"{shop.url}/console")
        expect(page.get_by_text("The console is loading. If it takes long, load the page again.")).to_be_visible()


SHIFTS = """
() => new Promise(resolve => {
  let sum = 0
  new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value })
    .observe({ type: "layout-shift", buffered: true })
  setTimeout(() => resolve(sum), 200)
})
"""


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("screen", SCREENS)
def test_the_layout_does_not_shift(at: Desk, screen: str, width: int) -> None:
    at.page.set_viewport_size({"width": width, "height": 900})
    at.page.goto(f"{at.shop.url}/console#/{screen}")
    at.page.reload()
    at.wait()
    assert at.page.evaluate(SHIFTS) == 0


def test_the_page_cannot_run_text_as_code(browser: Browser, shop: Shop) -> None:
    with desk(browser, shop, expected=("This document requires", "Creating a TrustedTypePolicy")) as at:
        assert tries(at.page, "document.body.innerHTML = '<b>text</b>'")
        assert tries(at.page, "trustedTypes.createPolicy('another', {})")


def tries(page: Page, code: str) -> bool:
    """Whether the page refuses to run code."""
    refused: Any = page.evaluate(f"() => {{ try {{ {code}; return false }} catch {{ return true }} }}")
    return bool(refused)
