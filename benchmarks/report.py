"""Writes the report: a summary with the targets, the hand-written notes, and all measurements."""

from collections.abc import Iterable, Iterator

from benchmarks.rush_report import rush_lines
from benchmarks.targets import AT_LEAST, GROUPS, Results, Target

SUMMARY = """\
# Benchmark report

Storefront's Lambda functions are measured on one machine, with PostgreSQL in durable mode, and compared with:

- **FastAPI** and **Flask**: two peers that implement the same API with widely used libraries, on the same tables.
  FastAPI uses SQLAlchemy and psycopg 3, Flask uses handwritten SQL and psycopg2.
- **`pgbench`**: PostgreSQL's own client, written in C. It sends the same SQL, without Python code, so it shows the
  upper limit.

[PRODUCTS.md](PRODUCTS.md) compares Storefront with two commerce platforms, Vendure and Medusa.

[Decision 12](../docs/decisions/0012-measured-beside-others.md) explains the method. `make bench` writes this page from
[results.json](results.json) and [notes.md](notes.md)."""

STATEMENTS = "CPU instructions of PostgreSQL for the statement of a request"

METHOD = """\
Most results are ratios of two measurements of this run, because the speed of the machine varies. For times, 0.25
means a quarter of the other system's time. For requests per second, 5 means five times as many.

All systems are measured alternately, in {rounds} rounds. A ratio of times compares the medians of all rounds. A ratio
of requests per second is the median of the ratios of each round."""


def report(results: Results, notes: str) -> str:
    """Return the report as Markdown. notes: the hand-written part."""
    return "\n".join([SUMMARY, "", *_targets(results), notes.strip(), "", *_measurements(results)]) + "\n"


def _targets(results: Results) -> Iterator[str]:
    targets = [(group, target) for group, members in GROUPS.items() for target in members]
    met = [target.is_met(results) for _, target in targets]
    missed = [pair for pair, is_met in zip(targets, met, strict=True) if is_met is False]
    yield "## Targets"
    yield ""
    yield f"{met.count(True)} of {len(targets)} targets are met.{' Not met:' if missed else ''}"
    yield ""
    if missed:
        yield from (_missed(group, target, results) for group, target in missed)
        yield ""
    yield METHOD.format(rounds=results["rounds"])
    yield ""
    yield "| Measurement | Target | Result | Met |"
    yield "|---|---|---|---|"
    for group, members in GROUPS.items():
        yield f"| **{group}** | | | |"
        yield from (_row(target, results) for target in members)
    yield ""


def _missed(group: str, target: Target, results: Results) -> str:
    side = "at least" if target.side == AT_LEAST else "at most"
    return f"- {group}: **{target.name}** {target.value(results):.2f} instead of {side} {target.limit:g}"


def _row(target: Target, results: Results) -> str:
    value = target.value(results)
    result = "not measured" if value is None else f"{value:.2f}"
    met = {True: "yes", False: "**no**", None: ""}[target.is_met(results)]
    return f"| {target.name} | {target.side} {target.limit:g} | {result} | {met} |"


def _measurements(results: Results) -> Iterator[str]:
    machine = [f"- {name}: {value}" for name, value in results["machine"].items()]
    yield from _section("Machine and versions", machine)
    yield from _section("Cold start", _cold_starts(results["cold"]), "cold")
    yield from _section("Complete handlers", _handlers(results["handlers"]), "handlers")
    yield from _section("With a network latency of 2 ms to the database", _network(results["network"]), "network")
    if results["tls"]:
        yield from _section("Connection over verified TLS", _tls(results["tls"]))
    yield from _section("Lists of products", _pages(results["lists"]["products"]))
    yield from _section("Lists of orders", _pages(results["lists"]["orders"]), "lists")
    if results.get("searches"):
        yield from _section("Searches that read as much as they can", _searches(results["searches"]))
    if results.get("rush"):
        yield from _section("Many buyers of one product", rush_lines(results["rush"], _table), "rush")
    yield from _section("Scheduled functions", _scheduled(results))
    yield from _section("Soak test", _soak(results["soak"]), "soak")
    # A run before a kind of count existed has no result for it.
    for kind, title in (("instructions", "CPU instructions of the function's process"), ("statements", STATEMENTS)):
        if results.get(kind):
            counts = ([name, f"{count:,}"] for name, count in results[kind].items())
            yield from _section(title, _table(["request", "instructions"], counts))


