"""`make audit` checks the database of DATABASE_URL, or of the running stack."""

import os
import subprocess
import sys
from pathlib import Path

from pg8000.native import Connection

from tests.api_client import ROOT, ApiClient, over_http
from tests.local.stack import running


def run_audit(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.audit"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "layers" / "common" / "python"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_audits_the_running_stack_and_reports_if_none_runs(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        api = ApiClient(over_http(stack.url))
        api.change_status(api.order((api.create_product()["id"], 1))["id"], "canceled")
        result = run_audit(DATA_DIR=str(tmp_path))
        assert (result.returncode, result.stdout) == (0, "No violations: the books are right.\n")
    result = run_audit(DATA_DIR=str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"No PostgreSQL runs on {tmp_path}: start `make run`, or set DATABASE_URL.\n"


def test_it_lists_rows_that_contradict_each_other(api: ApiClient, database_url: str, database: Connection) -> None:
    tea = api.create_product(quantity=5)
    database.run("UPDATE products SET quantity = 4")
    result = run_audit(DATABASE_URL=database_url)
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        f"a product's stock is the sum of its movements: {tea['id']} (stock 4, sum of movements 5)",
        "1 violation",
    ]


def test_a_database_without_the_schema_is_reported_in_one_sentence(empty_database_url: str) -> None:
    result = run_audit(DATABASE_URL=empty_database_url)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == 'The database cannot be audited: PostgreSQL 42P01, relation "order_items" does not exist.\n'
    result = run_audit(DATABASE_URL="postgresql://127.0.0.1:1/x?sslmode=disable")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
