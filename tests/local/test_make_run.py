"""`make run` starts, stops and continues as a developer expects."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from local.banner import banner
from local.settings import EVERY_FUNCTION, function_variables, read_settings
from local.signing import sign
from storefront import db
from tests.api_client import ROOT, ApiClient, expect, over_http
from tests.local.stack import processes_of, running, start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_leaves_no_process_behind(tmp_path: Path, number: int) -> None:
    with running(tmp_path) as stack:
        expect(200, ApiClient(over_http(stack.url)).get("/api/products"))
        assert processes_of(tmp_path) != []
        assert stack.stop(number) == 0
    assert stack.output[-1] == "Stopped.\n"
    assert processes_of(tmp_path) == []


def test_no_thread_imports_while_modules_are_replaced(tmp_path: Path) -> None:
    """Otherwise, an import of botocore sometimes fails."""
    program = """
import os, sys
from local import __main__ as stack
from local.settings import read_settings

class Thread:
    def __init__(self, **options): pass
    def start(self): sys.exit("storefront.cold_start.powertools" not in sys.modules)

stack.Thread = Thread
stack.run(read_settings(os.environ))
"""
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "PORT": "0"}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True)


def test_a_second_run_continues_with_the_same_data(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        api = ApiClient(over_http(stack.url))
        sample = expect(200, api.get("/api/products"))["total"]
        tea = api.create_product(name="Tea")
    with running(tmp_path) as stack:
        api = ApiClient(over_http(stack.url))
        assert api.stock(tea["id"]) == 10
        assert expect(200, api.get("/api/products"))["total"] == sample + 1


def test_a_killed_run_leaves_no_process_and_the_next_run_recovers(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        tea = ApiClient(over_http(stack.url)).create_product()
        stack.process.kill()
        stack.process.wait()
    with running(tmp_path) as stack:
        assert ApiClient(over_http(stack.url)).stock(tea["id"]) == 10
    assert processes_of(tmp_path) == []


def test_the_database_and_the_secret_of_the_environment_are_used(tmp_path: Path, direct_url: str) -> None:
    with running(tmp_path, DATABASE_URL=direct_url, WEBHOOK_SECRET="another one") as stack:
        api = ApiClient(over_http(stack.url))
        order = api.order((api.create_product()["id"], 1))
        assert api.pay(order["id"]).status == 401
        body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
        headers = sign("x_signature", ["another one"], body, "", 0)
        assert expect(200, api.call("POST", "/api/payment-webhook", body, headers))["outcome"] == "applied"
        # The default secrets of the other schemes are invalid too.
        assert api.deliver(body, "stripe").status == 401
    assert not (tmp_path / "postgres").exists()


def test_a_failing_handler_returns_500_and_its_traceback_is_shown(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    handler = tmp_path / "broken" / "app.py"
    handler.parent.mkdir()
    handler.write_text("import time\ndef lambda_handler(event, context):\n    raise RuntimeError('on purpose')\n")
    text = (ROOT / "template.yaml").read_text()
    text = text.replace("functions/products", "broken").replace("functions/", f"{ROOT}/functions/")
    template.write_text(text.replace("layers/common", f"{ROOT}/layers/common"))
    with running(tmp_path / "data", TEMPLATE=str(template)) as stack:
        api = ApiClient(over_http(stack.url))
        assert expect(500, api.get("/api/products")) == {"message": "Internal Server Error"}
        expect(200, api.get("/api/orders"))
    assert any("on purpose" in line for line in stack.output)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PORT": "http"}, "PORT must be a number from 0 to 65535, not 'http'."),
        ({"PORT": "9" * 5000}, "PORT must be a number from 0 to 65535"),
        ({"LOG": "yaml"}, "LOG must be json or text, not 'yaml'."),
        ({"PORT": "65536"}, "PORT must be a number from 0 to 65535, not '65536'."),
        ({"CURRENCY": "usd"}, "CURRENCY must be three capital letters, such as USD, not 'usd'."),
        ({"PAYMENT_MODE": "prod"}, "PAYMENT_MODE must be any, live or test, not 'prod'."),
        ({"TEMPLATE": "/nowhere/template.yaml"}, "template.yaml"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/x?sslmode=disable"}, "of DATABASE_URL cannot be used"),
        ({"DATABASE_URL": "mysql"}, "The database of DATABASE_URL cannot be used"),
        ({"DATABASE_URL": "postgresql://u:pass#word@h/x"}, "the database address is not a libpq URI."),
        (
            {"STANDARD_WEBHOOKS_SECRET": "whsec_dG9vIHNob3J0"},
            "STANDARD_WEBHOOKS_SECRET: Input should be whsec_ followed by 24 to 64 bytes",
        ),
        (
            {"STANDARD_WEBHOOKS_SECRET": "not-one"},
            "STANDARD_WEBHOOKS_SECRET: Input should be whsec_ followed by 24 to 64 bytes",
        ),
        ({"DATA_DIR": "/dev/null/x"}, "The data folder /dev/null/x cannot be used: Not a directory."),
    ],
)
def test_an_invalid_setting_is_reported_in_one_sentence(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    process = start(tmp_path, **environment)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert sentence in output.splitlines()[-1]
    assert "Traceback" not in output


def test_a_database_of_a_development_version_is_refused_in_one_sentence(tmp_path: Path, empty_direct_url: str) -> None:
    with closing(db.connect(empty_direct_url)) as connection:
        connection.run("CREATE TABLE schema_history AS SELECT '0001_shop.sql' AS name, '' AS checksum")
    process = start(tmp_path, DATABASE_URL=empty_direct_url)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert output.splitlines()[-1] == (
        "The migrations failed: the database is from a development version before 0.2.0, so delete it "
        "(`make run` keeps it in DATA_DIR, by default .local) and start again"
    )
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "environment",
    [{}, {"AUTH": "on"}, {"WEBHOOK_SECRET": "one of mine; echo"}, {"STRIPE_WEBHOOK_SECRET": "whsec_mine"}],
)
def test_the_commands_of_the_banner_work_as_pasted(tmp_path: Path, environment: dict[str, str]) -> None:
    with running(tmp_path, **environment) as stack:
        stack.wait_for("The webhook's secrets")
        printed = paste(stack.banner_commands())
        api = ApiClient(over_http(stack.url))
        stock = expect(200, api.get("/api/products/a0000000-0000-4000-8000-000000000001"))["quantity"]
    products, order = [json.loads(text) for text in re.findall(r"(?m)^\{.*\}", printed)]
    assert products["total"] == 8
    assert (order["status"], order["total_price"], stock) == ("pending", "14.50", 119)
    assert "applied" in printed


def paste(commands: str) -> str:
    """Run commands in a shell, and return what they print."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    # curl may not end its output with a line break.
    script = re.sub(r"(?m)^  (curl|make) ", r"echo\n  \1 ", commands)
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_functions_get_the_settings_of_the_shop_that_are_set() -> None:
    chosen = {
        "CURRENCY": "EUR",
        "ORDER_TIME_TO_LIVE_MINUTES": "30",
        "PAYMENT_MODE": "live",
        "PAYMENT_ACCOUNTS": "acct_1,acct_2",
        "PAYMENT_PENDING_DAYS": "0",
        "PAYMENT_BODY_RETENTION_DAYS": "0",
    }
    for environment, expected in ((chosen, chosen), (dict.fromkeys(chosen, ""), {})):
        variables = function_variables(read_settings(environment), "postgresql://", "http://")[EVERY_FUNCTION]
        assert {name: text for name, text in variables.items() if name in chosen} == expected


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({}, "make pay ORDER=b0000000-0000-4000-8000-000000000004"),
        ({"WEBHOOK_SECRET": "mine"}, "WEBHOOK_SECRET=mine make pay ORDER=b0000000-0000-4000-8000-000000000004"),
        (
            {"STRIPE_WEBHOOK_SECRET": "mine"},
            "STRIPE_WEBHOOK_SECRET=mine make pay ORDER=b0000000-0000-4000-8000-000000000004 SCHEME=stripe",
        ),
    ],
)
def test_the_command_to_pay_uses_a_scheme_that_has_a_secret(environment: dict[str, str], command: str) -> None:
    assert f"  {command}\n" in banner("http://127.0.0.1:3000", read_settings(environment))
    elsewhere = banner("http://127.0.0.1:3001", read_settings(environment))
    assert "-000000000004 URL=http://127.0.0.1:3001" in elsewhere


