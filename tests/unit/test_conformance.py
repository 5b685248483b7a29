"""The tests' check of each response finds whatever the OpenAPI document does not describe."""

from typing import Any

import pytest
from jsonschema import ValidationError

from openapi.responses import ORDER_ID
from storefront.json_text import to_json
from tests.conformance import check, check_spacing

ORDER = {
    "id": ORDER_ID,
    "number": 1001,
    "reference": None,
    "customer_id": 1,
    "status": "pending",
    "payment_status": "unpaid",
    "currency": "USD",
    "subtotal": "4.50",
    "charges": [],
    "total_price": "4.50",
    "paid_amount": "0.00",
    "refunded_amount": "0.00",
    "refund_status": "none",
    "order_items": [],
    "email": None,
    "shipping_address": None,
    "billing_address": None,
    "note": None,
    "metadata": {},
    "expires_at": None,
    "created_at": "2026-11-23T12:00:00.000000Z",
    "updated_at": "2026-11-23T12:00:00.000000Z",
}
PROBLEM = {"title": "None", "status": 404, "detail": "None."}


def check_response(body: Any, status: int = 200, **headers: str) -> None:
    media_type = "application/json" if status < 400 else "application/problem+json"
    expected = {"content-type": media_type, "cache-control": "no-store", **({"etag": '"1"'} if status < 400 else {})}
    sent = {**expected, **{name.replace("_", "-"): text for name, text in headers.items()}}
    check("GET", f"/api/orders/{ORDER_ID}", status, sent, to_json(body) + "\n")


def test_a_described_response_passes() -> None:
    check_response(ORDER)
    check_response({**PROBLEM, "type": "/docs#order-not-found"}, 404)


@pytest.mark.parametrize("changed", [{"status": "lost"}, {"total_price": 4.5}, {"id": "1"}, {"secret": 1}])
def test_an_undescribed_body_is_found(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check_response({**ORDER, **changed})


def test_a_missing_field_is_found() -> None:
    with pytest.raises(ValidationError):
        check_response({name: value for name, value in ORDER.items() if name != "updated_at"})


@pytest.mark.parametrize(
    ("status", "kind", "headers"),
    [
        (404, "product-not-found", {}),
        (409, "idempotency-key-in-flight", {}),
        (503, "unavailable", {}),
        (404, "order-not-found", {"retry_after": "2"}),
    ],
)
def test_an_undescribed_problem_is_found(status: int, kind: str, headers: dict[str, str]) -> None:
    with pytest.raises(AssertionError):
        check_response({**PROBLEM, "status": status, "type": f"/docs#{kind}"}, status, **headers)


def test_an_undescribed_media_type_is_found() -> None:
    with pytest.raises(AssertionError):
        check_response(ORDER, content_type="text/plain")


@pytest.mark.parametrize("cache_control", ["no-cache", "private", ""])
def test_a_wrong_cache_control_is_found(cache_control: str) -> None:
    with pytest.raises(AssertionError):
        check_response(ORDER, cache_control=cache_control)


def test_the_error_says_where_to_describe_a_field() -> None:
    with pytest.raises(ValidationError, match=r"Describe the field in openapi/orders\.py, class Order\. .*'color'"):
        check_response({**ORDER, "color": "white"})
    line_item = {
        "id": ORDER_ID,
        "product_id": ORDER_ID,
        "sku": None,
        "product_name": "Tea",
        "quantity": 1,
        "price_at_purchase": "4.50",
    }
    with pytest.raises(ValidationError, match=r"Describe the field in openapi/orders\.py, class OrderItem\. "):
        check_response({**ORDER, "order_items": [{**line_item, "color": "white"}]})


@pytest.mark.parametrize("text", ['{"id":1}\n', '{"id": 1}\n', '{"id" : 1}', '{"id" : 1} \n', '{"a" : 1,"b" : 2}\n'])
def test_other_spacing_is_found(text: str) -> None:
    check_spacing('{"id" : [1, {}, "\u00e9\\n"]}\n')
    with pytest.raises(AssertionError):
        check_spacing(text)
