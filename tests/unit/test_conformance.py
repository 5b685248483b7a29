"""What holds answers against the API's description finds what is not described."""

import json
from typing import Any

import pytest
from jsonschema import ValidationError

from openapi.responses import ORDER_ID
from tests.conformance import check

ORDER = {
    "id": ORDER_ID,
    "customer_id": 1,
    "status": "pending",
    "payment_status": "unpaid",
    "total_price": "4.50",
    "created_at": "2026-11-23T12:00:00.000000Z",
    "updated_at": "2026-11-23T12:00:00.000000Z",
    "order_items": [],
}
PROBLEM = {"title": "None", "status": 404, "detail": "None."}


def response(body: Any, status: int = 200, **headers: str) -> None:
    media_type = "application/json" if status < 400 else "application/problem+json"
    sent = {"content-type": media_type, **{name.replace("_", "-"): text for name, text in headers.items()}}
    check("GET", f"/api/orders/{ORDER_ID}", status, sent, json.dumps(body))


def test_an_answer_that_is_described_is_let_through() -> None:
    response(ORDER)
    response({**PROBLEM, "type": "/docs#order-not-found"}, 404)


@pytest.mark.parametrize("changed", [{"status": "lost"}, {"total_price": 4.5}, {"id": "1"}, {"secret": 1}])
def test_a_body_that_is_not_described_is_found(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        response({**ORDER, **changed})


def test_a_field_that_is_missing_is_found() -> None:
    with pytest.raises(ValidationError):
        response({name: value for name, value in ORDER.items() if name != "updated_at"})


@pytest.mark.parametrize(
    ("status", "kind", "headers"),
    [
        (404, "product-not-found", {}),
        (409, "idempotency-key-in-flight", {}),
        (503, "unavailable", {}),
        (404, "order-not-found", {"retry_after": "2"}),
    ],
)
def test_a_problem_that_is_not_described_is_found(status: int, kind: str, headers: dict[str, str]) -> None:
    with pytest.raises(AssertionError):
        response({**PROBLEM, "status": status, "type": f"/docs#{kind}"}, status, **headers)


def test_a_media_type_that_is_not_described_is_found() -> None:
    with pytest.raises(AssertionError):
        response(ORDER, content_type="text/plain")
