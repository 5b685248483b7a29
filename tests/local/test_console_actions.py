"""The actions of the console do what they said before, and nothing that the user did not see."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.api_client import expect as expect_status
from tests.handlers.refunds import current, paid_order, refunds, requested, set_status
from tests.local.browser import needs_chromium
from tests.local.desk import Desk, Shop, posts

pytestmark = needs_chromium

STALE = {"if-match": '"an earlier one"'}


def test_a_refund_of_units_states_and_moves_the_money_and_the_stock(
    at: Desk, shop: Shop, order: dict[str, Any]
) -> None:
    product = order["order_items"][0]["product_id"]
    at.open(f"order/{order['id']}")
    at.press("Refund")
    at.dialog.get_by_label("Tea").fill("2")
    expect(at.dialog).to_contain_text("$40.00 of $60.00 goes back to the customer.")
    expect(at.dialog).to_contain_text("Returns to the stock: 2 × Tea.")
    at.press("Refund $40.00")
    expect(at.message).to_have_text("A refund of $40.00 is requested.")
    expect(at.row("2 in refunds")).to_be_visible()
    expect(at.row("2 × Tea, back in the stock")).to_be_visible()
    assert shop.api.stock(product) == 2


def test_more_units_than_are_left_are_not_sent(at: Desk, order: dict[str, Any]) -> None:
    at.open(f"order/{order['id']}")
    at.press("Refund")
    sent = posts(at.page)
    for units in ("4", "-1", "1.5", "1-", "", "0"):
        at.dialog.get_by_label("Tea").fill("")
        at.dialog.get_by_label("Tea").press_sequentially(units)
        at.dialog.get_by_role("button", name=re.compile("^Refund")).click()
        expect(at.dialog.get_by_label("Tea")).to_have_attribute("aria-invalid", "true")
        expect(at.dialog.get_by_label("Tea")).to_be_focused()
    assert sent == []


@pytest.mark.parametrize(
    ("choice", "action", "refunded"),
    [("Refund $60.00", "Cancel and refund $60.00", ["60.00"]), ("No refund for now", "Cancel without a refund", [])],
)
def test_a_cancellation_says_what_returns_and_does_that(
    at: Desk, order: dict[str, Any], choice: str, action: str, refunded: list[str]
) -> None:
    at.open(f"order/{order['id']}")
    at.press("Cancel order")
    expect(at.dialog).to_contain_text("Returns to the stock: 3 × Tea.")
    at.dialog.get_by_label(choice).check()
    at.press(action)
    expect(at.message).to_have_text(f"Order {order['number']} has a new status: Canceled.")
    assert current(at.shop.api, order)["status"] == "canceled"
    assert [refund["amount"] for refund in refunds(at.shop.api, order)] == refunded
    assert at.shop.api.stock(order["order_items"][0]["product_id"]) == 3


def test_a_cancellation_of_an_order_that_was_completed_meanwhile_is_refused(
    at: Desk, shop: Shop, order: dict[str, Any]
) -> None:
    at.open(f"order/{order['id']}")
    at.press("Cancel order")
    expect_status(200, shop.api.change_status(order["id"], "completed"))
    at.press("Cancel and refund $60.00")
    expect(at.dialog).to_contain_text("Status: was Pending, is now Completed.")
    assert refunds(shop.api, order) == []


@pytest.mark.parametrize("button", ["Complete", "Cancel order", "Delete"])
def test_what_changed_out_of_sight_is_not_acted_upon(at: Desk, order: dict[str, Any], button: str) -> None:
    """Only the ETag differs."""
    product = order["order_items"][0]["product_id"]
    at.open(f"product/{product}" if button == "Delete" else f"order/{order['id']}")
    at.press(button)
    at.page.route("**/api/**", lambda route: route.continue_(headers={**route.request.headers, **STALE}))
    at.dialog.get_by_role("button").last.click()
    expect(at.dialog).to_contain_text("Somebody or something else made a change first. Nothing was done.")
    assert at.dialog.get_by_role("button").all_inner_texts() == ["Close"]
    assert current(at.shop.api, order)["status"] == "pending"
    assert at.shop.api.stock(product) == 0


def test_a_refund_whose_status_changed_meanwhile_is_left_alone(at: Desk, order: dict[str, Any]) -> None:
    refund = requested(at.shop.api, order)
    at.open(f"order/{order['id']}")
    at.press("Set to failed")
    expect_status(200, set_status(at.shop.api, refund, "succeeded"))
    at.press("Set to failed")
    expect(at.dialog).to_contain_text("Status: was Requested, is now Succeeded.")
    assert [one["status"] for one in refunds(at.shop.api, order)] == ["succeeded"]


def test_an_edit_sends_only_what_the_user_changed(at: Desk) -> None:
    product = at.shop.api.create_product(name="Pot", description="One line.\r\n  Another one.")
    at.open(f"product/{product['id']}")
    at.press("Edit")
    # Changed, and changed back.
    at.dialog.get_by_label("Name").fill("Pots")
    at.dialog.get_by_label("Name").fill("Pot")
    at.dialog.get_by_label("Price").fill("11")
    path = f"/api/products/{product['id']}"
    expect_status(200, at.shop.api.call("PUT", path, {"name": "Kettle"}))
    at.press("Save")
    expect(at.dialog).to_contain_text("Name: was Pot, is now Kettle.")
    expect(at.dialog.get_by_label("Name")).to_have_value("Kettle")
    with at.page.expect_request(lambda one: one.method == "PUT") as sent:
        at.press("Save")
    assert sent.value.post_data_json == {"price": "11.00"}
    expect(at.message).to_have_text("Kettle is saved.")


def test_going_back_closes_a_dialog_about_another_screen(at: Desk, order: dict[str, Any]) -> None:
    at.open("orders")
    at.open(f"order/{order['id']}")
    at.press("Add note")
    at.page.go_back()
    expect(at.page.get_by_role("heading", level=1)).to_have_text("Orders")
    expect(at.dialog).to_have_count(0)


def test_an_erasure_needs_the_number_of_the_customer(at: Desk, shop: Shop) -> None:
    order = paid_order(shop.api, customer_id=987654, email="ada@shop.example")
    at.open(f"order/{order['id']}")
    at.press("Erase personal data")
    at.press("Erase for good")
    expect(at.dialog).to_contain_text("This is not 987654.")
    assert current(shop.api, order)["email"] == "ada@shop.example"
    at.dialog.get_by_role("textbox").fill("987654")
    at.press("Erase for good")
    expect(at.message).to_have_text("The personal data of customer 987654 is erased in 1 order.")
    assert current(shop.api, order)["email"] is None


def test_an_entry_is_dismissed_with_a_note(at: Desk, shop: Shop, order: dict[str, Any]) -> None:
    expect_status(200, shop.api.change_status(order["id"], "canceled"))
    at.open("orders")
    at.open("attention")
    at.entry(order).get_by_role("button", name="Dismiss").click()
    at.press("Dismiss")
    expect(at.dialog).to_contain_text("Fill in this field.")
    at.dialog.get_by_role("textbox").fill("Paid back in cash.")
    at.press("Dismiss")
    expect(at.message).to_have_text("The entry is dismissed.")
    expect(at.entry(order)).to_have_count(0)
    at.open(f"order/{order['id']}")
    expect(at.page.locator(".timeline")).to_contain_text("Paid back in cash.")


def test_a_refund_is_set_to_succeeded_by_hand(at: Desk, shop: Shop, order: dict[str, Any]) -> None:
    refund = expect_status(201, shop.api.call("POST", f"/api/orders/{order['id']}/refunds", {"amount": "12.34"}))
    at.open("orders")
    at.open("attention")
    at.row("$12.34").get_by_role("button", name="Set to succeeded").click()
    at.dialog.get_by_role("textbox").fill(f"re_{refund['id']}")
    at.press("Set to succeeded")
    expect(at.message).to_have_text("The refund of $12.34 has a new status: Succeeded.")
    [found] = refunds(shop.api, order)
    assert (found["status"], found["processor_reference"]) == ("succeeded", f"re_{refund['id']}")


def test_a_product_is_created_and_deleted(at: Desk, shop: Shop) -> None:
    at.open("products")
    at.press("Create product")
    at.dialog.get_by_label("Name").fill("Oolong")
    at.dialog.get_by_label("Price").fill("1.000")
    at.press("Create product")
    expect(at.dialog.get_by_label("Price")).to_be_focused()
    at.dialog.get_by_label("Price").fill("6,5")
    at.dialog.get_by_label("Stock").fill("4")
    expect(at.dialog).to_contain_text("It is on sale at once: 4 units at $6.50.")
    at.press("Create product")
    expect(at.message).to_have_text("Oolong is created.")
    expect(at.page.get_by_role("heading", level=1)).to_have_text("Oolong")
    product_id = at.page.url.rpartition("/")[2]
    assert shop.api.stock(product_id) == 4
    at.press("Delete")
    expect(at.dialog).to_contain_text("4 units leave the stock.")
    at.press("Delete")
    expect(at.message).to_have_text("Oolong is deleted.")
    assert shop.api.get(f"/api/products/{product_id}").problem() == (404, "product-not-found")
