"""The performance targets: ratios of two measurements of the same run, each with a limit."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

Results = Any
"""The content of results.json."""

AT_LEAST, AT_MOST = "≥", "≤"


@dataclass(frozen=True)
class Target:
    """A measured value and its limit. side: AT_LEAST or AT_MOST. value returns None where nothing was measured."""

    name: str
    limit: float
    side: str
    value: Callable[[Results], Any]

    def is_met(self, results: Results) -> bool | None:
        value = self.value(results)
        if value is None:
            return None
        return bool(value >= self.limit) if self.side == AT_LEAST else bool(value <= self.limit)


def _cold_start(measure: str, other: str) -> Callable[[Results], Any]:
    """The ratio of a measure of Storefront's cold start to the same measure of another one."""
    return lambda results: results["cold"]["storefront"][measure] / results["cold"][other][measure]


def _rate(workload: str, system: str, other: str, processes: str = "1") -> Callable[[Results], Any]:
    def ratio(results: Results) -> Any:
        systems = results["handlers"][workload].get(processes)
        return _ratio_of_rates(systems[system], systems[other]) if systems else None

    return ratio


def _ratio_of_rates(measured: Results, other: Results) -> Any:
    # In each round, load on the host most likely affects both systems. Ratios of the same round cancel it out.
    return median(rate / baseline for rate, baseline in zip(measured["rates"], other["rates"], strict=True))


def _hot_product(results: Results) -> Any:
    return min(
        _ratio_of_rates(systems["database layer"], systems["pgbench"])
        for systems in results["handlers"]["place order, hot product"].values()
    )


def _tls(results: Results) -> Any:
    return results["tls"] and results["tls"]["storefront"]["p50"] / results["tls"]["psycopg"]["p50"]


def _growth(table: str, page: str) -> Callable[[Results], Any]:
    """The time of a page with the most rows, divided by its time with the fewest."""

    def ratio(results: Results) -> Any:
        by_rows = list(results["lists"][table][page].values())
        return by_rows[-1]["p50"] / by_rows[0]["p50"]

    return ratio


def _last_page(table: str) -> Callable[[Results], Any]:
    """The time of the last cursor page, divided by the time of the first one, with the most rows."""

    def ratio(results: Results) -> Any:
        pages = results["lists"][table]
        last, first = (list(pages[name].values())[-1] for name in ("cursor, last", "cursor, first"))
        return last["p50"] / first["p50"]

    return ratio


def _orders_in_rush(kind: str, clients: str) -> Callable[[Results], Any]:
    """The orders per second of many clients, divided by those of the fewest."""

    def ratio(results: Results) -> Any:
        by_clients = (results.get("rush") or {}).get(kind) or {}
        return by_clients[clients]["orders"] / by_clients["8"]["orders"] if clients in by_clients else None

    return ratio


def _longest_in_rush(results: Results) -> Any:
    rush = results.get("rush") or {}
    seen = [one for kind in ("direct", "pooled", "beside") for one in rush.get(kind, {}).values()]
    return max((times["longest"] for one in seen for times in (one["placed"], one["refused"]) if times), default=None)


def _others_in_rush(results: Results) -> Any:
    beside = (results.get("rush") or {}).get("beside") or {}
    others = [times for seen in beside.values() for times in seen["others"].values()]
    measured = [times for times in others if times["calm"]["p99"]]
    return max((times["rush"]["p99"] / times["calm"]["p99"] for times in measured), default=None)


def _peak_memory(results: Results) -> Any:
    return max(memory for sample in results["soak"]["samples"] for memory in sample["memory"].values())


ORDERS = ("place order, 1 item", "place order, 3 items", "place order, 5 items")

COLD_STARTS = (
    Target("Import, compared with FastAPI", 0.35, AT_MOST, _cold_start("import", "fastapi")),
    Target("First response from the database, compared with FastAPI", 0.3, AT_MOST, _cold_start("response", "fastapi")),
    Target(
        "Import as deployed, compared with bytecode that is validated by timestamp",
        1.1,
        AT_MOST,
        _cold_start("import", "storefront, timestamp bytecode"),
    ),
)
UPPER_LIMIT = (
    *(
        Target(
            f"{order}, with {processes} process{'es' if processes > 1 else ''}",
            limit,
            AT_LEAST,
            _rate(order, "storefront", "pgbench", str(processes)),
        )
        for order in ORDERS
        for processes, limit in ((1, 0.7), (4, 0.6))
    ),
    Target("place order, hot product: database layer only, worst of all process counts", 0.8, AT_LEAST, _hot_product),
)
FASTAPI = tuple(
    Target(workload, limit, AT_LEAST, _rate(workload, "storefront", "fastapi"))
    for workload, limit in (
        *((order, 5.0) for order in ORDERS),
        ("get order", 6.0),
        ("list products", 6.0),
        ("payment webhook", 5.0),
    )
)
LISTS = tuple(
    target
    for table in ("products", "orders")
    for target in (
        Target(f"{table}: cursor page in the middle", 1.3, AT_MOST, _growth(table, "cursor, middle")),
        Target(f"{table}: last cursor page, compared with the first one", 1.3, AT_MOST, _last_page(table)),
        Target(f"{table}: page 1 with its `total`", 30.0, AT_MOST, _growth(table, "page 1")),
    )
)
OTHERS = (
    Target("Connection over verified TLS: time, compared with psycopg", 1.0, AT_MOST, _tls),
    Target("Memory of a warm function process: maximum, in MiB", 70.0, AT_MOST, _peak_memory),
)

RUSH = (
    Target("700 clients: orders per second, compared with 8", 0.6, AT_LEAST, _orders_in_rush("direct", "700")),
    Target("3,000 clients of a pool: the same", 0.6, AT_LEAST, _orders_in_rush("pooled", "3000")),
    Target("Longest time of a response, in ms", 2_000.0, AT_MOST, _longest_in_rush),
    Target("p99 of other requests, compared with a calm shop: the worst", 3.0, AT_MOST, _others_in_rush),
)

GROUPS = {
    "Time of a cold start": COLD_STARTS,
    "Requests per second of complete handlers, compared with `pgbench`": UPPER_LIMIT,
    "Requests per second of complete handlers with 1 process, compared with FastAPI": FASTAPI,
    "Time of unfiltered list pages in the largest table, compared with the smallest": LISTS,
    "Many buyers of one product": RUSH,
    "Other": OTHERS,
}
"""The targets by the heading of their group."""
