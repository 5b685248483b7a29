"""Orders with payments, and refunds of them."""

from typing import Any

from tests.api_client import ApiClient, Response, expect

Order = dict[str, Any]
Refund = dict[str, Any]

MAX_STOCK = 2_147_483_647


def unpaid_order(api: ApiClient, price: str = "100.00", units: int = 1, **fields: Any) -> Order:
    """A pending order for all units of a new product, which is not paid."""
    return api.order((api.create_product(price=price, quantity=units)["id"], units), **fields)


def paid_order(api: ApiClient, price: str = "100.00", units: int = 1, **fields: Any) -> Order:
    """A pending order for all units of a new product, which is paid."""
    order = unpaid_order(api, price, units, **fields)
    expect(200, api.pay(order["id"], payment_reference=f"pi_{order['number']}"))
    return current(api, order)


def current(api: ApiClient, order: Order) -> Order:
    """The order as it is now."""
    found: Order = expect(200, api.get(f"/api/orders/{order['id']}"))
    return found


def etag(api: ApiClient, order: Order) -> str:
    return api.get(f"/api/orders/{order['id']}").headers["etag"]


def product_of(order: Order, number: int = 0) -> str:
    """The ID of the product of a line item."""
    product_id: str = order["order_items"][number]["product_id"]
    return product_id


def money(api: ApiClient, order: Order) -> tuple[str, str, str]:
    """The amounts that the order received and returned, and its refund status."""
    order = current(api, order)
    return order["paid_amount"], order["refunded_amount"], order["refund_status"]


def payments(api: ApiClient, order: Order) -> list[dict[str, Any]]:
    return api.items(f"/api/orders/{order['id']}/payments")


def received(api: ApiClient, order: Order) -> list[tuple[str | None, str, str, str | None]]:
    """The reference, the amount, the currency and the reason of each payment."""
    names = ("reference", "amount", "currency", "reason")
    return [tuple(payment[name] for name in names) for payment in payments(api, order)]


def refunds(api: ApiClient, order: Order) -> list[Refund]:
    return api.items(f"/api/orders/{order['id']}/refunds")


def ask(api: ApiClient, order: Order, body: Any = None, **headers: str) -> Response:
    """Request a refund. Without a body: of everything that is left."""
    return api.call("POST", f"/api/orders/{order['id']}/refunds", {} if body is None else body, headers)


def requested(api: ApiClient, order: Order, **body: Any) -> Refund:
    refund: Refund = expect(201, ask(api, order, body))
    return refund


def refund_in(api: ApiClient, status: str, reference: str | None = None) -> Refund:
    """A refund with this status, of an order of its own."""
    refund = requested(api, paid_order(api))
    if status != "requested":
        refund = expect(200, set_status(api, refund, status, reference))
    return refund


def set_status(api: ApiClient, refund: Refund, status: str, reference: str | None = None) -> Response:
    reference_field = {} if reference is None else {"processor_reference": reference}
    return set_to(api, refund, {"status": status, **reference_field})


def set_to(api: ApiClient, refund: Refund, body: Any) -> Response:
    return api.call("PUT", f"/api/refunds/{refund['id']}/status", body)


def line(order: Order, units: int, *, restock: bool, number: int = 0) -> dict[str, Any]:
    """A line of a refund: units of one of the order's line items."""
    return {"order_item_id": order["order_items"][number]["id"], "quantity": units, "restock": restock}


def cancel(api: ApiClient, order: Order, **body: Any) -> Response:
    return api.call("PUT", f"/api/orders/{order['id']}/status", {"status": "canceled", **body})


def pay_again(api: ApiClient, order: Order, reference: str, **fields: Any) -> str:
    """Report another payment, and return its outcome."""
    event = {"payment_reference": reference, "event_id": f"evt_{reference}", **fields}
    outcome: str = expect(200, api.pay(order["id"], **event))["outcome"]
    return outcome


def dispute(api: ApiClient, order: Order, status: str = "opened", **fields: Any) -> None:
    """Report a dispute of the payment of an order that paid_order() made."""
    event = {"type": f"dispute.{status}", "payment_reference": f"pi_{order['number']}", "event_id": f"evt_{status}"}
    expect(200, api.deliver({**event, **fields}))


def refund_event(api: ApiClient, order: Order, status: str, reference: str, amount: str, **fields: Any) -> str:
    """Report a refund as the processor does, and return the event's outcome."""
    event = {
        "type": f"refund.{status}",
        "payment_reference": f"pi_{order['number']}",
        "processor_refund_id": reference,
        "event_id": f"evt_{reference}_{status}",
        "amount": amount,
    }
    outcome: str = expect(200, api.deliver({**event, **fields}))["outcome"]
    return outcome
