"""Compares Storefront with Vendure and Medusa, and writes results.json and ../PRODUCTS.md."""

import json
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.bench import SMALL, Bench, log_progress, start_bench
from benchmarks.products import npm, one_client, redis, statements
from benchmarks.products.machine import machine, missing_programs
from benchmarks.products.report import report
from benchmarks.products.scenarios import Scenarios
from local.settings import ROOT
from local.signals import interrupt_on_stop_signals

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
REPORT = HERE.parent / "PRODUCTS.md"


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.products")
    parser.add_argument("--rush", action="store_true", help="measure only the buyers at the same time again")
    parser.add_argument("--report", action="store_true", help="rewrite the report from the last measurements")
    options = parser.parse_args()
    if not options.report:
        if missing := missing_programs():
            raise SystemExit(f"The comparison requires {' and '.join(missing)}.")
        # The context managers stop all servers.
        interrupt_on_stop_signals()
        earlier = json.loads(RESULTS.read_text()) if options.rush else None
        RESULTS.write_text(json.dumps(measure(earlier), indent=1) + "\n")
    REPORT.write_text(report(json.loads(RESULTS.read_text()), (HERE / "setup.md").read_text()))
    log_progress(f"the report is {REPORT.relative_to(ROOT)}")


def measure(earlier: dict[str, Any] | None) -> dict[str, Any]:
    """Measure everything, or only the buyers at the same time, and add them to earlier results."""
    started = time.monotonic()
    for name in ("vendure", "medusa"):
        log_progress(f"npm ci and build: {name}")
        npm.install(name)
    results: dict[str, Any] = earlier or {"rounds": one_client.ROUNDS, "machine": machine()}
    with ExitStack() as resources:
        bench = resources.enter_context(start_bench(SMALL, statements.SETTINGS))
        redis_server = resources.enter_context(redis.redis(bench.folder)) if redis.is_installed() else None
        scenarios = Scenarios(bench, redis_server)
        statements.set_tracking(bench.server_url, "none")
        log_progress("filling the databases")
        scenarios.seed()
        if earlier is None:
            results |= _with_one_client(bench, scenarios)
        results["rush"] = scenarios.rush(log_progress)
    if earlier is None:
        results["machine"]["duration"] = f"{(time.monotonic() - started) / 60:.0f} minutes"
    return results


def _with_one_client(bench: Bench, scenarios: Scenarios) -> dict[str, Any]:
    with scenarios.subjects() as subjects:
        log_progress("one client")
        alone = {name: subject for name, (subject, _) in subjects.items()}
        tasks = one_client.measure(alone, scenarios.shared_processes(), log_progress)
        log_progress("statements")
        return {"tasks": tasks, "statements": statements.measure(bench.server_url, subjects)}


if __name__ == "__main__":
    main()
