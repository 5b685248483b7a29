"""Counts the CPU instructions of PostgreSQL for the statement of a request. Load on the machine does not change them.

PostgreSQL runs in single-user mode under callgrind, and reads one statement per line.
https://www.postgresql.org/docs/current/app-postgres.html
"""

import logging
import os
import re
import shutil
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from benchmarks.bench import POSTGRES_BIN, Bench
from benchmarks.workloads import ROWS, Workload, event, new_orders, place_orders, workloads_on
from local.postgres import postgres
from storefront import db
from storefront.errors import Unavailable
from tests.api_client import lambda_context, load_function

WARM_UP = 10
"""Calls that are not counted. PostgreSQL plans the statements of a function in its first calls."""

CALLS = 50

DATABASE = "statements"

_SETTINGS = "SELECT setconfig FROM pg_db_role_setting WHERE setrole = 0"
"""The settings of the database, which PostgreSQL ignores in single-user mode."""

MARK = "pg_client_encoding"
"""A function of PostgreSQL that nothing else calls. callgrind writes a file before each call, and counts from 0."""

ADDRESS = {
    "name": "Ada Byron",
    "line1": "12 Harbour Street",
    "city": "Bristol",
    "postal_code": "BS1 4QA",
    "country": "GB",
    "phone": "+44 117 496 0000",
}
FIELDS = {
    "email": "ada@shop.example",
    "shipping_address": ADDRESS,
    "billing_address": ADDRESS,
    "charges": [
        {"kind": "shipping", "label": "Parcel", "amount": "4.90"},
        {"kind": "tax", "label": "VAT 20 %", "amount": "3.10"},
        {"kind": "discount", "label": "SPRING", "amount": "-0.50"},
    ],
    "note": "Please ring twice.",
    "metadata": {"channel": "web", "cart": "c-20931"},
}
"""The optional fields of an order, except for the reference, which is unique."""


def measure(bench: Bench) -> dict[str, int] | None:
    """Count PostgreSQL's instructions for each kind of request; None without valgrind."""
    if shutil.which("valgrind") is None:
        return None
    # A folder that other users can enter: for root, PostgreSQL runs as another user.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        with postgres(data, database="postgres") as server_url:
            url = replace(bench, server_url=server_url).database(DATABASE, ROWS)
            with closing(db.connect(url)) as owner:
                [[settings]] = owner.run(_SETTINGS)
            with mock.patch.dict(os.environ, bench.environment(url)):
                statements = {name: _sent(workload) for name, workload in _workloads(url).items()}
            with closing(db.connect(url)) as owner:
                # Whether a call happens to clean up a full page of an index would change its count by 5 %.
                owner.run("REINDEX SCHEMA public")
        totals = _totals(data, settings, [line for lines in statements.values() for line in lines])
    # The first number of each pair contains the warm-up.
    return {name: total // CALLS for name, total in zip(statements, totals[1::2], strict=True)}


def _workloads(url: str) -> dict[str, Workload]:
    workloads = workloads_on(url)
    # Without concurrency, it is an order of one line item.
    del workloads["place order, hot product"]
    page = Workload("orders", 200, lambda _, number: [event("GET", "/api/orders?page_size=20")] * number)
    return {**workloads, "list orders": page, "place order, all fields": place_orders(_orders_with_all_fields)}


def _orders_with_all_fields(random: Random, number: int) -> list[dict[str, Any]]:
    orders = enumerate(new_orders(random, number, 3))
    return [{**order, **FIELDS, "reference": f"S-{order_number}"} for order_number, order in orders]


def _sent(workload: Workload) -> list[str]:
    """Return the statements that a function sends, with a mark after the warm-up and one at the end."""
    statements: list[str] = []

    def call(function: str, request: str, *, repeatable: bool) -> tuple[str, str]:  # noqa: ARG001  as in storefront/db.py
        quoted = request.replace("'", "''")
        statements.append(f"SELECT outcome, body FROM {function}('{quoted}')")
        raise Unavailable("The statement is run later.")

    handler = load_function(workload.function).lambda_handler
    logging.disable()
    try:
        with mock.patch.object(db, "call", call):
            for one in workload.events(Random(1), WARM_UP + CALLS):
                assert handler(one, lambda_context())["statusCode"] == Unavailable.status
    finally:
        logging.disable(logging.NOTSET)
    assert len(statements) == WARM_UP + CALLS
    mark = f"SELECT {MARK}()"
    return [*statements[:WARM_UP], mark, *statements[WARM_UP:], mark]


def _totals(data: Path, settings: list[str], statements: list[str]) -> list[int]:
    """Run statements, and return the instructions before each mark."""
    counts = data.parent / "counts"
    counts.mkdir()
    shutil.chown(counts, data.owner())
    options = [option for setting in settings for option in ("-c", setting)]
    callgrind = ["valgrind", "--tool=callgrind", f"--dump-before={MARK}", f"--callgrind-out-file={counts}/count"]
    result = subprocess.run(
        [*callgrind, POSTGRES_BIN / "postgres", "--single", "-D", data, *options, DATABASE],
        input="\n".join(statements) + "\n",
        user=data.owner(),
        check=True,
        capture_output=True,
        text=True,
    )
    # PostgreSQL continues after a failed statement.
    assert "ERROR" not in result.stderr, result.stderr
    files = sorted(counts.glob("count.*"), key=lambda file: int(file.suffix[1:]))
    return [_total(file.read_text()) for file in files]


def _total(counted: str) -> int:
    found = re.search(r"(?m)^totals: (\d+)$", counted)
    assert found is not None
    return int(found[1])
