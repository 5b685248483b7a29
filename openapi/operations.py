"""The table of all routes. storefront/routes.py says who may use them."""

from openapi import docs, orders, payments, products
from openapi.operation import Operation

TAGS = {
    "products": "Products and their stock.",
    "orders": "Orders reduce the stock. Their status changes from `pending` to `completed` or `canceled`.",
    "payments": "Payment events from the payment processor, and the reconciliation.",
    "description": "This description of the API.",
}

OPERATIONS: dict[tuple[str, str], Operation] = {
    **products.OPERATIONS,
    **orders.OPERATIONS,
    **payments.OPERATIONS,
    **docs.OPERATIONS,
}
