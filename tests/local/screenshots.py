"""Make the pictures of the guide for staff: `make screenshots`.

Each screen in light and dark, at the three widths for which the console is tested.
"""

import base64
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.api_client import ROOT, expect
from tests.handlers.refunds import requested, set_status
from tests.local.browser import CHROMIUM, FLAGS
from tests.local.desk import SCHEMES, WIDTHS, Desk, Shop, desk, shop_of
from tests.local.stack import running

FOLDER = ROOT / "docs" / "guides" / "console"
MAX_HEIGHT = 1400
"""Pixels of a picture. What is below looks like what is above."""

Order = dict[str, Any]


def main() -> None:
    """Start a shop with sample data, and make the pictures of its console."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), AUTH="on") as stack,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser,
    ):
        shop = shop_of(stack, Path(folder))
        order = a_busy_day(shop)
        for picture in FOLDER.glob("*.webp"):
            picture.unlink()
        for scheme in SCHEMES:
            make(browser, shop, order, scheme)


def a_busy_day(shop: Shop) -> Order:
    """Give the shop orders, payments and refunds of many kinds. Returns an order with a bit of everything."""
    api = shop.api
    canceled = paid(shop, "Butter Dish", "24.00", reference="WEB-5011", email="lin@example.com")
    expect(200, api.change_status(canceled["id"], "canceled"))
    twice = paid(shop, "Oak Stool", "59.90", reference="WEB-5012", email="sam@example.com")
    expect(200, api.pay(twice["id"], payment_reference="pi_second"))
    failed = paid(shop, "Egg Timer", "12.00", reference="WEB-5013", email="kim@example.com")
    refund = requested(api, failed, amount="12.00", reason="Arrived broken.")
    expect(200, set_status(api, refund, "failed"))
    expect(200, api.change_status(failed["id"], "completed"))
    cup, pot = api.create_product(name="Tea Cup", price="9.50"), api.create_product(name="Tea Pot", price="32.00")
    order = api.order(
        (cup["id"], 4),
        (pot["id"], 1),
        charges=[{"kind": "shipping", "label": "Parcel", "amount": "4.90"}],
        reference="WEB-5014",
        email="ada@example.com",
        shipping_address={"name": "Ada Example", "line1": "1 Example Street", "city": "Berlin", "country": "DE"},
    )
    expect(200, api.pay(order["id"], payment_reference="pi_3Qx7", event_id="evt_3Qx7", amount="74.90", currency="USD"))
    line = {"order_item_id": order["order_items"][0]["id"], "quantity": 1, "restock": False}
    requested(api, order, lines=[line], reason="One cup broke.")
    note = {"text": "The customer called. We send a new cup."}
    expect(201, api.call("POST", f"/api/orders/{order['id']}/notes", note))
    delivery = {"delta": 24, "reason": "New delivery."}
    expect(201, api.call("POST", f"/api/products/{cup['id']}/stock-adjustments", delivery))
    return order


def paid(shop: Shop, product: str, price: str, **fields: Any) -> Order:
    """A paid order of one unit."""
    order = shop.api.order((shop.api.create_product(name=product, price=price)["id"], 1), **fields)
    event = {"event_id": f"evt_{order['number']}", "amount": price, "currency": "USD"}
    expect(200, shop.api.pay(order["id"], payment_reference=f"pi_{order['number']}", **event))
    return order


def make(browser: Browser, shop: Shop, order: Order, scheme: str) -> None:
    for width in WIDTHS:
        options: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        with desk(browser, shop, user=None, **options) as at:
            at.page.get_by_role("button", name="Sign in as manager").wait_for()
            save(at.page, f"sign-in-{width}-{scheme}")
            at.page.get_by_role("button", name="Sign in as manager").click()
            at.page.wait_for_url(f"{shop.url}/console#/*")
            for name, open_screen in SCREENS.items():
                open_screen(at, order)
                save(at.page, f"{name}-{width}-{scheme}")


def screen(address: str) -> Callable[[Desk, Order], None]:
    def opened(at: Desk, order: Order) -> None:
        at.page.keyboard.press("Escape")
        at.open(address.format(id=order["id"], product=order["order_items"][0]["product_id"]))
        at.page.wait_for_timeout(300)

    return opened


def refund(at: Desk, order: Order) -> None:
    screen("order/{id}")(at, order)
    at.press("Refund")
    at.dialog.get_by_label("Tea Cup").fill("2")
    at.dialog.get_by_label("Reason").fill("Two cups broke.")


def conflict(at: Desk, order: Order) -> None:
    screen("product/{product}")(at, order)
    at.press("Edit")
    at.dialog.get_by_label("Description").fill("Stoneware, 200 ml.")
    path = f"/api/products/{order['order_items'][0]['product_id']}"
    price = expect(200, at.shop.api.get(path))["price"]
    expect(200, at.shop.api.call("PUT", path, {"price": "9.90" if price == "9.50" else "9.50"}))
    at.press("Save")
    at.dialog.get_by_role("heading", name="What changed").wait_for()


SCREENS: dict[str, Callable[[Desk, Order], None]] = {
    "attention": screen("attention"),
    "orders": screen("orders"),
    "order": screen("order/{id}"),
    "refund": refund,
    "products": screen("products"),
    "product": screen("product/{product}"),
    "conflict": conflict,
    "payment-events": screen("payment-events"),
}

AS_WEBP = """
async ([picture, height]) => {
  const image = await createImageBitmap(await (await fetch(picture)).blob())
  const canvas = new OffscreenCanvas(image.width, Math.min(image.height, height))
  canvas.getContext("2d").drawImage(image, 0, 0)
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 0.8 })).arrayBuffer())
  return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""))
}
"""
"""Chromium makes the picture a fifth as large as its own PNG."""


def save(page: Page, name: str) -> None:
    in_front = page.get_by_role("dialog").count() > 0
    picture = base64.b64encode(page.screenshot(full_page=not in_front)).decode()
    with page.context.browser.new_page() as blank:  # type: ignore[union-attr]  # A context of a browser has one.
        encoded = blank.evaluate(AS_WEBP, [f"data:image/png;base64,{picture}", MAX_HEIGHT])
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.webp").write_bytes(base64.b64decode(encoded))


if __name__ == "__main__":
    main()
