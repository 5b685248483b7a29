"""What is counted and not timed, so that no noise can change it: a run fails where a count is over its bound."""

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

MAX_MODULES = 250
"""Modules that the orders function's import brings."""

MAX_PACKED = 9 * 1024 * 1024
"""Bytes of the layer's zip and the function's. A cold start fetches them."""

MAX_BLOCKS = {"products": 30, "orders": 150}
"""Blocks that PostgreSQL looks at for a page of all rows by its cursor, at any depth of any number of them."""

MAX_INSTRUCTIONS = {"order of 3": 1_000_000, "get": 810_000, "list": 1_090_000}
"""Instructions of the function's process for one request, by Python 3.13 on x86-64; a tenth above what they were."""


def instructions(bench: Bench, url: str) -> dict[str, int] | None:
    """Instructions of the function's process for one request of each kind; None where there is no valgrind."""
    if shutil.which("valgrind") is None:
        return None
    with ThreadPoolExecutor(2) as pool:
        counted = pool.map(lambda name: _instructions(bench, url, name), MAX_INSTRUCTIONS)
        return dict(zip(MAX_INSTRUCTIONS, counted, strict=True))


def _instructions(bench: Bench, url: str, name: str) -> int:
    """What so many calls more cost, which leaves out the start and the import."""
    few, many = (_collected(bench, url, name, calls) for calls in (20, 20 + CALLS))
    return (many - few) // CALLS


def _collected(bench: Bench, url: str, name: str, calls: int) -> int:
    work = workloads_on(url)[name].work(STOREFRONT, Random(1), calls)._replace(repeat=False)
    environment = {**bench.environment(url), "PYTHONHASHSEED": "0"}
    worker = Worker(STOREFRONT, environment, ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"])
    run([worker], [work], seconds=600.0)
    found = re.search(r"Collected : (\d+)", worker.close())
    assert found is not None
    return int(found[1])


def exceeded(found: dict[str, Any]) -> list[str]:
    """What is over its bound, each in a sentence; none where all is well. found: what all parts found."""
    cold = found["cold"]["storefront"]
    over = [
        f"{name} takes {systems['storefront']['round_trips']} round trips"
        for name, systems in found["network"].items()
        if systems["storefront"]["round_trips"] != 1
    ]
    if cold["modules"] > MAX_MODULES:
        over.append(f"the orders function imports {cold['modules']} modules, more than {MAX_MODULES}")
    if cold["packed"] > MAX_PACKED:
        over.append(f"the artifact has {cold['packed']} bytes, more than {MAX_PACKED}")
    over += [
        f"{relation}, {name}, {rows} rows: {entry['blocks']} blocks, more than {MAX_BLOCKS[relation]}"
        for relation, pages in found["lists"].items()
        for name, sizes in pages.items()
        for rows, entry in sizes.items()
        if name in ("cursor, first", "cursor, middle", "cursor, last") and entry["blocks"] > MAX_BLOCKS[relation]
    ]
    if _instructions_compare() and found["instructions"]:
        over += [
            f"{name} takes {found['instructions'][name]:,} instructions, more than {bound:,}"
            for name, bound in MAX_INSTRUCTIONS.items()
            if found["instructions"][name] > bound
        ]
    return over


def _instructions_compare() -> bool:
    return sys.version_info[:2] == (3, 13) and platform.machine() == "x86_64"
