"""Measures the scheduled functions: the expiry of unpaid orders, and the audit."""

import os
import time
from contextlib import closing
from statistics import median
from typing import Any
from unittest import mock

from benchmarks.bench import Bench
from storefront import audit, db
from tests.api_client import lambda_context, load_function

MAKE_DUE = """
UPDATE orders SET status = 'pending', payment_status = 'unpaid', expires_at = now() - interval '1 day'"""


def measure_expiry(bench: Bench) -> dict[str, Any]:
    """Measure how long the function takes to cancel many orders and to return their stock."""
    number = bench.sizes.expired
    url = bench.database("expiry", number)
    with closing(db.connect(url, response_timeout=600)) as owner:
        owner.run("SET statement_timeout = 0")
        owner.run(MAKE_DUE)
        owner.run("VACUUM ANALYZE")
    expire = load_function("expire_orders").lambda_handler
    expired, runs = 0, 0
    with mock.patch.dict(os.environ, bench.environment(url)):
        db.disconnect()
        started = time.perf_counter()
        while expired < number:
            done = expire({}, lambda_context())["expired"]
            assert done, f"{expired} of {number} orders expired"
            expired, runs = expired + done, runs + 1
        seconds = time.perf_counter() - started
        db.disconnect()
    with closing(db.connect(url)) as owner:
        [[canceled]] = owner.run("SELECT count(*) FROM orders WHERE status = 'canceled'")
    assert canceled == number, f"{canceled} of {number} orders are canceled"
    return {"orders": number, "seconds": seconds, "rate": number / seconds, "runs": runs}


def measure_audit(bench: Bench) -> dict[str, Any]:
    """Measure how long the audit takes for consistent data."""
    rows = max(bench.sizes.rows)
    url = bench.database("audit", rows)
    timings = []
    for _ in range(min(bench.sizes.rounds, 3)):
        with closing(db.connect(url, audit.RESPONSE_TIMEOUT)) as connection:
            started = time.perf_counter()
            violations = audit.violations(connection)
            timings.append(time.perf_counter() - started)
        assert not violations, violations[:3]
    return {"orders": rows, "seconds": median(timings), "limit": audit.RESPONSE_TIMEOUT}