def _cold_starts(starts: Results) -> list[str]:
    return [
        "Time from the start of the import, in ms: median (lowest to highest).",
        "",
        *_table(
            ["system", "import", "first response", "zip, MB", "modules", "peak memory, MiB"],
            (
                [
                    name,
                    _spread(start, "import"),
                    _spread(start, "response"),
                    f"{start['zip_bytes'] / 1e6:.1f}" if start["zip_bytes"] else "",
                    str(start["modules"]),
                    f"{start['peak']:.0f}",
                ]
                for name, start in starts.items()
            ),
        ),
    ]


def _handlers(workloads: Results) -> list[str]:
    return [
        "From API Gateway's event to the response, with PostgreSQL on the same machine. All processes of a system send",
        "requests at the same time.",
        "",
        *_table(
            ["request", "processes", "system", "requests/s", "lowest to highest", "p50, ms", "p99, ms"],
            (
                [
                    workload,
                    processes,
                    system,
                    f"{summary['rate']:.0f}",
                    f"{summary['lowest']:.0f} to {summary['highest']:.0f}",
                    f"{summary['p50']:.2f}" if summary["p50"] else "",
                    f"{summary['p99']:.2f}" if summary["p99"] else "",
                ]
                for workload, by_processes in workloads.items()
                for processes, systems in by_processes.items()
                for system, summary in systems.items()
            ),
        ),
    ]


def _network(workloads: Results) -> list[str]:
    return _table(
        ["request", "system", "round trips", "p50, ms"],
        (
            [workload, system, str(measured["round_trips"]), f"{measured['p50']:.1f}"]
            for workload, systems in workloads.items()
            for system, measured in systems.items()
        ),
    )


def _tls(systems: Results) -> list[str]:
    return _table(
        ["system", "p50, ms", "p99, ms"],
        ([name, f"{summary['p50']:.2f}", f"{summary['p99']:.2f}"] for name, summary in systems.items()),
    )


def _pages(pages: Results) -> list[str]:
    row_counts = list(pages["page 1"])
    return [
        "Median time in ms, and in parentheses the blocks of 8 KiB that PostgreSQL reads, by the rows in the table.",
        "",
        *_table(
            ["page", *(f"{int(rows):,} rows" for rows in row_counts)],
            ([name, *(_page(by_rows.get(rows)) for rows in row_counts)] for name, by_rows in pages.items()),
        ),
    ]


def _page(measured: Results) -> str:
    return f"{measured['p50']:.2f} ({measured['blocks']})" if measured else ""


def _searches(searches: Results) -> list[str]:
    return [
        f"With {searches['products']:,} products, whose names have 28 words or more. `common` is in all names, `first`",
        "and `last` are in 30,000, `many` in 10,000 and `rare` in 500. Rows are stored at random. The target is 50 ms.",
        "",
        *_table(
            ["request", "p50, ms", "p99, ms", "blocks"],
            (
                [f"`{name}`", f"{measured['p50']:.2f}", f"{measured['p99']:.2f}", str(measured["blocks"])]
                for name, measured in searches["pages"].items()
            ),
        ),
    ]


def _scheduled(results: Results) -> list[str]:
    expiry, audit = results["expiry"], results["audit"]
    return [
        f"- {expiry['orders']:,} unpaid orders expired in {expiry['seconds']:.1f} s: {expiry['rate']:,.0f} per second.",
        f"- The audit of {audit['orders']:,} orders took {audit['seconds']:.1f} s (timeout: {audit['limit']:.0f} s).",
    ]


def _soak(soak: Results) -> list[str]:
    samples = soak["samples"]
    early, late = samples[len(samples) // 10], samples[-1]
    return [
        f"{soak['requests']:,} mixed requests in {soak['seconds']:.0f} s, with Lambda's runtime client and emulator.",
        "Memory and connections must not grow.",
        "",
        *_table(
            ["function", "MiB after a tenth of the time", "MiB at the end"],
            (
                [function, f"{early['memory'][function]:.1f}", f"{late['memory'][function]:.1f}"]
                for function in late["memory"]
            ),
        ),
        "",
        f"Connections: {early['connections']} after a tenth of the time, {late['connections']} at the end.",
    ]


def _spread(start: Results, measure: str) -> str:
    low, high = start[f"{measure}_range"]
    return f"{start[measure]:.0f} ({low:.0f} to {high:.0f})"


def _section(title: str, lines: Iterable[str], plot: str | None = None) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield from lines
    yield ""
    if plot:
        yield f"![{title}](plots/{plot}.png)"
        yield ""


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]
