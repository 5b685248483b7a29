"""The API behaves as docs/openapi.json says. Schemathesis generates requests from it, and follows its links.

https://schemathesis.readthedocs.io
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openapi.operations import OPERATIONS
from tests import sizes
from tests.api_client import ROOT
from tests.local.stack import running, token
from tests.sizes import REQUESTS, SEED, STORIES

HERE = Path(__file__).parent
CUSTOMERS = ("12345", "67890")
"""The first one is the customer in the document's example of an order."""


@dataclass
class Run:
    """The report of schemathesis, and each request with the status of its response."""

    report: dict[str, Any]
    scenarios: list[dict[str, Any]]

    def accepted(self) -> list[str]:
        """Return the operations that accepted a valid request."""
        rates = self.report["valid_rates"]
        return [name for name, phases in rates.items() if any(rate["accepted"] for rate in phases.values())]

    def stories(self) -> set[tuple[str, ...]]:
        """Return each chain of linked operations that all succeeded."""
        return {tuple(_story(scenario, id_)) for scenario in self.scenarios for id_ in scenario.get("interactions", ())}

    def statuses(self, operation: str, parent: str) -> set[int]:
        """Return the statuses of an operation's requests that followed another operation."""
        return {
            _status(scenario, id_)
            for scenario in self.scenarios
            for id_, case in scenario.get("cases", {}).items()
            if _operation(case) == operation and "parent_id" in case
            if _operation(scenario["cases"][case["parent_id"]]) == parent
        }


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def guarded_url(data_dir: Path) -> Iterator[str]:
    """A separate stack: these tests delete the products that other modules use."""
    with running(data_dir, AUTH="on") as stack:
        yield stack.url


def run(folder: Path, url: str, config: Path, *options: str, **environment: str) -> Run:
    """Run schemathesis, and check that it finds no failure."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", str(ROOT / "docs" / "openapi.json"), "--url", url, "--seed", str(SEED)),
        *("--report-json-path", "report.json", "--report-ndjson-path", "events.ndjson", *options),
    ]
    path = f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'common' / 'python'}"
    variables = {**os.environ, "PYTHONPATH": path, **environment}
    result = subprocess.run(command, cwd=folder, env=variables, check=False, stdout=subprocess.PIPE, text=True)
    assert result.returncode == 0, result.stdout
    with (folder / "events.ndjson").open() as lines:
        finished = [
            event["ScenarioFinished"]["recorder"] for event in map(json.loads, lines) if "ScenarioFinished" in event
        ]
    return Run(json.loads((folder / "report.json").read_text()), finished)


def run_phases(folder: Path, url: str, phases: list[str], *options: str, **environment: str) -> Run:
    """Run phases on all operations, and check that none is skipped or fails."""
    text = (HERE / "schemathesis.toml").read_text()
    for size in (REQUESTS, STORIES):
        assert f"max-examples = {size.full}\n" in text
        text = text.replace(f"max-examples = {size.full}\n", f"max-examples = {size.chosen}\n")
    (folder / "schemathesis.toml").write_text(text)
    found = run(folder, url, folder / "schemathesis.toml", "--phases", ",".join(phases), *options, **environment)
    operations, test_cases = found.report["operations"], found.report["test_cases"]
    assert (operations["tested"], operations["errored"], operations["skipped"]) == (len(OPERATIONS), 0, 0)
    assert {found.report["phases"][phase]["status"] for phase in phases} == {"success"}
    assert (found.report["errors"], test_cases["errored"], test_cases["with_failures"]) == ([], 0, 0)
    return found


def test_no_customer_reads_the_orders_of_another(tmp_path: Path, data_dir: Path, guarded_url: str) -> None:
    # The first test here: later tests delete the products of the examples.
    def identity(customer: str) -> dict[str, Any]:
        bearer = f"Bearer {token(data_dir, '--customer', customer)}"
        return {"name": customer, "fixedHeaders": [{"name": "Authorization", "value": bearer}]}

    identities = tmp_path / "customers.json"
    identities.write_text(json.dumps({"auth": [identity(customer) for customer in CUSTOMERS]}))
    found = run(
        *(tmp_path, guarded_url, HERE / "schemathesis_customers.toml", "--max-examples", "40"),
        *("--checks", "object_level_authorization,not_a_server_error"),
        *("--include-operation-id", "place_order", "--include-operation-id", "get_order"),
        CUSTOMERS=str(identities),
    )
    # The other customer requests the same order.
    assert found.statuses("get_order", parent="get_order") == {404}


def test_the_api_accepts_and_refuses_requests_as_described(tmp_path: Path, data_dir: Path, guarded_url: str) -> None:
    found = run_phases(tmp_path, guarded_url, ["examples", "coverage"], TOKEN=token(data_dir))
    assert len(found.accepted()) == len(OPERATIONS)


@pytest.mark.long
def test_random_requests_cause_no_error(tmp_path: Path, data_dir: Path, guarded_url: str) -> None:
    effort = ("--max-time", "600") if sizes.search == "long" else ()
    run_phases(tmp_path, guarded_url, ["fuzzing", "stateful"], *effort, TOKEN=token(data_dir))


@pytest.mark.long
def test_random_sequences_use_what_they_created(tmp_path: Path, data_dir: Path, guarded_url: str) -> None:
    # Without the other operations, because certain ones rarely follow each other.
    products, orders = ("create_product", "get_product"), ("place_order", "get_order", "change_order_status")
    included = [
        option for name in (*products, *orders, "receive_payment_event") for option in ("--include-operation-id", name)
    ]
    options = ("--phases", "stateful", *included)
    found = run(tmp_path, guarded_url, HERE / "schemathesis.toml", *options, TOKEN=token(data_dir))
    stories = found.stories()
    assert ("create_product", "place_order", "get_order") in stories
    assert {
        ("create_product", "get_product"),
        ("create_product", "place_order"),
        ("place_order", "change_order_status"),
        ("place_order", "receive_payment_event"),
    } <= {story[-2:] for story in stories}


def _operation(case: dict[str, Any]) -> str:
    described = OPERATIONS.get((case["value"]["method"], case["value"]["path"]))
    return described.id if described else ""


def _status(scenario: dict[str, Any], id_: str) -> int:
    response = scenario["interactions"][id_]["response"]
    status: int = response["status_code"]
    return status


def _story(scenario: dict[str, Any], id_: str) -> list[str]:
    case = scenario["cases"][id_]
    if _status(scenario, id_) >= 300:
        return []
    before = _story(scenario, case["parent_id"]) if case["is_transition_applied"] else []
    return [*before, _operation(case)]