def test_the_banner_says_who_signs_staff_in() -> None:
    settings = read_settings({"AUTH": "on"})
    line = "Open http://127.0.0.1:1/console in a browser to work with orders and products, as staff does."
    signs_in = f"{line} It asks for one of two test users (http://127.0.0.1:2 signs them in).\n"
    assert signs_in in banner("http://127.0.0.1:1", settings, "http://127.0.0.1:2")
    assert f"{line}\n" in banner("http://127.0.0.1:1", read_settings({}))


@pytest.mark.parametrize("text", ["Resources: [", "Resources: {}", "Resources: {A: {Type: AWS::Serverless::Function}}"])
def test_an_invalid_template_is_reported_in_one_sentence(tmp_path: Path, text: str) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(text)
    process = start(tmp_path / "data", TEMPLATE=str(template))
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert "Traceback" not in output


def test_a_busy_port_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path, PORT=str(port))
        output = process.communicate(timeout=60)[0]
    assert (process.returncode, output) == (
        1,
        f"Port {port} is already in use. Choose another, such as PORT={port + 1}.\n",
    )


def test_a_second_stack_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with running(tmp_path):
        process = start(tmp_path)
        assert process.communicate(timeout=60)[0] == f"The stack already runs on {tmp_path}.\n"
        assert process.returncode == 1


def make_run_in_a_fresh_clone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `make run` where nothing is installed."""
    shutil.copytree(ROOT / "local", folder / "local", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "Makefile").write_text((ROOT / "Makefile").read_text())
    (folder / "requirements").mkdir()
    (folder / "layers" / "common").mkdir(parents=True)
    for name in (
        "requirements/uv.txt",
        "requirements/run.txt",
        "requirements/npm.txt",
        "layers/common/package-lock.json",
    ):
        (folder / name).touch()
    return subprocess.run(
        ["/usr/bin/make", "run", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_reports_which_python_is_missing(tmp_path: Path) -> None:
    result = make_run_in_a_fresh_clone(tmp_path, "PYTHON=")
    assert result.returncode != 0
    assert "Python 3.11 or newer with venv is required" in result.stderr


def test_a_busy_port_is_reported_before_the_installation(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = make_run_in_a_fresh_clone(tmp_path, f"PORT={port}")
    assert result.returncode != 0
    assert f"Port {port} is already in use. Choose another, such as PORT={port + 1}.\n" in result.stderr
    assert "Installing" not in result.stderr
    assert not (tmp_path / ".venv").exists()
