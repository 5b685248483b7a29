"""Calls for Stripe's events about refunds and disputes, and the requests for refunds."""

from typing import Any

from pg8000.native import Connection

from tests.integration.races import Call, refund, report, report_dispute, report_refund


def refund_event(
    event_id: str, status: str, payment: str | None, reference: str | None = "re_1", **fields: Any
) -> Call:
    """Record an event about a refund of 30.00 of a payment."""
    named = {"payment_reference": payment, "object_reference": reference, "currency": "USD"}
    return report_refund(event_id, status, **{"amount": "30", **named, **fields})


def refund_total(event_id: str, payment: str | None, amount: str, **fields: Any) -> Call:
    """Record a charge.refunded event: the sum of the refunds of a payment."""
    named = {"payment_reference": payment, "amount": amount, "currency": "USD", "reason": "refund_total"}
    return report(event_id, type="charge.refunded", **{**named, **fields})


def dispute_event(
    event_id: str, status: str, payment: str | None, reference: str | None = "dp_1", **fields: Any
) -> Call:
    """Record an event about a dispute of a payment of 100.00."""
    named = {"payment_reference": payment, "object_reference": reference, "amount": "100", "currency": "USD"}
    return report_dispute(event_id, status, **{**named, **fields})


def requested(database: Connection, order_id: str, *amounts: str) -> list[str]:
    """Request refunds of an order. Return their IDs."""
    for amount in amounts:
        assert refund(order_id, amount=amount).run(database) == "created"
    found = database.run("SELECT id::text FROM refunds WHERE order_id = :id ORDER BY requested_at", id=order_id)
    return [id_ for [id_] in found or []]
