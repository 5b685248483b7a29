"""The page to sign in with `AUTH=on make run`, in a browser."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.local.browser import needs_chromium
from tests.local.console_client import Console

pytestmark = needs_chromium


@pytest.fixture(scope="module", params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a small phone."""
    with browser.new_page(viewport={"width": 360, "height": 640}, color_scheme=request.param) as page:
        yield page


LUMINANCE = """
element => {
  const channels = color => color.match(/\\d+/g).slice(0, 3).map(one => one / 255)
    .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
  const luminance = color => channels(color).reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0)
  const style = getComputedStyle(element)
  return [style.color, style.backgroundColor].map(luminance)
}
"""
"""The relative luminance of an element's text and background (WCAG 2.2)."""


def test_the_page_fits_on_a_phone_and_leads_back_to_the_console(page: Page, console: Console) -> None:
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(f"{console.issuer}/authorize?{urlencode(console.question())}")
    assert page.title() == "Sign in – Storefront on this computer"
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to the staff console")
    assert page.get_by_role("button").all_inner_texts() == ["Sign in as manager", "Sign in as orders"]
    button = page.get_by_role("button", name="Sign in as orders")
    expect(button).to_have_accessible_description(
        "The user orders can only manage orders. The scopes are orders:all, orders:read and orders:manage."
    )
    for element in (button, page.locator("body")):
        light, dark = sorted(element.evaluate(LUMINANCE), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert messages == []
    # Without a stack, nothing listens there. The browser's request shows that the page's policy lets the form redirect.
    with page.expect_request(f"{console.address}?*") as requested:
        button.click()
    assert parse_qs(requested.value.url.partition("?")[2])["state"] == ["the state"]
    assert [text for text in messages if "Content Security Policy" in text] == []
