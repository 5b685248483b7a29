"""The report: what was reached of what was aimed at, and all that was measured."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

Found = Any
"""What results.json holds."""


AT_LEAST, AT_MOST = "≥", "≤"


@dataclass(frozen=True)
class Target:
    """A ratio within one run, and its bound. side: AT_LEAST or AT_MOST."""

    what: str
    bound: float
    side: str
    ratio: Callable[[Found], Any]

    def line(self, found: Found) -> str:
        ratio = self.ratio(found)
        if ratio is None:
            return f"| {self.what} | {self.side} {self.bound:g} | not measured | |"
        met = ratio >= self.bound if self.side == AT_LEAST else ratio <= self.bound
        return f"| {self.what} | {self.side} {self.bound:g} | {ratio:.2f} | {'yes' if met else '**no**'} |"


def _cold(value: str, over: str) -> Callable[[Found], Any]:
    return lambda found: found["cold"]["storefront"][value] / found["cold"][over][value]


def _rate(kind: str, system: str, over: str, processes: str = "1") -> Callable[[Found], Any]:
    def ratio(found: Found) -> Any:
        measured = found["handlers"][kind].get(processes)
        return measured and _by_rounds(measured[system], measured[over])

    return ratio


def _by_rounds(measured: Found, over: Found) -> float:
    # What the host does to one of them in a round, it most likely does to the other.
    ratios: list[float] = [one / other for one, other in zip(measured["rates"], over["rates"], strict=True)]
    return median(ratios)


def _hot(found: Found) -> Any:
    return min(
        _by_rounds(measured["database layer"], measured["pgbench"])
        for measured in found["handlers"]["hot product"].values()
    )


def _tls(found: Found) -> Any:
    return found["tls"] and found["tls"]["storefront"]["p50"] / found["tls"]["psycopg"]["p50"]


def _grown(relation: str, page: str) -> Callable[[Found], Any]:
    """A page of a list at the most rows, over the same at the fewest."""

    def ratio(found: Found) -> Any:
        *_, most = sizes = list(found["lists"][relation][page].values())
        return most["p50"] / sizes[0]["p50"]

    return ratio


def _last_over_first(relation: str) -> Callable[[Found], Any]:
    def ratio(found: Found) -> Any:
        *_, last = found["lists"][relation]["cursor, last"].values()
        *_, first = found["lists"][relation]["cursor, first"].values()
        return last["p50"] / first["p50"]

    return ratio


def peak_memory(found: Found) -> Any:
    return max(memory for sample in found["soak"]["samples"] for memory in sample["memory"].values())


TARGETS = (
    Target("import, against the FastAPI peer", 0.35, AT_MOST, _cold("import", "fastapi")),
    Target("cold to the first answer from the database, against the same", 0.30, AT_MOST, _cold("answer", "fastapi")),
    Target("import as deployed, against the same code with warm bytecode", 1.10, AT_MOST, _cold("import", "warm")),
    Target("a verified TLS connect, against psycopg", 1.0, AT_MOST, _tls),
    *(
        Target(
            f"whole handler, order of {n}, against pgbench, {p} process{'es' * (p > 1)}",
            b,
            AT_LEAST,
            _rate(f"order of {n}", "storefront", "pgbench", str(p)),
        )
        for n in (1, 3, 5)
        for p, b in ((1, 0.70), (4, 0.60))
    ),
    Target("hot product, database layer against pgbench, the worst of all numbers of processes", 0.80, AT_LEAST, _hot),
    *(
        Target(
            f"whole handler, {kind}, against the FastAPI peer, 1 process",
            bound,
            AT_LEAST,
            _rate(kind, "storefront", "fastapi"),
        )
        for kind, bound in (
            *((f"order of {n}", 5.0) for n in (1, 3, 5)),
            ("get", 6.0),
            ("list", 6.0),
            ("webhook", 5.0),
        )
    ),
    *(
        target
        for relation in ("products", "orders")
        for target in (
            Target(
                f"{relation}, unfiltered: page by a cursor in the middle, at the most rows against the fewest",
                1.3,
                AT_MOST,
                _grown(relation, "cursor, middle"),
            ),
            Target(
                f"{relation}, unfiltered: page by a cursor, the last against the first, at the most rows",
                1.3,
                AT_MOST,
                _last_over_first(relation),
            ),
            Target(
                f"{relation}, unfiltered: page 1 with its `total`, at the most rows against the fewest",
                30.0,
                AT_MOST,
                _grown(relation, "page 1"),
            ),
        )
    ),
    Target("memory of a warm function process, the largest, in MiB", 70.0, AT_MOST, peak_memory),
)


def report(found: Found, notes: str) -> str:
    """The whole page. notes: what is written by hand about it."""
    return "\n".join([*_head(found), notes.strip(), "", *_body(found)]) + "\n"


def _head(found: Found) -> Iterator[str]:
    yield "# Measured"
    yield ""
    yield "Written by `make bench`, from [results.json](results.json). Ratios within one run count, since machines are"
    yield f"noisy: medians of {found['rounds']} rounds in which everything takes its turn; of rates, the median of the"
    yield "rounds' ratios."
    yield ""
    yield "| What | Target | Reached | Met |"
    yield "|---|---|---|---|"
    yield from (target.line(found) for target in TARGETS)
    yield ""


def _body(found: Found) -> Iterator[str]:
    yield from _section("Machine and versions", [f"- {name}: {value}" for name, value in found["machine"].items()])
    yield from _section("Cold start", _cold_starts(found["cold"]), "cold")
    yield from _section("Whole handlers", _handlers(found["handlers"]), "handlers")
    yield from _section("With 2 ms of network before the database", _network(found["network"]), "network")
    if found["tls"]:
        yield from _section("A connection over verified TLS", _tls_connects(found["tls"]))
    yield from _section("Lists of products", _pages(found["lists"]["products"]))
    yield from _section("Lists of orders", _pages(found["lists"]["orders"]), "lists")
    yield from _section("On a schedule", _batches(found))
    yield from _section("Soak", _soak(found["soak"]), "soak")
    if found["instructions"]:
        counts = _table(["", "instructions"], ([name, f"{count:,}"] for name, count in found["instructions"].items()))
        yield from _section("Instructions of the function's process for a request", counts)


def _cold_starts(starts: Found) -> list[str]:
    return _table(
        ["", "import, ms", "first answer, ms", "zip, MB", "modules", "peak, MiB"],
        (
            [
                name,
                _spread(one, "import"),
                _spread(one, "answer"),
                f"{one['packed'] / 1e6:.1f}" if one["packed"] else "",
                str(one["modules"]),
                f"{one['peak']:.0f}",
            ]
            for name, one in starts.items()
        ),
    )


def _handlers(kinds: Found) -> list[str]:
    return _table(
        ["", "processes", "system", "a second", "lowest to highest", "p50, ms", "p99, ms"],
        (
            [
                kind,
                processes,
                system,
                f"{one['rate']:.0f}",
                f"{one['lowest']:.0f} to {one['highest']:.0f}",
                f"{one['p50']:.2f}" if one["p50"] else "",
                f"{one['p99']:.2f}" if one["p99"] else "",
            ]
            for kind, by_processes in kinds.items()
            for processes, systems in by_processes.items()
            for system, one in systems.items()
        ),
    )


def _network(kinds: Found) -> list[str]:
    return _table(
        ["", "system", "round trips", "p50, ms"],
        (
            [kind, system, str(one["round_trips"]), f"{one['p50']:.1f}"]
            for kind, systems in kinds.items()
            for system, one in systems.items()
        ),
    )


def _tls_connects(systems: Found) -> list[str]:
    return _table(
        ["", "p50, ms", "p99, ms"],
        ([name, f"{one['p50']:.2f}", f"{one['p99']:.2f}"] for name, one in systems.items()),
    )


def _pages(pages: Found) -> list[str]:
    rows = list(pages["page 1"])
    return _table(
        ["ms, median (blocks)", *(f"{int(n):,}" for n in rows)],
        (
            [name, *(f"{sizes[n]['p50']:.2f} ({sizes[n]['blocks']})" if n in sizes else "" for n in rows)]
            for name, sizes in pages.items()
        ),
    )


def _batches(found: Found) -> list[str]:
    expiry, audit = found["expiry"], found["audit"]
    return [
        f"- {expiry['orders']:,} unpaid orders expired in {expiry['seconds']:.1f} s: {expiry['rate']:,.0f} a second.",
        f"- The audit of {audit['orders']:,} orders took {audit['seconds']:.1f} s; it may take {audit['limit']:.0f}.",
    ]


def _soak(soak: Found) -> list[str]:
    samples = soak["samples"]
    early, late = samples[len(samples) // 10], samples[-1]
    return [
        f"{soak['requests']:,} requests in {soak['seconds']:.0f} s, under Lambda's runtime client and emulator.",
        "",
        *_table(
            ["", "MiB after a tenth of it", "MiB at the end"],
            (
                [function, f"{early['memory'][function]:.1f}", f"{late['memory'][function]:.1f}"]
                for function in late["memory"]
            ),
        ),
        "",
        f"Connections: {early['connections']} after a tenth of it, {late['connections']} at the end.",
    ]


def _spread(one: Found, value: str) -> str:
    low, high = one[f"{value}_range"]
    return f"{one[value]:.0f} ({low:.0f} to {high:.0f})"


def _section(title: str, lines: Iterable[str], plot: str | None = None) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield from lines
    yield ""
    if plot:
        yield f"![](plots/{plot}.png)"
        yield ""


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]
