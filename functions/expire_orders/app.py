"""Cancels orders that were not paid in time, and forgets old idempotency keys. Run every few minutes."""

from collections.abc import Callable
from typing import Any

from storefront import settings
from storefront.actor import EXPIRE_ORDERS, Actor
from storefront.errors import NumberOutOfRange
from storefront.idempotency import keys
from storefront.log import logger
from storefront.orders import store

BATCH_SIZE = 200
"""A batch is one transaction: its orders and their products are locked for some milliseconds."""

TIME_FOR_A_BATCH = 20_000
"""Milliseconds that must be left to begin one: above what the database may take for it."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """How many orders expired and how many keys were swept. What there is no time for is left to the next run."""
    actor = Actor(actor=EXPIRE_ORDERS, request_id=context.aws_request_id)
    # The keys first: an order that cannot be expired must not keep them.
    swept = _in_batches(keys.sweep, context)
    expired = 0
    if time_to_live := settings.order_time_to_live():
        expired = _in_batches(lambda batch_size: store.expire(time_to_live, batch_size, actor), context)
    logger.info("expired orders", expired=expired, swept=swept)
    return {"expired": expired, "swept": swept}


def _in_batches(carry_out: Callable[[int], int], context: Any) -> int:
    """How many were done in all, by what does at most so many of them at a time and says how many it did."""
    total, batch_size = 0, BATCH_SIZE
    while context.get_remaining_time_in_millis() > TIME_FOR_A_BATCH:
        try:
            done = carry_out(batch_size)
        except NumberOutOfRange:
            # Only together do they give a product more stock than fits; one by one such an order is passed over.
            if batch_size == 1:
                raise
            batch_size = 1
            continue
        total += done
        if done < batch_size:
            break
    return total
