"""`make bench`: measures, writes results.json, REPORT.md and plots/. With --small, little of everything, elsewhere."""

import json
import platform
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from benchmarks import batches, cold, counts, handlers, lists, soak, tls
from benchmarks.bench import FASTAPI, FLASK, FULL, HERE, POSTGRES_BIN, SMALL, Bench, Sizes, bench, output, say
from benchmarks.report import report
from benchmarks.workloads import ROWS
from local.settings import ROOT
from tests.artifacts import can_build

PLOTTER = ROOT / ".venv" / "plots" / "bin" / "python"


def measure(shop: Bench) -> dict[str, Any]:
    """Every part in turn, each on a database of its own."""
    say("cold starts")
    found: dict[str, Any] = {"rounds": shop.sizes.rounds, "machine": machine()}
    found["cold"] = cold.measure(shop, shop.database("cold", ROWS))
    say("whole handlers")
    found["handlers"] = handlers.measure(shop, shop.database("handlers", ROWS))
    say("the network")
    found["network"] = handlers.measure_network(shop, shop.database("network", ROWS))
    say("TLS")
    found["tls"] = tls.measure(shop)
    say("lists: filling the databases")
    urls = {rows: shop.database(f"lists_{rows}", rows) for rows in shop.sizes.rows}
    say("lists")
    found["lists"] = lists.measure(shop, urls)
    say("the audit")
    most = max(urls)
    found["audit"] = batches.measure_audit(shop, most, urls[most])
    say("expiry")
    found["expiry"] = batches.measure_expiry(shop)
    say(f"soak, {shop.sizes.soak:.0f} s")
    found["soak"] = soak.measure(shop, shop.database("soak", ROWS))
    say("instructions")
    found["instructions"] = counts.instructions(shop, shop.database("instructions", ROWS))
    return found


def machine() -> dict[str, str]:
    """What the figures depend on beside the code."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 2**20
    return {
        "commit": output("git", "-C", ROOT, "describe", "--always", "--dirty"),
        "processor": f"{len(models)} × {models[0]}" if models else platform.machine(),
        "memory": f"{memory} GiB",
        "system": f"Linux {platform.release()}",
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
    found = output(python, "-c", program).replace("_", "-").split(", ")
    return ", ".join(one for one in found if not one.startswith("pip ") and (not names or one.split()[0] in names))


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--small", action="store_true", help="little of everything; the report goes into .bench/")
    parser.add_argument("--report", action="store_true", help="write the report anew, from what was measured last")
    options = parser.parse_args()
    target = ROOT / ".bench" if options.small else HERE
    if not options.report:
        target.mkdir(exist_ok=True)
        (target / "results.json").write_text(json.dumps(run(SMALL if options.small else FULL), indent=1) + "\n")
    found = json.loads((target / "results.json").read_text())
    # What is written by hand is about the figures of a full run.
    notes = "" if options.small else (HERE / "notes.md").read_text()
    (target / "REPORT.md").write_text(report(found, notes))
    subprocess.run([PLOTTER, HERE / "plots.py", target / "results.json", target / "plots"], check=True)
    say(f"the report is {target.relative_to(ROOT) / 'REPORT.md'}")
    if over := counts.exceeded(found):
        raise SystemExit("Over a bound of benchmarks/counts.py:\n  " + "\n  ".join(over))


def run(sizes: Sizes) -> dict[str, Any]:
    if not can_build():
        raise SystemExit("The benchmark starts what `sam build` makes, which needs python3.13.")
    if sizes is FULL and sys.version_info[:2] != (3, 13):
        raise SystemExit(
            f"What is measured is what Lambda runs, Python 3.13, and .venv has {platform.python_version()}."
        )
    with bench(sizes) as shop:
        return measure(shop)


if __name__ == "__main__":
    main()
