"""Runs the benchmarks, and writes results.json, REPORT.md and plots/. With --small, a short run into .bench/."""

import json
import platform
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from benchmarks import batches, cold, counts, handlers, lists, rush, soak, statements, tls
from benchmarks.bench import (
    FASTAPI,
    FLASK,
    FULL,
    HERE,
    POSTGRES_BIN,
    SMALL,
    Bench,
    Sizes,
    hardware,
    log_progress,
    output,
    start_bench,
)
from benchmarks.report import report
from benchmarks.workloads import ROWS
from local.settings import ROOT
from tests.artifacts import can_build

PLOTTER = ROOT / ".venv" / "plots" / "bin" / "python"


PARTS: dict[str, Callable[[Bench], Any]] = {
    "cold": lambda bench: cold.measure(bench, bench.database("cold", ROWS)),
    "handlers": lambda bench: handlers.measure(bench, bench.database("handlers", ROWS)),
    "network": lambda bench: handlers.measure_network(bench, bench.database("network", ROWS)),
    "tls": tls.measure,
    "lists": lists.measure,
    "searches": lists.measure_searches,
    "audit": batches.measure_audit,
    "expiry": batches.measure_expiry,
    "rush": rush.measure,
    "soak": lambda bench: soak.measure(bench, bench.database("soak", ROWS)),
    "instructions": lambda bench: counts.instructions(bench, bench.database("instructions", ROWS)),
    "statements": statements.measure,
}
"""The parts of the report. Each needs a new database, and creates it."""


def measure(bench: Bench, parts: Collection[str]) -> dict[str, Any]:
    """Run some parts."""
    results: dict[str, Any] = {"rounds": bench.sizes.rounds, "machine": machine()}
    for name, measure_part in PARTS.items():
        if name in parts:
            log_progress(name)
            results[name] = measure_part(bench)
    return results


def machine() -> dict[str, str]:
    """Describe what the measurements depend on, except for the code."""
    return {
        "commit": output("git", "-C", ROOT, "describe", "--always", "--dirty"),
        **hardware(),
        "Python": platform.python_version(),
        "PostgreSQL": output(POSTGRES_BIN / "postgres", "--version").rpartition(" ")[2],
        "durability": "fsync, synchronous_commit and full_page_writes are on",
        **{peer.name: _packages(peer.python) for peer in (FASTAPI, FLASK)},
        "storefront": _packages(Path(sys.executable), "aws-lambda-powertools", "pydantic", "pg8000"),
    }


def _packages(python: Path, *names: str) -> str:
    program = (
        "import importlib.metadata as m; print(*sorted({f'{d.name} {d.version}' for d in m.distributions()}), sep=', ')"
    )
    installed = output(python, "-c", program).replace("_", "-").split(", ")
    return ", ".join(one for one in installed if not one.startswith("pip ") and (not names or one.split()[0] in names))


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--part", action="append", choices=PARTS, help="measure this part again, and keep the others")
    parser.add_argument("--small", action="store_true", help="a short run; the report is written to .bench/")
    parser.add_argument("--report", action="store_true", help="rewrite the report from the last measurements")
    options = parser.parse_args()
    target = ROOT / ".bench" if options.small else HERE
    file = target / "results.json"
    if not options.report:
        target.mkdir(exist_ok=True)
        earlier = json.loads(file.read_text()) if options.part else {}
        measured = run(SMALL if options.small else FULL, options.part or PARTS)
        if options.part:
            # The machine and the versions are those of the last complete run.
            measured = earlier | {part: measured[part] for part in options.part}
        file.write_text(json.dumps(measured, indent=1) + "\n")
    results = json.loads(file.read_text())
    # The notes explain the measurements of a full run.
    notes = "" if options.small else (HERE / "notes.md").read_text()
    (target / "REPORT.md").write_text(report(results, notes))
    subprocess.run([PLOTTER, HERE / "plots.py", target / "results.json", target / "plots"], check=True)
    log_progress(f"the report is {target.relative_to(ROOT) / 'REPORT.md'}")
    if over := counts.exceeded(results):
        raise SystemExit("Limits of benchmarks/counts.py are exceeded:\n  " + "\n  ".join(over))


def run(sizes: Sizes, parts: Collection[str]) -> dict[str, Any]:
    if not can_build():
        raise SystemExit("The benchmark runs `sam build`, which requires python3.13.")
    if sizes is FULL and sys.version_info[:2] != (3, 13):
        raise SystemExit(
            f"The benchmark requires Lambda's Python version, 3.13, but .venv has {platform.python_version()}."
        )
    with start_bench(sizes) as bench:
        return measure(bench, parts)


if __name__ == "__main__":
    main()
