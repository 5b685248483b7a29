"""The output of `make run`: readable lines, or with LOG=json the lines that CloudWatch gets."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api_client import ROOT, ApiClient, expect, over_http
from tests.local.stack import Stack, running
from tests.secret_leaks import SECRET, send_markers

REQUEST = re.compile(r"\d\d:\d\d:\d\d [A-Z]+ /\S* (\d\d\d) (<1|\d+) ms\b")


def json_statuses(stack: Stack) -> list[int]:
    lines = [json.loads(line) for line in stack.output if line.startswith("{")]
    return [line["status"] for line in lines if line.get("message") == "request"]


def text_statuses(stack: Stack) -> list[int]:
    return [int(found[1]) for line in stack.output if (found := REQUEST.match(line))]


@pytest.mark.parametrize(("log", "statuses"), [("json", json_statuses), ("text", text_statuses)])
def test_neither_the_terminal_nor_the_database_log_shows_a_body_secret_or_signature(
    tmp_path: Path, log: str, statuses: Callable[[Stack], list[int]]
) -> None:
    with running(tmp_path, WEBHOOK_SECRET=SECRET, LOG=log) as stack:
        secrets = send_markers(ApiClient(over_http(stack.url)))
        assert stack.stop() == 0
    assert len(statuses(stack)) > 15
    assert set(statuses(stack)) >= {200, 201, 400, 401, 404, 409, 413, 422}
    # Only the banner shows the webhook's secret.
    banner = re.compile("  x_signature |  WEBHOOK_SECRET=")
    served = "".join(line for line in stack.output if not banner.match(line))
    assert [word for word in secrets if word in served] == []
    database_log = (tmp_path / "postgres" / "log").read_text()
    assert [word for word in secrets if word in database_log] == []


def test_log_json_shows_the_log_lines_of_lambda(tmp_path: Path) -> None:
    with running(tmp_path, LOG="json") as stack:
        api = ApiClient(over_http(stack.url))
        path = "/api/orders/00000000-0000-4000-8000-00000000ca11"
        assert api.get(path).status == 404
        # The line of the next request comes after it, in the same pipe.
        api.call("PUT", f"{path}/status", {"status": "paid"})
        stack.wait_for('"status":422')
    lines = [json.loads(line) for line in stack.output if '"route":"GET /api/orders/{id}"' in line]
    assert (lines[-1]["status"], lines[-1]["problem"]) == (404, "order-not-found")
    for word in ("START", "END", "REPORT"):
        assert any(line.startswith(f"{word} RequestId: ") for line in stack.output)


def test_every_failure_of_a_function_is_on_the_terminal(tmp_path: Path) -> None:
    handler = tmp_path / "broken" / "app.py"
    handler.parent.mkdir()
    handler.write_text(
        "import sys, time\n"
        "def lambda_handler(event, context):\n"
        "    {'raise': lambda: 1 / 0, 'exit': lambda: sys.exit(3), 'wait': lambda: time.sleep(60)}"
        "[event['rawQueryString']]()\n"
    )
    text = (ROOT / "template.yaml").read_text().replace("Timeout: 28\n", "Timeout: 2\n")
    text = text.replace("functions/products", "broken").replace("functions/", f"{ROOT}/functions/")
    template = tmp_path / "template.yaml"
    template.write_text(text.replace("layers/common", f"{ROOT}/layers/common"))
    with running(tmp_path / "data", TEMPLATE=str(template)) as stack:
        api = ApiClient(over_http(stack.url))
        for query in ("raise", "exit", "wait"):
            assert expect(500, api.get(f"/api/products?{query}")) == {"message": "Internal Server Error"}
        handler.write_text("import nothing_here\n")
        # The edit applies after the next check of the files.
        stack.wait_for("Task timed out")
        assert api.get("/api/products").status == 500
        stack.wait_for("No module named")
    printed = "".join(stack.output)
    for message in (
        "ERROR ProductsFunction: ZeroDivisionError: division by zero\n",
        " in lambda_handler\n",
        "GET /api/products 500",
        " ms ProductsFunction: ZeroDivisionError: division by zero\n",
        "Error: Runtime exited with error: exit status 3\n",
        " ms ProductsFunction: Task timed out after 2.00 seconds\n",
        " ms ProductsFunction: Runtime.ImportModuleError: Unable to import module 'app': No module",
    ):
        assert message in printed
