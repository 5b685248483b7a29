"""The part of the report about many buyers of one product."""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.targets import Results

Table = Callable[[list[str], Iterator[list[str]]], list[str]]

INTRODUCTION = """\
Each client of `pgbench` orders one unit of the same product, again and again. A client that is refused waits for a
second. Orders are counted in the database. In each run, the units in orders and in stock were as many as at the start,
and the audit found nothing."""

POOLED = "pgbouncer, {pool} sessions"
BESIDE = "a tenth for other requests"

OTHERS = """\
A tenth of the requests are for other products, pages and payments. The same requests were measured without the rush: as
many orders in the same time, but for 99 products."""

HANDLERS = """\
Orders per second that processes with complete handlers place. The peers queue at the lock of the row."""


def rush_lines(rush: Results, table: Table) -> list[str]:
    """Return the tables."""
    head = ["clients", "sessions", "orders/s", "p50, ms", "p99, ms", "longest, ms"]
    head += ["refusals/s", "p50, ms", "p99, ms", "longest, ms"]
    other_head = ["clients", "request", "p50, ms", "p50, calm", "p99, ms", "p99, calm", "processor load, %", "calm"]
    systems = list(next(iter(rush["handlers"].values())))
    return [
        *INTRODUCTION.splitlines(),
        "",
        *table(head, _crowds(rush)),
        "",
        *OTHERS.splitlines(),
        "",
        *table(other_head, _others(rush["beside"])),
        "",
        *HANDLERS.splitlines(),
        "",
        *table(
            ["processes", *systems],
            ([processes, *(f"{rates[one]:.0f}" for one in systems)] for processes, rates in rush["handlers"].items()),
        ),
    ]


def _crowds(rush: Results) -> Iterator[list[str]]:
    kinds = {"direct": "one each", "pooled": POOLED.format(pool=rush["pool"]), "beside": f"one each, {BESIDE}"}
    for kind, sessions in kinds.items():
        for clients, seen in rush[kind].items():
            yield [
                *(f"{int(clients):,}", sessions, f"{seen['orders']:.0f}", *_times(seen["placed"])),
                *(f"{seen['refusals']:.0f}", *_times(seen["refused"])),
            ]


def _times(times: Any) -> list[str]:
    return [f"{times[name]:.1f}" if times else "" for name in ("p50", "p99", "longest")]


def _others(beside: Results) -> Iterator[list[str]]:
    for clients, seen in beside.items():
        for name, times in seen["others"].items():
            yield [
                *(clients, name),
                *(f"{times[when][measure]:.2f}" for measure in ("p50", "p99") for when in ("rush", "calm")),
                *(f"{seen['load'][when]:.0f}" for when in ("rush", "calm")),
            ]
