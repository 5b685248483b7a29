"""Cancels orders that were not paid in time, and forgets old idempotency keys. Run every few minutes."""

from typing import Any

from storefront import settings
from storefront.errors import NumberOutOfRange
from storefront.idempotency import keys
from storefront.log import logger
from storefront.orders import store
from storefront.origin import Origin

BATCH_SIZE = 200
"""A batch is one transaction: its orders and their products are locked for some milliseconds."""

TIME_FOR_A_BATCH = 20_000
"""Milliseconds that must be left to begin one: above what the database may take for it."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """How many orders expired and how many keys were swept. What there is no time for is left to the next run."""
    origin: Origin = {"actor": "expire-orders", "request_id": context.aws_request_id}
    # The keys first: an order that cannot be expired must not keep them.
    swept = _sweep(context)
    expired = _expire(origin, context)
    logger.info("expired orders", expired=expired, swept=swept)
    return {"expired": expired, "swept": swept}


def _expire(origin: Origin, context: Any) -> int:
    time_to_live = settings.order_time_to_live()
    total, batch_size = 0, BATCH_SIZE
    while time_to_live and context.get_remaining_time_in_millis() > TIME_FOR_A_BATCH:
        try:
            expired = store.expire(time_to_live, batch_size, origin)
        except NumberOutOfRange:
            # Only together do they give a product more stock than fits; one by one such an order is passed over.
            if batch_size == 1:
                raise
            batch_size = 1
            continue
        total += expired
        if expired < batch_size:
            break
    return total


def _sweep(context: Any) -> int:
    total = 0
    while context.get_remaining_time_in_millis() > TIME_FOR_A_BATCH:
        swept = keys.sweep(BATCH_SIZE)
        total += swept
        if swept < BATCH_SIZE:
            break
    return total
