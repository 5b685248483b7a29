"""64 buyers at the same time for a product with 25 units."""

import re
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from benchmarks.products import catalog
from benchmarks.products.client import Client, RefusedError
from benchmarks.products.shops import Running

BUYERS = 64
RUNS = 2

WARM_UP_BUYERS = 8
"""They order other products first, so that every server has compiled its code and opened its connections."""

OUT_OF_STOCK = re.compile(r"stock|inventory", re.IGNORECASE)


def measure(running: Running, last_sku: str, hot_skus: Sequence[str]) -> list[dict[str, Any]]:
    """Run once for each hot product. last_sku: a product with one unit."""
    first, second = (_orders(running, [last_sku])[0] for _ in range(2))
    if first is not None or second is None or not OUT_OF_STOCK.search(second):
        raise RuntimeError(f"This shop does not check its stock: {first}, {second}")
    for _ in range(2):
        _orders(running, [catalog.sku(n + 1) for n in range(WARM_UP_BUYERS)])
    return [_run(running, sku) for sku in hot_skus]


def _run(running: Running, sku: str) -> dict[str, Any]:
    started = time.monotonic()
    reasons = _orders(running, [sku] * BUYERS)
    elapsed = time.monotonic() - started
    refusals = [reason for reason in reasons if reason is not None]
    counted = Counter(without_ids(reason) for reason in refusals)
    sold, left = running.shop.sold(sku), running.shop.left(sku)
    [refusal] = _orders(running, [sku])
    return {
        "sold": sold,
        "left": left,
        "confirmed": len(reasons) - len(refusals),
        "out_of_stock": {reason: number for reason, number in counted.items() if OUT_OF_STOCK.search(reason)},
        "errors": {reason: number for reason, number in counted.items() if not OUT_OF_STOCK.search(reason)},
        "later": "got an order" if refusal is None else without_ids(refusal),
        "seconds": round(elapsed, 2),
    }


def _orders(running: Running, skus: Sequence[str]) -> list[str | None]:
    """Order each product at the same time, and return for each buyer why the order was refused, or None."""
    barrier = Barrier(len(skus))

    def order(number: int) -> str | None:
        # A load balancer that keeps a buyer on one server.
        with Client(running.ports[number % len(running.ports)]) as client:
            barrier.wait()
            try:
                running.shop.place_order(client, skus[number])
            except RefusedError as refused:
                return str(refused)
        return None

    with ThreadPoolExecutor(len(skus)) as pool:
        return list(pool.map(order, range(len(skus))))


def without_ids(reason: str) -> str:
    return re.sub(r"[a-z]+_[0-9A-Z]{20,}|[0-9a-f]{8}-[0-9a-f-]{27}", "…", reason)[:300]
