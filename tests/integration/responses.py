"""Compares the shop's responses with the model."""

from collections.abc import Mapping
from typing import Any, get_args

from storefront.reconciliation.models import ReconciliationKind
from tests.api_client import Response
from tests.integration.entities import Refusal

EVERY_RESPONSE = {
    *("200", "201", "204", "304", "replayed", "expired"),
    *("applied", "duplicate", "ignored", "needs_refund", "needs_review"),
    *("same_event", "same_status", "other_content", "order_paid", "order_not_pending", "order_canceled"),
    *("payment_under_way", "payment_ended", "no_order_named", "type_not_ours", "invalid", "unreadable-payment-event"),
    *("amount_differs", "currency_differs", "order_completed", "unknown_order"),
    *("insufficient-stock", "invalid-transition", "order-not-found", "product-not-found", "stale-etag"),
    *("idempotency-key-reused", "number-out-of-range", "total-too-large", "total-too-small", "total-changed"),
    *("reference-taken", "sku-taken", "not-cancelable", "canceled by the customer"),
    *("order-limit: order_lines", "order-limit: order_units", "order-limit: customer_units"),
    *("customer-limit: customer_orders", "customer-limit: customer_units", "customer-limit: daily_orders"),
    *("payment_unknown", "refund_total", "paid_twice", "same_payment", "refund-too-large", "refund-conflict"),
    *("order-item-not-found", "already-acknowledged", "canceled with refund"),
    "older_status",
    *("refund: applied", "refund: duplicate", "refund: ignored", "refund: needs_review"),
    *("dispute: applied", "dispute: ignored", "refund_total: ignored"),
    *("refund_status: none", "refund_status: pending", "refund_status: partial", "refund_status: full"),
    *("refund set to pending", "refund set to succeeded", "refund set to failed", "refund set to canceled"),
    *get_args(ReconciliationKind),
    *("erasures: 1", "erasures: 2", "replayed without personal data", "replay without a body"),
}
"""What the random requests must lead to. The strategies draw each often enough that 300 sequences contain it."""


def name_of(response: Response) -> str:
    """The outcome of a payment event, the kind of a problem, with its limit if it has one, or else the status."""
    if "idempotent-replayed" in response.headers:
        return "replayed"
    body = response.json if response.text else {}
    name = str(body.get("outcome") or body.get("type") or response.status).removeprefix("/docs#")
    return f"{name}: {body['limit']}" if "limit" in body else name


def expect_refusal(response: Response, refusal: Refusal | None) -> bool:
    """Whether a refusal is expected. If so, assert that the response is this refusal."""
    if refusal is not None:
        assert (response.status, name_of(response)) == refusal, response
    return refusal is not None


def assert_matches(response: Any, expected: Any) -> None:
    """Assert that a response has the expected fields."""
    assert expected_part(response, expected) == expected


def expected_part(response: Any, expected: Any) -> Any:
    """The part of a response that has an expected value."""
    if isinstance(expected, dict):
        return {name: expected_part(response[name], value) for name, value in expected.items() if name in response}
    if isinstance(expected, list):
        return [expected_part(*pair) for pair in zip(response, expected, strict=True)]
    return response


def sort_key(event: Mapping[str, Any]) -> list[str]:
    """The sort key of a payment event."""
    return [str(event[name]) for name in ("event_id", "order_id", "payment_status", "amount", "currency", "reason")]
