"""The documentation page, in a browser."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from local import webhook_simulator
from openapi.problems import every_problem
from tests.local.browser import needs_chromium, watched_page
from tests.local.stack import token

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(shutil.which("tesseract") is None, reason="no OCR is installed (Debian: tesseract-ocr)"),
]


@pytest.fixture
def page(browser: Browser, guarded_url: str) -> Iterator[Page]:
    """A page that logs no errors, and sends requests only to the stack."""
    with watched_page(browser, guarded_url, viewport={"width": 1280, "height": 1000}, device_scale_factor=2) as page:
        yield page


def open_operation(page: Page, operation: str) -> Locator:
    """Open an operation."""
    found = page.locator(f"[id$='-{operation}'].opblock")
    found.locator(".opblock-summary-control").click()
    return found


def execute(operation: Locator, status: int) -> Locator:
    """Execute an operation, check the status, and return the response that the page shows."""
    operation.get_by_role("button", name="Execute").click()
    shown = operation.locator(".live-responses-table")
    shown.locator(".response-col_status", has_text=str(status)).wait_for()
    return shown


def body_of(shown: Locator) -> Any:
    return json.loads(shown.locator("pre.microlight").first.inner_text())


def read_text(picture: bytes, folder: Path) -> str:
    """Return the letters, digits and points in a picture. Other characters are not recognized reliably."""
    (folder / "picture.png").write_bytes(picture)
    command = ["tesseract", str(folder / "picture.png"), "-", "--psm", "6"]
    # Its threads would spend more time waiting for each other than reading.
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    result = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return re.sub(r"[^A-Za-z0-9.]", "", result.stdout)


def authorize(page: Page, bearer: str) -> None:
    page.get_by_role("button", name="Authorize").first.click()
    form = page.locator(".auth-container").first
    form.get_by_role("textbox").fill(bearer)
    form.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()


def test_a_user_places_an_order_on_the_page_and_sees_it_paid(
    page: Page, guarded_url: str, data_dir: Path, tmp_path: Path
) -> None:
    page.goto(f"{guarded_url}/docs")
    placing = open_operation(page, "place_order")
    execute(placing, 401)
    authorize(page, token(data_dir))

    shown = execute(placing, 201)
    order = body_of(shown)
    assert (order["payment_status"], order["total_price"]) == ("unpaid", "54.62")
    words = read_text(shown.screenshot(), tmp_path)
    for text in ("paymentstatusunpaid", "customerid12345", "totalprice54.62"):
        assert text in words

    assert webhook_simulator.main(["paid", order["id"], "--url", guarded_url]) == 0
    reading = open_operation(page, "get_order")
    reading.get_by_placeholder("id").fill(order["id"])
    shown = execute(reading, 200)
    assert body_of(shown)["payment_status"] == "paid"
    assert "paymentstatuspaid" in read_text(shown.screenshot(), tmp_path)


def test_the_example_requests_of_the_page_succeed(page: Page, guarded_url: str, data_dir: Path) -> None:
    page.goto(f"{guarded_url}/docs")
    authorize(page, token(data_dir))
    execute(open_operation(page, "create_product"), 201)
    for operation in ("list_products", "get_product", "list_orders", "list_payment_events", "reconcile"):
        execute(open_operation(page, operation), 200)


def test_the_commands_of_the_webhook_are_for_the_port_of_the_page(page: Page, guarded_url: str) -> None:
    page.goto(f"{guarded_url}/docs")
    description = open_operation(page, "receive_payment_event").locator(".opblock-description").inner_text()
    assert f"make pay ORDER=b0000000-0000-4000-8000-000000000001 URL={guarded_url}\n" in description
    assert f"curl {guarded_url}/api/payment-webhook" in description
    assert ":3000" not in description


def test_authorize_starts_with_the_token(page: Page, guarded_url: str) -> None:
    page.goto(f"{guarded_url}/docs")
    page.get_by_role("button", name="Authorize").first.click()
    first = page.locator(".auth-container").first
    expect(first.get_by_role("heading", name="token")).to_be_in_viewport()
    expect(first.get_by_role("textbox")).to_be_focused()


def test_an_address_opens_its_operation(page: Page, guarded_url: str, tmp_path: Path) -> None:
    page.goto(f"{guarded_url}/docs#/payments/receive_payment_event")
    operation = page.locator("[id$='-receive_payment_event'].opblock.is-open")
    expect(operation).to_be_in_viewport()
    expect(page.locator(".opblock.is-open")).to_have_count(1)
    expect(operation.locator("pre", has_text="make pay ORDER=")).to_be_visible()
    open_operation(page, "list_products")
    assert page.url == f"{guarded_url}/docs#/products/list_products"
    assert "makepayORDER" in read_text(operation.screenshot(), tmp_path)


@pytest.mark.parametrize("kind", [every_problem()[0].kind, every_problem()[-1].kind])
def test_the_type_of_a_problem_opens_its_paragraph(page: Page, guarded_url: str, kind: str, tmp_path: Path) -> None:
    page.goto(f"{guarded_url}/docs#{kind}")
    page.locator(".opblock").first.wait_for()
    paragraph = page.locator(f"#{kind}:target")
    page.wait_for_function("(id) => document.getElementById(id).getBoundingClientRect().top < innerHeight", arg=kind)
    assert page.url == f"{guarded_url}/docs#{kind}"
    assert paragraph.get_by_role("heading").inner_text().startswith(kind)
    assert kind.replace("-", "") in read_text(page.screenshot(), tmp_path)
