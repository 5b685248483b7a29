"""Chromium for the tests of the pages, and pages that must log no error and reach no other host."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no browser is installed (Debian: chromium)")

EXPECTED = (
    # Chromium's message about an error response.
    "Failed to load resource: the server responded with a status of",
    # Swagger UI's message about an operation ID with an underscore.
    "Warning: escaping deep link whitespace with `_`",
)
"""The starts of console messages that are not failures."""


def watch(page: Page, *hosts: str, expected: tuple[str, ...] = ()) -> Callable[[], None]:
    """Watch a page. Returns a check that it logged no errors, broke no policy, and sent requests only to the hosts.

    expected: the starts of more messages that are not failures.
    """
    messages: list[str] = []
    requested: list[str] = []
    page.on("pageerror", lambda error: messages.append(str(error)))
    # A broken Content-Security-Policy is also such a message.
    page.on("console", lambda message: messages.append(message.text))
    page.on("request", lambda request: requested.append(request.url))

    def check() -> None:
        assert [text for text in messages if not text.startswith((*EXPECTED, *expected))] == []
        assert [address for address in requested if not address.startswith(hosts)] == []
        messages.clear()
        requested.clear()

    return check


@contextmanager
def watched_page(browser: Browser, *hosts: str, expected: tuple[str, ...] = (), **options: Any) -> Iterator[Page]:
    """Open a page, watch it, and check it at the end."""
    with browser.new_context(**options) as context:
        page = context.new_page()
        check = watch(page, *hosts, expected=expected)
        yield page
        check()
