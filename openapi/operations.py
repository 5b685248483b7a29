"""What each route takes and answers, in one table. Who may use it is in storefront/routes.py."""

from openapi import docs, orders, payments, products
from openapi.operation import Operation

TAGS = {
    "products": "What the shop sells, and its stock.",
    "orders": "Orders take stock and move from `pending` to `completed` or `canceled`.",
    "payments": "What the payment processor reports, and what came of it.",
    "description": "This description of the API.",
}

OPERATIONS: dict[tuple[str, str], Operation] = {
    **products.OPERATIONS,
    **orders.OPERATIONS,
    **payments.OPERATIONS,
    **docs.OPERATIONS,
}
