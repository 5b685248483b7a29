"""A member of staff at the console: a browser page with a signed-in user."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from tests.api_client import ApiClient, Response, over_http
from tests.local.browser import watch
from tests.local.stack import Stack, token

WIDTHS = (360, 768, 1440)
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Shop:
    """A running stack with tokens, its issuer, and a client of the API with all scopes."""

    url: str
    issuer: str
    api: ApiClient


@dataclass(frozen=True)
class Desk:
    """A page of the console. check: that it logged no errors, and reached no other host."""

    page: Page
    shop: Shop
    check: Callable[[], None]

    def open(self, screen: str) -> None:
        """Open a screen, and wait until it shows its data. The screen that is open already is loaded again."""
        address = f"{self.shop.url}/console#/{screen}"
        if self.page.url == address:
            self.page.evaluate("window.dispatchEvent(new HashChangeEvent('hashchange'))")
        self.page.goto(address)
        self.wait()

    def wait(self) -> None:
        """Wait until no data is being loaded."""
        expect(self.page.locator("main[aria-busy=false] h1").first).to_be_attached()

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def message(self) -> Locator:
        """What the console says about the last action."""
        return self.page.get_by_role("status")

    def press(self, name: str) -> None:
        """Press a button: of the dialog, if one is open."""
        place = self.dialog if self.dialog.count() else self.page
        place.get_by_role("button", name=name, exact=True).click()

    @contextmanager
    def signing_out(self) -> Iterator[None]:
        """Sign out inside, and come back from the issuer. The page says so before it goes there, too."""
        with self.page.expect_response(f"{self.shop.url}/console/settings.json"):
            yield
        expect(self.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
        self.page.wait_for_load_state()

    def entry(self, order: dict[str, Any]) -> Locator:
        """The entry of an order on the screen of what needs attention."""
        return self.page.locator(".entry").filter(has_text=f"Order {order['number']}")

    def row(self, text: str) -> Locator:
        return self.page.get_by_role("row").filter(has_text=text)


def with_token(url: str, bearer: str) -> ApiClient:
    """A client of the API that sends a token."""
    send = over_http(url)

    def send_with_token(method: str, path: str, body: bytes | None, headers: Any) -> Response:
        return send(method, path, body, {**headers, "authorization": f"Bearer {bearer}"})

    return ApiClient(send_with_token)


def shop_of(stack: Stack, data_dir: Path) -> Shop:
    """Return what the tests need of a stack with AUTH=on."""
    found = re.search(r"\((http://\S+) signs them in\)", "".join(stack.output))
    assert found
    return Shop(stack.url, found[1], with_token(stack.url, token(data_dir)))


@contextmanager
def desk(
    browser: Browser, shop: Shop, user: str | None = "manager", expected: tuple[str, ...] = (), **options: Any
) -> Iterator[Desk]:
    """Open the console, and sign in. None leaves the sign-in to the caller. The page is checked at the end.

    expected: the starts of messages that are not failures. options: of the browser.
    """
    with browser.new_context(**options) as context:
        page = context.new_page()
        opened = Desk(page, shop, watch(page, shop.url, shop.issuer, expected=expected))
        page.goto(f"{shop.url}/console")
        if user is not None:
            page.get_by_role("button", name=f"Sign in as {user}").click()
            page.wait_for_url(f"{shop.url}/console#/*")
            opened.wait()
        yield opened
        opened.check()


REFUNDS = re.compile(r".*/api/orders/[^/]+/refunds$")


def choose_the_rest(at: Desk, order: dict[str, Any]) -> None:
    """Open the dialog that refunds an order, for everything that is left."""
    at.open(f"order/{order['id']}")
    at.press("Refund")
    at.dialog.get_by_label("Everything that is left").check()
    expect(at.dialog).to_contain_text("$60.00 of $60.00 goes back to the customer.")


def posts(page: Page) -> list[Request]:
    """The requests of refunds that the page sends from now on."""
    sent: list[Request] = []
    page.on("request", lambda one: sent.append(one) if one.method == "POST" and REFUNDS.match(one.url) else None)
    return sent


def lose_the_response(route: Route) -> None:
    """Let a request take effect, and lose its response."""
    route.fetch()
    route.abort()
