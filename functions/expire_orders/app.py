"""Cancel orders that were not paid in time, and delete old idempotency keys and bodies. Runs every few minutes."""

from collections.abc import Callable
from typing import Any

from storefront import settings
from storefront.actor import EXPIRE_ORDERS, Actor
from storefront.db import PATIENCE, wake
from storefront.errors import NumberOutOfRange, Unavailable
from storefront.idempotency import keys
from storefront.log import logger
from storefront.metrics import count
from storefront.orders import store
from storefront.payments import store as payments

BATCH_SIZE = 200
"""A batch is one transaction. It locks its orders and their products for a few milliseconds."""

TIME_FOR_A_BATCH = 20_000
"""Milliseconds that must remain to start a batch. The database may take almost as long."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Return how many orders expired and how many were postponed, and how many keys and bodies of events were deleted.

    The next run continues if time runs out.
    """
    wake(PATIENCE)
    actor = Actor(actor=EXPIRE_ORDERS, party="shop", request_id=context.aws_request_id)
    # Orders come last, so that an order that cannot expire does not block the rest.
    swept = _in_batches(keys.sweep, context)
    erased = expired = postponed = 0
    if retention_days := settings.payment_body_retention_days():
        erased = _in_batches(lambda batch_size: payments.erase_bodies(retention_days, batch_size), context)
    if ignored_days := settings.ignored_body_retention_days():
        erased += _in_batches(
            lambda batch_size: payments.erase_bodies(ignored_days, batch_size, only_ignored=True), context
        )
    # 0 also keeps orders that were placed with another time to live.
    if settings.order_time_to_live() > 0:
        expired = _in_batches(lambda batch_size: store.expire(batch_size, actor), context)
        postponed = store.postponed()
    done: dict[str, Any] = {"expired": expired, "postponed": postponed, "swept": swept, "erased_bodies": erased}
    if postponed:
        logger.warning("no payment events arrive, so orders do not expire", postponed=postponed)
    logger.info("expired orders", **done)
    count("ExpiryPostponed", postponed)
    return done


def _in_batches(run_batch: Callable[[int], int], context: Any) -> int:
    """Run batches until one is not full. Return the total.

    run_batch: takes a batch size and returns how many it handled.
    """
    total, batch_size = 0, BATCH_SIZE
    while context.get_remaining_time_in_millis() > TIME_FOR_A_BATCH:
        try:
            done = run_batch(batch_size)
        except (NumberOutOfRange, Unavailable):
            # The orders of a batch together return too much stock, or wait too long for locks. One by one, SQL skips
            # the order that does not fit, and each order waits only for its own products.
            if batch_size == 1:
                raise
            batch_size = 1
            continue
        total += done
        if done < batch_size:
            break
    return total
