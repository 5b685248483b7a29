"""Counts the SQL statements of an order, with pg_stat_statements. Load on the machine does not change them.

https://www.postgresql.org/docs/current/pgstatstatements.html
"""

import time
from collections.abc import Mapping
from typing import Any

from benchmarks.products.database import rows
from benchmarks.products.one_client import Subject

ORDERS = 20

SETTLE = 3.0
"""Seconds after the last order in which its jobs run."""

SETTINGS = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.max": "20000"}
"""They need a restart."""

_COUNT = (
    "SELECT coalesce(sum(calls) FILTER (WHERE toplevel), 0), coalesce(sum(calls), 0)"
    " FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname = :name"
)


def set_tracking(server_url: str, mode: str) -> None:
    """mode: none, or all, which includes the statements inside of functions."""
    rows(server_url, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    rows(server_url, f"ALTER SYSTEM SET pg_stat_statements.track = '{mode}'")
    rows(server_url, "SELECT pg_reload_conf()")
    time.sleep(1.0)


def measure(server_url: str, subjects: Mapping[str, tuple[Subject, str]]) -> dict[str, dict[str, Any]]:
    """Return the statements for each order. subjects: with the names of their databases.

    sent: by the client, with BEGIN and COMMIT. executed: also those inside of SQL functions.
    """
    set_tracking(server_url, "all")
    try:
        return {name: _counted(server_url, subject, database) for name, (subject, database) in subjects.items()}
    finally:
        set_tracking(server_url, "none")


def _counted(server_url: str, subject: Subject, database: str) -> dict[str, Any]:
    idle, duration = _between(server_url, database, lambda: time.sleep(SETTLE))
    total, elapsed = _between(server_url, database, lambda: _order(subject))
    sent, executed = (
        max(0.0, (all_ - few * elapsed / duration) / ORDERS) for all_, few in zip(total, idle, strict=True)
    )
    return {"orders": ORDERS, "sent": round(sent, 1), "executed": round(executed, 1), "idle": idle[0]}


def _order(subject: Subject) -> None:
    done = subject.repeat("order", 120.0, ORDERS)
    assert len(done.latencies) == ORDERS
    time.sleep(SETTLE)


def _between(server_url: str, database: str, task: Any) -> tuple[tuple[int, int], float]:
    rows(server_url, "SELECT pg_stat_statements_reset()")
    started = time.monotonic()
    task()
    elapsed = time.monotonic() - started
    [[sent, executed]] = rows(server_url, _COUNT, name=database)
    return (int(sent), int(executed)), elapsed
