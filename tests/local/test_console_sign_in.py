"""Access to the console: scopes, tokens, sessions and sign-out."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.local.browser import needs_chromium
from tests.local.desk import Desk, Shop, desk

pytestmark = needs_chromium

UNAUTHORIZED = {"message": "Unauthorized"}
ENDED = {"error": "invalid_grant"}


def test_a_user_for_orders_sees_no_button_for_products(browser: Browser, shop: Shop, order: dict[str, Any]) -> None:
    with desk(browser, shop, user="orders") as at:
        expect(at.page.get_by_role("button", name="Adjust the stock")).to_have_count(0)
        at.open("products")
        expect(at.page.get_by_role("button", name="Create product")).to_have_count(0)
        at.open(f"product/{order['order_items'][0]['product_id']}")
        expect(at.page.get_by_role("button", name="Edit")).to_have_count(0)
        expect(at.page.get_by_role("heading", name="Stock ledger")).to_have_count(0)
        at.open(f"order/{order['id']}")
        expect(at.page.get_by_role("button", name="Refund", exact=True)).to_be_visible()


STORED = "() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])"


def test_tokens_are_in_memory_only(browser: Browser, shop: Shop) -> None:
    tokens: list[str] = []

    def remember(response: Any) -> None:
        if response.url == f"{shop.issuer}/token":
            tokens.extend(text for name, text in response.json().items() if name.endswith("_token"))

    with desk(browser, shop, user=None) as at:
        addresses: list[str] = []
        at.page.on("response", remember)
        at.page.on("request", lambda one: addresses.append(one.url))
        at.page.get_by_role("button", name="Sign in as manager").click()
        at.page.wait_for_url(f"{shop.url}/console#/*")
        at.open("orders")
        assert len(tokens) == 3
        stored = at.page.evaluate(STORED)
        databases = at.page.evaluate("async () => (await indexedDB.databases()).length + (await caches.keys()).length")
        with at.signing_out():
            at.press("Sign out")
        stored += at.page.evaluate(STORED)
    assert databases == 0
    assert [token for token in tokens if token in stored or any(token in address for address in addresses)] == []
    # The code is not in the address either, once it is used.
    assert [json.loads(part)["state"] for part in re.findall(r'{"verifier.*?}', stored)] == []


def test_a_token_that_the_api_refuses_is_renewed_without_the_user(alone: Desk) -> None:
    alone.page.route("**/api/orders", lambda route: route.fulfill(status=401, json=UNAUTHORIZED), times=1)
    with alone.page.expect_request(lambda one: "grant_type=refresh_token" in (one.post_data or "")):
        alone.open("orders")
    expect(alone.page.locator("tbody tr").first).to_be_visible()


def test_an_issuer_that_is_away_for_a_moment_ends_no_session(alone: Desk, order: dict[str, Any]) -> None:
    alone.open(f"order/{order['id']}")
    alone.press("Add note")
    alone.dialog.get_by_label("Note").fill("A long text.")
    alone.page.route("**/notes", lambda route: route.fulfill(status=401, json=UNAUTHORIZED), times=1)
    alone.page.route(f"{alone.shop.issuer}/token", lambda route: route.fulfill(status=503, body="Away"), times=1)
    alone.press("Add note")
    expect(alone.dialog).to_contain_text("The shop did not confirm this")
    alone.press("Add note")
    expect(alone.message).to_have_text("The note is in the timeline.")


def test_what_was_entered_when_the_session_ends_can_still_be_copied(alone: Desk, order: dict[str, Any]) -> None:
    alone.open(f"order/{order['id']}")
    alone.press("Add note")
    alone.dialog.get_by_label("Note").fill("A long text.")
    alone.page.route("**/notes", lambda route: route.fulfill(status=401, json=UNAUTHORIZED))
    alone.page.route(f"{alone.shop.issuer}/token", lambda route: route.fulfill(status=400, json=ENDED))
    alone.press("Add note")
    expect(alone.dialog).to_contain_text("Sign in again to continue.")
    expect(alone.dialog.get_by_label("Note")).to_have_value("A long text.")
    alone.press("Close")
    expect(alone.page.get_by_role("heading", level=1)).to_have_text("Your session has ended")


def test_a_session_that_has_ended_asks_to_sign_in_again(alone: Desk, shop: Shop) -> None:
    alone.page.route("**/api/orders**", lambda route: route.fulfill(status=401, json=UNAUTHORIZED))
    alone.page.route(f"{shop.issuer}/token", lambda route: route.fulfill(status=400, json=ENDED))
    alone.page.goto(f"{shop.url}/console#/orders?status=pending")
    expect(alone.page.get_by_role("heading", level=1)).to_have_text("Your session has ended")
    alone.page.unroute_all()
    alone.press("Sign in again")
    # The issuer still knows the user, and the screen is the same.
    alone.page.wait_for_url(f"{shop.url}/console#/orders?status=pending")
    expect(alone.page.get_by_role("heading", level=1)).to_have_text("Orders")


def test_a_sign_out_signs_out_the_other_pages_of_the_browser_too(alone: Desk) -> None:
    with alone.page.context.new_page() as other, alone.page.expect_request("**/revoke"):
        other.goto(f"{alone.shop.url}/console#/orders")
        expect(other.get_by_role("heading", level=1)).to_have_text("Orders")
        other.get_by_role("button", name="Sign out").click()
        expect(alone.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
        expect(other.get_by_role("heading", level=1)).to_have_text("You are signed out")


def test_a_reload_keeps_the_user_at_the_same_screen(alone: Desk, shop: Shop) -> None:
    alone.open("products?in_stock=false")
    alone.page.reload()
    alone.page.wait_for_url(f"{shop.url}/console#/products?in_stock=false")
    expect(alone.page.get_by_role("heading", level=1)).to_have_text("Products")


@pytest.mark.parametrize(
    "tampered",
    [
        lambda address: re.sub("state=[^&]+", "state=another", address),
        lambda address: re.sub("code=[^&]+", "code=another", address),
        lambda address: re.sub("iss=[^&]+", "iss=https%3A%2F%2Fattacker.example", address),
        lambda address: re.sub("code=[^&]+", "error=access_denied", address),
    ],
    ids=["state", "code", "issuer", "error"],
)
def test_a_response_that_is_not_the_issuers_signs_nobody_in(
    browser: Browser, shop: Shop, tampered: Callable[[str], str]
) -> None:
    def redirect(route: Route) -> None:
        response = route.fetch(max_redirects=0)
        headers = {**response.headers, "location": tampered(response.headers["location"])}
        route.fulfill(status=response.status, headers=headers)

    with desk(browser, shop, user=None, expected=("Sign-in failed",)) as at:
        at.page.route(f"{shop.issuer}/authorize", redirect)
        at.page.get_by_role("button", name="Sign in as manager").click()
        expect(at.page.get_by_role("heading", level=1)).to_have_text("The sign-in did not work")
        assert at.page.url == f"{shop.url}/console"
