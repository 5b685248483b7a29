"""`make run` applies edits while it runs, and reports those that need a restart."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Semaphore
from types import SimpleNamespace

import pytest

from local import reload
from local.environments import InvocationError, Launcher
from local.lambdas import LambdaRunner
from local.reload import CHECK_INTERVAL, RETRY_INTERVAL, ChangeHandler, SourceFiles
from local.settings import EVERY_FUNCTION
from local.template import read_template
from tests.api_client import ROOT, ApiClient, expect, over_http
from tests.local.stack import Stack, running

PRODUCT_JSON = Path("layers/common/python/storefront/products/product_json.sql")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the functions and the layer, for the tests to edit."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("functions", "layers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def stack(project: Path) -> Iterator[Stack]:
    with running(project / "data", TEMPLATE=str(project / "template.yaml")) as stack:
        yield stack


@pytest.fixture
def api(stack: Stack) -> ApiClient:
    return ApiClient(over_http(stack.url))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def edit_and_wait(path: Path, old: str, new: str) -> None:
    edit(path, old, new)
    time.sleep(CHECK_INTERVAL)


def test_changed_sql_is_applied_before_the_next_request(api: ApiClient, stack: Stack, project: Path) -> None:
    expect(200, api.get("/api/products"))
    edit_and_wait(project / PRODUCT_JSON, "product.name", "upper(product.name)")
    assert api.create_product(name="Tea")["name"] == "TEA"
    stack.wait_for("Applied SQL: products/product_json.sql")


def test_sql_that_fails_is_reported_and_requests_still_work(api: ApiClient, stack: Stack, project: Path) -> None:
    edit_and_wait(project / PRODUCT_JSON, "SELECT", "SELEKT")
    expect(201, api.call("POST", "/api/products", {"name": "Tea", "price": "1.00", "quantity": 1}))
    stack.wait_for("SQL was not applied: products/product_json.sql, line 4: syntax error")
    assert not any(line.startswith("  File ") for line in stack.output)
    edit_and_wait(project / PRODUCT_JSON, "SELEKT", "SELECT")
    expect(200, api.get("/api/products"))
    stack.wait_for("The SQL files match the database again. Nothing to apply.")


def test_changed_python_code_is_used_by_the_next_request(api: ApiClient, project: Path) -> None:
    edit_and_wait(project / "functions/products/app.py", "lambda_handler = ", "handler = ")
    assert api.get("/api/products").status == 500
    edit_and_wait(project / "functions/products/app.py", "handler = ", "lambda_handler = ")
    expect(200, api.get("/api/products"))


def test_a_change_that_needs_a_restart_is_reported_once(api: ApiClient, stack: Stack, project: Path) -> None:
    edit_and_wait(project / "template.yaml", "Description:", "Description: ")
    for _ in range(2):
        expect(200, api.get("/api/products"))
        time.sleep(CHECK_INTERVAL)
    stack.wait_for("template.yaml changed: restart `make run` to use it.")
    assert len(re.findall("restart `make run`", "".join(stack.output))) == 1


def test_changes_are_handled_without_a_request(stack: Stack, project: Path) -> None:
    edit(project / "layers/common/python/storefront/orders/order_json.sql", "SELECT", "SELECT ")
    stack.wait_for("Applied SQL: orders/order_json.sql")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # SAM CLI uses deprecated functions of its own.
def test_changed_sql_is_applied_before_a_process_loads_the_changed_code(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[object] = []

    def on_change(changed: list[str]) -> None:
        if changed:
            steps.append(changed)

    def launch(_launcher: Launcher, _configuration: object, version: object) -> SimpleNamespace:
        steps.append("launched")
        return SimpleNamespace(is_alive=lambda: True, code_version=version, invoke=lambda _: "{}")

    monkeypatch.setattr(Launcher, "launch", launch)
    functions = read_template(project / "template.yaml").functions
    with LambdaRunner(functions, {EVERY_FUNCTION: {}}) as runner, runner.watching([], on_change):
        # The files were checked a moment ago.
        edit(project / PRODUCT_JSON, "SELECT", "SELECT ")
        runner.call("OrdersFunction", "{}")
        runner.call("OrdersFunction", "{}")
    assert steps == [[str(project / PRODUCT_JSON)], "launched"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


def test_sql_that_failed_is_retried_until_it_is_applied(
    clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    results = ["broken.", "broken.", "RequestId: 1 broken.", "locked", None]
    attempts = []

    def migrate() -> list[str]:
        attempts.append(clock.now)
        if reason := results[len(attempts) - 1]:
            raise InvocationError(reason)
        return ["x.sql"]

    handler = ChangeHandler(migrate)
    handler(["x.sql"])
    handler([])
    handler(["migrate.py"])
    for _ in range(4):
        clock.now += RETRY_INTERVAL
        handler([])
        handler([])
    assert attempts == [0, 0, RETRY_INTERVAL, 2 * RETRY_INTERVAL, 3 * RETRY_INTERVAL]
    assert [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "ERROR SQL was not applied: broken. The database still has the previous version.",
        "ERROR SQL was not applied: locked. The database still has the previous version.",
        "Applied SQL: x.sql",
    ]


def test_a_check_during_a_migration_does_not_start_another(clock: SimpleNamespace) -> None:
    attempts = []

    def migrate() -> list[str]:
        attempts.append(clock.now)
        # A new process checks the files.
        clock.now += RETRY_INTERVAL
        handler([])
        raise InvocationError("locked")

    handler = ChangeHandler(migrate)
    handler(["x.sql"])
    clock.now += RETRY_INTERVAL
    handler([])
    assert attempts == [0, 2 * RETRY_INTERVAL]


def test_a_failed_check_is_reported_once_and_checks_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reload, "CHECK_INTERVAL", 0.01)
    checks = Semaphore(0)

    def fail(_changed: list[str]) -> None:
        checks.release()
        raise RuntimeError("on purpose")

    with SourceFiles([tmp_path]).watching([], fail):
        assert all(checks.acquire(timeout=5) for _ in range(3))
    assert capsys.readouterr().err == "The check for changed files failed: RuntimeError('on purpose')\n"


def test_links_to_themselves_and_lock_files_of_editors_are_no_problem(tmp_path: Path) -> None:
    for name in ("loop.sql", ".#lock.sql"):
        (tmp_path / name).symlink_to(name)
    assert dict(reload._modification_times(tmp_path)) == {str(tmp_path / "loop.sql"): 0}
