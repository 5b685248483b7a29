"""Orders with a payment of 100.00, and the refunds that events report of it."""

from typing import Any

from pg8000.native import Connection

from tests.api_client import ApiClient
from tests.integration.races import Call, pay
from tests.integration.refund_events import refund_event


def unpaid_order(api: ApiClient) -> str:
    return str(api.order((api.create_product(price="100")["id"], 1))["id"])


def paid(database: Connection, order_id: str, reference: str | None = "pi_1") -> None:
    event = pay(order_id, "paid", f"evt_{reference}", amount="100", currency="USD", payment_reference=reference)
    assert event.run(database) in ("applied", "needs_refund")


def returned(reference: str | None = "re_1", status: str = "succeeded", **fields: Any) -> Call:
    return refund_event(f"evt_{reference}_{status}", status, **{"payment": "pi_1", "reference": reference, **fields})


def refunds(database: Connection) -> list[tuple[str, str | None, str]]:
    """Each refund: its status, its reference and its amount."""
    columns = "status::text, processor_reference, trim_scale(amount)::text"
    rows = database.run(f"SELECT {columns} FROM refunds ORDER BY status, processor_reference, amount") or []
    return [(status, reference, amount) for status, reference, amount in rows]


def refund_of(database: Connection, reference: str) -> tuple[str, str]:
    """The ID of a refund and of its payment."""
    [[id_, payment]] = database.run(
        "SELECT r.id::text, p.reference FROM refunds r JOIN payments p ON p.id = r.payment_id"
        " WHERE r.processor_reference = :reference",
        reference=reference,
    )
    return id_, payment
