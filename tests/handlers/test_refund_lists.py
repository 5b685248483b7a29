"""The lists of refunds: all of the shop, and those of an order."""

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect, target
from tests.handlers.lists import follow_cursors
from tests.handlers.refunds import paid_order, refunds, requested, set_status


def test_the_queue_lists_the_refunds_with_a_status_oldest_first(api: ApiClient) -> None:
    orders = [paid_order(api) for _ in range(2)]
    made = [requested(api, order, amount=str(10 + n)) for n in range(3) for order in orders]
    claimed = expect(200, set_status(api, made[2], "pending"))
    ids = [refund["id"] for refund in made]
    assert [refund["id"] for refund in api.items("/api/refunds")] == ids
    assert [refund["id"] for refund in api.items("/api/refunds", status="requested")] == ids[:2] + ids[3:]
    assert api.items("/api/refunds", status="pending") == [claimed]
    assert api.items("/api/refunds", status="failed") == []
    assert [refund["id"] for refund in refunds(api, orders[1])] == ids[1::2]


def test_the_lists_of_refunds_have_pages(api: ApiClient) -> None:
    order = paid_order(api)
    ids = [requested(api, order, amount="1")["id"] for _ in range(5)]
    for path in ("/api/refunds", f"/api/orders/{order['id']}/refunds"):
        assert [refund["id"] for refund in follow_cursors(api, path, page_size=2)] == ids
    page = expect(200, api.get("/api/refunds?page=2&page_size=2&status=requested"))
    assert ([refund["id"] for refund in page["items"]], page["total"], page["total_pages"]) == (ids[2:4], 5, 3)
    cursor = expect(200, api.get("/api/refunds?page_size=2"))["next_cursor"]
    assert api.get(target("/api/refunds", cursor=cursor, status="pending")).problem() == (400, "bad-cursor")


@pytest.mark.parametrize("query", ["status=", "status=open", "status=requested,failed", "x=1", "page=0", "cursor="])
def test_a_malformed_parameter_of_the_queue_is_refused(api: ApiClient, query: str) -> None:
    assert api.get(f"/api/refunds?{query}").problem() == (422, "invalid-request")


def test_the_refunds_and_payments_of_an_unknown_order_are_not_found(api: ApiClient) -> None:
    for name in ("refunds", "payments"):
        assert api.get(f"/api/orders/{UNKNOWN}/{name}").problem() == (404, "order-not-found")
        assert api.get(f"/api/orders/1/{name}").problem() == (422, "invalid-request")
