"""The table of all routes. storefront/routes.py says who may use them."""

from openapi import docs, orders, payments, products, reconciliation, refunds
from openapi.operation import Operation

TAGS = {
    "products": "Products and their stock.",
    "orders": "Orders reduce the stock. Their status changes from `pending` to `completed` or `canceled`.",
    "payments": "Payments, and the events of the payment processor.",
    "refunds": "Refunds: requested here, executed at the processor, and confirmed by its events.",
    "reconciliation": "Money without goods, and goods without money.",
    "description": "This description of the API.",
}

OPERATIONS: dict[tuple[str, str], Operation] = {
    **products.OPERATIONS,
    **orders.OPERATIONS,
    **payments.OPERATIONS,
    **refunds.OPERATIONS,
    **reconciliation.OPERATIONS,
    **docs.OPERATIONS,
}
