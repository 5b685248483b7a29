"""Counts that load on the machine does not change. A run fails if a count exceeds its limit."""

import platform
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from benchmarks.bench import STOREFRONT, Bench
from benchmarks.workers import Worker, run
from benchmarks.workloads import workloads_on

CALLS = 100

MAX_MODULES = 255
"""Modules that the import of the orders function loads: 252, with the countries and the grammar of e-mail addresses."""

MAX_ZIP_BYTES = 9 * 1024 * 1024
"""Size of the layer's and the function's zip files, which a cold start downloads."""

MAX_BLOCKS = {"products": 30, "orders": 150}
"""Blocks that PostgreSQL reads for an unfiltered cursor page, at any depth and for any number of rows."""

MAX_INSTRUCTIONS = {
    "place order, 1 item": 1_159_000,
    "place order, 3 items": 1_271_000,
    "place order, 5 items": 1_383_000,
    "get order": 916_000,
    "list products": 1_155_000,
    "payment webhook": 1_474_000,
}
"""Instructions of the function's process for one request, with Python 3.13 on x86-64: a tenth above the last count."""

MAX_STATEMENT_INSTRUCTIONS = {
    "place order, 1 item": 1_416_000,
    "place order, 3 items": 2_071_000,
    "place order, 5 items": 2_686_000,
    "place order, all fields": 2_945_000,
    "get order": 372_000,
    "list products": 3_785_000,
    "payment webhook": 1_331_000,
}
"""Instructions of PostgreSQL for the statement of a request, on x86-64: a twentieth above the last count. An order that
does not use an optional field should not pay for it."""


def instructions(bench: Bench, url: str) -> dict[str, int] | None:
    """Count the instructions of the function's process for each kind of request; None without valgrind."""
    if shutil.which("valgrind") is None:
        return None
    with ThreadPoolExecutor(2) as pool:
        counted = pool.map(lambda name: _instructions(bench, url, name), MAX_INSTRUCTIONS)
        return dict(zip(MAX_INSTRUCTIONS, counted, strict=True))


def _instructions(bench: Bench, url: str, name: str) -> int:
    """Compare a short and a longer run: their difference excludes the start and the import."""
    few, many = (_collected(bench, url, name, calls) for calls in (20, 20 + CALLS))
    return (many - few) // CALLS


def _collected(bench: Bench, url: str, name: str, calls: int) -> int:
    work = workloads_on(url)[name].work(STOREFRONT, Random(1), calls)._replace(repeat=False)
    environment = {**bench.environment(url), "PYTHONHASHSEED": "0"}
    worker = Worker(STOREFRONT, environment, ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"])
    run([worker], [work], seconds=600.0)
    match = re.search(r"Collected : (\d+)", worker.close())
    assert match is not None
    return int(match[1])


def exceeded(results: dict[str, Any]) -> list[str]:
    """Return a sentence for each exceeded limit. results: the measurements of all parts."""
    cold = results["cold"]["storefront"]
    over = [
        f"{name} takes {systems['storefront']['round_trips']} round trips"
        for name, systems in results["network"].items()
        if systems["storefront"]["round_trips"] != 1
    ]
    if cold["modules"] > MAX_MODULES:
        over.append(f"the orders function imports {cold['modules']} modules, more than {MAX_MODULES}")
    if cold["zip_bytes"] > MAX_ZIP_BYTES:
        over.append(f"the zip files have {cold['zip_bytes']} bytes, more than {MAX_ZIP_BYTES}")
    over += [
        f"{table}, {name}, {rows} rows: {entry['blocks']} blocks, more than {MAX_BLOCKS[table]}"
        for table, pages in results["lists"].items()
        for name, sizes in pages.items()
        for rows, entry in sizes.items()
        if name in ("cursor, first", "cursor, middle", "cursor, last") and entry["blocks"] > MAX_BLOCKS[table]
    ]
    if _instructions_are_comparable() and results["instructions"]:
        over += [
            f"{name} takes {results['instructions'][name]:,} instructions, more than {limit:,}"
            for name, limit in MAX_INSTRUCTIONS.items()
            if results["instructions"][name] > limit
        ]
    if platform.machine() == "x86_64" and results.get("statements"):
        over += [
            f"{name} takes {results['statements'][name]:,} instructions of PostgreSQL, more than {limit:,}"
            for name, limit in MAX_STATEMENT_INSTRUCTIONS.items()
            if results["statements"][name] > limit
        ]
    return over


def _instructions_are_comparable() -> bool:
    return sys.version_info[:2] == (3, 13) and platform.machine() == "x86_64"
