"""Sends mixed requests to function processes for minutes. Their memory and connections must not grow.

Runs in a separate process, because the functions' logs would fill the terminal:
  python -m benchmarks.soak URL ENDPOINT SECONDS FILE     database URL of the owner, AWS emulation, output file
"""

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import psutil

from benchmarks import workloads
from benchmarks.bench import Bench
from benchmarks.workers import percentile
from local.lambdas import LambdaRunner
from local.settings import ROOT, function_variables, read_settings
from local.template import read_template
from storefront import db
from tests.api_client import UNKNOWN

SAMPLES = 60
FUNCTIONS = {"orders": "OrdersFunction", "products": "ProductsFunction", "webhook": "WebhookFunction"}

MIX = {"order": 4, "get": 4, "list": 4, "payment": 3, "refused": 2, "unknown": 1, "forged": 1}
"""The kinds of requests, with their relative frequency."""


def measure(bench: Bench, url: str) -> dict[str, Any]:
    """Sample the memory of each process in MiB, and the number of connections."""
    samples = bench.folder / "soak.json"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "benchmarks.soak",
        url,
        bench.aws_url,
        str(bench.sizes.soak),
        samples,
    ]
    log_file = bench.folder / "soak.log"
    with log_file.open("w") as log:
        done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=log)
    if done.returncode:
        raise RuntimeError(f"the soak test failed: {log_file.read_text()[-2000:]}")
    results: dict[str, Any] = json.loads(samples.read_text())
    return results


class RequestMix:
    """Generates random requests."""

    def __init__(self) -> None:
        self._random = Random(3)
        self._placed: list[str] = []

    def next(self) -> tuple[str, dict[str, Any], int]:  # noqa: PLR0911  one for each kind
        """Return a function, an event, and the expected status."""
        random = self._random
        [kind] = random.choices(list(MIX), list(MIX.values()))
        order_id = workloads.any_order_id(random)
        match kind:
            case "order":
                [body] = workloads.new_orders(random, 1, random.choice(workloads.ITEM_COUNTS))
                return "orders", workloads.place_order(body), 201
            case "get":
                return "orders", workloads.event("GET", f"/api/orders/{order_id}"), 200
            case "list":
                return "products", workloads.event("GET", f"/api/products?page={random.randint(1, 50)}"), 200
            case "payment":
                paid = {"order_id": self._placed.pop() if self._placed else order_id, "payment_status": "paid"}
                return "webhook", workloads.payment(paid), 200
            case "refused":
                return "orders", workloads.event("POST", "/api/orders", {"customer_id": 0, "products": []}), 422
            case "unknown":
                return "orders", workloads.event("GET", f"/api/orders/{UNKNOWN}"), 404
            case _:
                forged = workloads.payment({"order_id": order_id, "payment_status": "paid"})
                return "webhook", {**forged, "body": forged["body"] + " "}, 401

    def remember(self, status: int, response: dict[str, Any]) -> None:
        if status == 201 and len(self._placed) < 1000:
            self._placed.append(json.loads(response["body"])["id"])


def main(url: str, endpoint: str, seconds: float, file: Path) -> None:
    template = read_template(ROOT / "template.yaml")
    variables = function_variables(read_settings({"AUTH": "on"}), url, endpoint)
    requests = RequestMix()
    latencies: list[float] = []
    samples: list[dict[str, Any]] = []
    with LambdaRunner(template.functions, variables) as runner, closing(db.connect(url)) as owner:
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < seconds:
            function, event, status = requests.next()
            before = time.perf_counter()
            response = json.loads(runner.call(FUNCTIONS[function], json.dumps(event)))
            latencies.append((time.perf_counter() - before) * 1000)
            assert response["statusCode"] == status, (event, response)
            requests.remember(status, response)
            if elapsed >= len(samples) * seconds / SAMPLES and len(latencies) > SAMPLES:
                samples.append({"second": elapsed, "memory": _memory(), "connections": _connections(owner)})
    latencies.sort()
    measured = {"requests": len(latencies), "seconds": elapsed, "p50": percentile(latencies, 0.5), "samples": samples}
    file.write_text(json.dumps(measured))


def _memory() -> dict[str, float]:
    """Return the memory of each function's runtime process in MiB."""
    memory = {}
    for process in psutil.Process().children(recursive=True):
        command = process.cmdline()
        if "awslambdaric" in command and command[0] == sys.executable:
            memory[Path(process.cwd()).name] = process.memory_info().rss / 2**20
    return memory


def _connections(owner: Any) -> int:
    [[number]] = owner.run(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    return int(number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))
