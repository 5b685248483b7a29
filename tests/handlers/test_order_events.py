"""An order's timeline: each change with its actor, and each payment event with its outcome."""

from typing import Any

import pytest

from storefront.actor import actor_of
from tests.api_client import UNKNOWN, ApiClient, expect, lambda_context, load_function, target

PENDING = {"status": "pending", "payment_status": "unpaid"}


@pytest.fixture
def order_id(api: ApiClient) -> str:
    order: dict[str, Any] = api.order((api.create_product()["id"], 1))
    return str(order["id"])


def timeline(api: ApiClient, order_id: str) -> list[dict[str, Any]]:
    page = expect(200, api.get(f"/api/orders/{order_id}/events"))
    assert page.keys() == {"items", "page_size", "next_cursor"}
    items: list[dict[str, Any]] = page["items"]
    return items


def summary(api: ApiClient, order_id: str) -> list[tuple[str, str, str, str, str | None]]:
    return [
        (event["cause"], event["actor"], event["to"]["status"], event["to"]["payment_status"], event["outcome"])
        for event in timeline(api, order_id)
    ]


def test_the_timeline_starts_with_the_placed_order(api: ApiClient, order_id: str) -> None:
    [event] = timeline(api, order_id)
    assert event.pop("occurred_at").endswith("Z")
    assert len(event.pop("request_id")) == 36
    assert event == {
        "cause": "placed",
        "actor": "anonymous",
        "from": None,
        "to": PENDING,
        "outcome": None,
        "idempotency_key": None,
        "payment_event_id": None,
        "inbox_id": None,
        "received_payment_status": None,
        "reason": None,
        "refund_id": None,
        "refund_status": None,
        "note": None,
        "message": "The order was placed.",
        "action": None,
    }


def test_the_timeline_has_every_payment_event_with_its_outcome(api: ApiClient, order_id: str) -> None:
    for payment_status, event_id in (("failed", "e1"), ("paid", "e2"), ("paid", "e2"), ("failed", "e3")):
        expect(200, api.pay(order_id, payment_status, event_id=event_id))
    assert summary(api, order_id)[1:] == [
        ("payment_event", "payment-processor", "pending", "failed", "applied"),
        ("payment_event", "payment-processor", "pending", "paid", "applied"),
        ("payment_event", "payment-processor", "pending", "paid", "duplicate"),
        ("payment_event", "payment-processor", "pending", "paid", "ignored"),
    ]
    received = [(event["payment_event_id"], event["received_payment_status"]) for event in timeline(api, order_id)]
    assert received == [(None, None), ("e1", "failed"), ("e2", "paid"), ("e2", "paid"), ("e3", "failed")]


def test_each_event_starts_where_the_previous_one_ended(api: ApiClient, order_id: str) -> None:
    expect(200, api.pay(order_id))
    expect(200, api.change_status(order_id, "completed"))
    expect(200, api.pay(order_id, "failed"))
    events = timeline(api, order_id)
    assert [event["from"] for event in events] == [None, *(event["to"] for event in events[:-1])]
    assert events[-1]["to"] == {"status": "completed", "payment_status": "paid"}


def test_canceling_a_paid_order_needs_a_refund(api: ApiClient, order_id: str) -> None:
    expect(200, api.pay(order_id))
    expect(200, api.change_status(order_id, "canceled"))
    assert summary(api, order_id)[-1] == ("status_change", "anonymous", "canceled", "paid", "needs_refund")


def test_a_refused_change_adds_no_event(api: ApiClient, order_id: str) -> None:
    expect(200, api.change_status(order_id, "canceled"))
    before = timeline(api, order_id)
    expect(400, api.change_status(order_id, "completed"))
    assert timeline(api, order_id) == before


def test_an_expiry_names_its_run(api: ApiClient, order_id: str, database: Any) -> None:
    database.run("UPDATE orders SET expires_at = expires_at - interval '25 hours'")
    context = lambda_context()
    load_function("expire_orders").lambda_handler({}, context)
    assert summary(api, order_id)[-1] == ("expiry", "expire-orders", "canceled", "unpaid", None)
    assert timeline(api, order_id)[-1]["request_id"] == context.aws_request_id


def test_the_timeline_has_the_idempotency_key_of_the_order(api: ApiClient) -> None:
    body = {"customer_id": 1, "products": [{"product_id": api.create_product()["id"], "quantity": 1}]}
    order = api.call("POST", "/api/orders", body, {"Idempotency-Key": '"k"'}).json
    assert timeline(api, order["id"])[0]["idempotency_key"] == "k"


def test_a_long_timeline_has_pages(api: ApiClient, order_id: str) -> None:
    for n in range(4):
        expect(200, api.pay(order_id, event_id=f"e{n}"))
    path, whole = f"/api/orders/{order_id}/events", timeline(api, order_id)
    page = expect(200, api.get(target(path, page_size=2)))
    found = page["items"]
    while page["next_cursor"]:
        page = expect(200, api.get(target(path, page_size=2, cursor=page["next_cursor"])))
        found += page["items"]
    assert found == whole


def test_a_cursor_of_another_timeline_returns_400(api: ApiClient, order_id: str) -> None:
    expect(200, api.pay(order_id))
    cursor = expect(200, api.get(target(f"/api/orders/{order_id}/events", page_size=1)))["next_cursor"]
    other = api.order((api.create_product()["id"], 1))["id"]
    assert api.get(target(f"/api/orders/{other}/events", cursor=cursor)).problem() == (400, "bad-cursor")


def test_the_timeline_of_an_unknown_order_returns_404(api: ApiClient) -> None:
    assert api.get(f"/api/orders/{UNKNOWN}/events").problem() == (404, "order-not-found")
    assert api.get("/api/orders/7/events").problem() == (422, "invalid-request")


def test_the_actor_is_the_subject_of_the_token() -> None:
    claims = {"authorizer": {"jwt": {"claims": {"sub": "user-7"}, "scopes": None}}}
    shop = {"party": "shop", "request_id": "r"}
    assert actor_of({"requestContext": {"requestId": "r", **claims}}) == {"actor": "user-7", **shop}
    assert actor_of({"requestContext": {"requestId": "r"}}) == {"actor": "anonymous", **shop}
