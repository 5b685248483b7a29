"""Writes the report: all measurements, and the hand-written part."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.products.rush import OUT_OF_STOCK

Results = dict[str, Any]

SUMMARY = """\
# Storefront compared with Vendure and Medusa

`make bench-products` places orders in three systems on one machine and one PostgreSQL, and writes this page from
[products/results.json](products/results.json) and [products/setup.md](products/setup.md).

**These systems were not built for the same purpose.** Vendure and Medusa are complete commerce platforms: they have
carts, customer accounts, prices by region, taxes, promotions, shipping, fulfilment, search, an admin dashboard and
plugins. Storefront has products with stock, orders, payments and refunds. A shop on Storefront brings its own cart, and
decides itself what shipping and tax cost. Storefront needs less mainly because it does less. The figures show what an
order costs in each system. They do not show which system a shop should choose."""

COUNTS = """\
A busy machine does not change the number of statements, and it changes processor time less than the times further down.
An order is everything from an empty cart to a placed order, for one unit of one product, as
[described below](#what-an-order-is)."""

STATEMENTS = """\
SQL statements for each order, of {orders} orders with one client, counted by `pg_stat_statements`. They include `BEGIN`
and `COMMIT`, and the jobs that an order starts in other processes. What the idle system sends is subtracted. "Sent" is
what the server sends to PostgreSQL. "Executed" also counts the statements inside of SQL functions, and the checks of
foreign keys."""

PROCESSOR = """\
Processor time for each order in ms, from `/proc/PID/stat` of all processes: median of {rounds} rounds (lowest to
highest). "Server" is all processes of the system, with its worker. "PostgreSQL" is all processes of the database.
Storefront does not use Redis."""

TIMES = """\
One client, which sends the next request when it has the response. Orders per second are the median of {rounds} rounds
(lowest to highest). The times are those of whole orders, of all rounds together. With few orders, p99 is close to the
longest time."""

READS = """\
One client. Each response has the products' names, descriptions, prices and stock. The products are chosen at random."""

RUSH = """\
{buyers} buyers order one unit each at the same time, of a product with {units} units. Each run uses a new product.
With two servers, half of the buyers use each. Before the runs of each setup, two buyers order the last unit of another
product, one after the other. The second was always refused, so every setup checks its stock.

- "Sold" is the sum of the units in placed orders, in the rows of the database. More than {units} means that the shop
  sold units that it does not have.
- "Left" is the stock that can still be sold, in the rows of the database.
- "Out of stock" counts the buyers who were refused for that reason, and "errors" all others.
- "One buyer later" orders alone after the others."""


def report(results: Results, setup: str) -> str:
    """Return the report as Markdown. setup: the hand-written part."""
    tasks, counts = results["tasks"], results["statements"]
    lines = [
        SUMMARY,
        "",
        *_section("Work for each order", COUNTS),
        *_statements(counts),
        *_processor(tasks["order"], results["rounds"]),
        *_section("A whole order", TIMES.format(rounds=results["rounds"])),
        *_orders(tasks["order"]),
        *_section("Reading products", READS),
        *_reads(tasks),
        *_section(f"{results['rush']['buyers']} buyers at the same time", RUSH.format(**results["rush"])),
        *_rush(results),
        setup.strip(),
        "",
        "## Machine and versions",
        "",
        *(f"- {name}: {value or 'not installed'}" for name, value in results["machine"].items()),
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, text: str) -> list[str]:
    return [f"## {title}", "", text, ""]


def _statements(counts: Results) -> Iterator[str]:
    yield STATEMENTS.format(orders=next(iter(counts.values()))["orders"])
    yield ""
    yield from _table(
        ["system", "sent", "executed"],
        ([name, f"{one['sent']:.0f}", f"{one['executed']:.0f}"] for name, one in counts.items()),
    )


def _processor(orders: Results, rounds: int) -> Iterator[str]:
    parts = list(next(iter(orders.values()))["processor"])
    yield PROCESSOR.format(rounds=rounds)
    yield ""
    yield from _table(
        ["system", *("Server" if part == "server" else part for part in parts)],
        ([name, *(_spread(one["processor"][part]) for part in parts)] for name, one in orders.items()),
    )


def _orders(orders: Results) -> list[str]:
    return _table(
        ["system", "HTTP requests", "orders/s", "p50, ms", "p99, ms", "measured orders"],
        (
            [
                name,
                str(one["requests"]) if one["requests"] else "",
                _spread(one["rates"]),
                _number(one["p50"]),
                _number(one["p99"]),
                f"{one['tasks']:,}",
            ]
            for name, one in orders.items()
        ),
    )


def _reads(tasks: Results) -> list[str]:
    return _table(
        ["system", "task", "requests/s", "p50, ms", "response, bytes"],
        (
            [name, task, _spread(one["rates"]), _number(one["p50"]), f"{one['bytes']:,}"]
            for kind, task in (("product", "one product"), ("list", "20 products"))
            for name, one in tasks[kind].items()
        ),
    )


def _rush(results: Results) -> list[str]:
    rush = results["rush"]
    measured = [
        [
            name,
            str(number + 1),
            f"{one['sold']} of {rush['units']}",
            str(one["left"]),
            str(one["confirmed"]),
            str(sum(one["out_of_stock"].values())),
            _errors(one["errors"]),
            _later(one["later"]),
            f"{one['seconds']:.1f}",
        ]
        for name, runs in rush["setups"].items()
        for number, one in enumerate(runs)
    ]
    missing = [[name, "", "not measured", "", "", "", "", "", ""] for name in rush["not_measured"]]
    head = [
        "setup",
        "run",
        "sold",
        "left",
        "orders that buyers got",
        "out of stock",
        "errors",
        "one buyer later",
        "seconds",
    ]
    return _table(head, measured + missing)


def _errors(errors: dict[str, int]) -> str:
    return "; ".join(f"{number} × {_short(reason)}" for reason, number in errors.items()) or "0"


def _later(reason: str) -> str:
    return "out of stock" if OUT_OF_STOCK.search(reason) else _short(reason)


def _short(reason: str) -> str:
    """Return a status code and the start of the message, without JSON."""
    found = re.match(r'(\d+ )?\{.*?"message" ?: ?"((?:[^"\\]|\\.){1,60})', reason)
    return (f"{found[1] or ''}{found[2]}" if found else reason[:80]).replace("|", "/")


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return f"{_number(middle)} ({_number(ordered[0])} to {_number(ordered[-1])})"


def _number(value: float) -> str:
    """Return a number with three digits, or all of a large one."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows), ""]
