"""How the terminal of `make run` shows the functions' log lines."""

import io
import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest
from rich.text import Text

from local import environments, terminal
from local.log_lines import readable
from tests.api_client import ROOT

PRINTS_AN_ARROW = "from local import __main__, terminal; __main__.main(lambda _: terminal.print_now('→ paid'))"
PRINTS_AN_ERROR = "from local.terminal import print_error; print_error('failed')"

TRACEBACK = """\
Traceback (most recent call last):
  File "/opt/python3.13/site-packages/router.py", line 1, in first
    second()
    ~~~~~~^^
  File "/opt/python3.13/site-packages/router.py", line 2, in second
    handler()
  File "PROJECT/functions/orders/app.py", line 3, in handler
    return orders[0]
           ~~~~~~^^^
IndexError: list index out of range"""


def request_line(**fields: Any) -> str:
    usual = {
        "level": "INFO",
        "message": "request",
        "timestamp": "2026-11-29T13:03:12.575+00:00",
        "service": "storefront",
        "method": "GET",
        "route": "GET /api/products",
        "path": "/api/products",
        "status": 200,
        "duration_ms": 88.26,
        "request_id": "694c2093",
        "function_request_id": "45e335f5",
    }
    return shown(json.dumps({**usual, **fields}))


def shown(line: str) -> str:
    """The printed text, without the time."""
    text = readable("OrdersFunction", line)
    assert text is not None
    return text.plain.partition(" ")[2]


def test_a_request_is_one_line() -> None:
    assert request_line() == "GET /api/products 200 88 ms"
    assert request_line(duration_ms=0.31) == "GET /api/products 200 <1 ms"
    missing = request_line(path="/nope", route="$default", status=404, problem="route-not-found")
    assert missing == "GET /nope 404 88 ms route-not-found"


def test_a_payment_event_is_shown_with_its_outcome() -> None:
    event = {"scheme": "x_signature", "key": "1", "order_id": "b0000000", "event_id": "evt_1", "payment_status": "paid"}
    webhook = {"method": "POST", "path": "/api/payment-webhook", **event}
    applied = request_line(**webhook, outcome="applied", stored_outcome="applied")
    assert applied == "POST /api/payment-webhook 200 88 ms paid → applied"
    review = request_line(**webhook, outcome="needs_review", level="WARNING")
    assert review == "POST /api/payment-webhook 200 88 ms paid → needs_review order_id=b0000000"
    replay = request_line(method="POST", path="/api/payment-events/1/replay", outcome="needs_review", order_id="1")
    assert replay == "POST /api/payment-events/1/replay 200 88 ms → needs_review"


def test_warnings_and_errors_are_highlighted() -> None:
    warning = readable("OrdersFunction", json.dumps({"level": "WARNING", "message": "careful", "cause": "x"}))
    assert warning is not None
    assert warning.plain.endswith(" WARNING OrdersFunction: careful cause=x")
    assert "yellow" in {str(span.style) for span in warning.spans}
    error = readable("OrdersFunction", json.dumps({"level": "ERROR", "message": "audit violation"}))
    assert error is not None
    assert "bold red" in {str(span.style) for span in error.spans}


def test_a_traceback_shows_only_the_calls_of_the_project() -> None:
    lines = request_line(
        level="ERROR", status=500, problem="internal-error", exception=TRACEBACK.replace("PROJECT", str(ROOT))
    )
    assert lines.splitlines() == [
        "GET /api/products 500 88 ms internal-error request_id=694c2093",
        "Traceback (most recent call last):",
        "  … 2 calls within libraries",
        '  File "functions/orders/app.py", line 3, in handler',
        "    return orders[0]",
        "           ~~~~~~^^^",
        "IndexError: list index out of range",
    ]


def test_an_exception_that_lambda_reports_is_shown_with_its_traceback() -> None:
    frame = f'  File "{ROOT}/functions/orders/app.py", line 5, in lambda_handler\n    raise RuntimeError\n'
    fields = {"level": "ERROR", "errorMessage": "on purpose", "errorType": "RuntimeError", "stackTrace": [frame]}
    assert shown(json.dumps({"timestamp": "2026-11-29T15:00:11Z", "requestId": "728c", **fields})).splitlines() == [
        "ERROR OrdersFunction: RuntimeError: on purpose",
        '  File "functions/orders/app.py", line 5, in lambda_handler',
        "    raise RuntimeError",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "START RequestId: 728c88bc Version: $LATEST",
        "END RequestId: 728c88bc",
        "REPORT RequestId: 728c88bc\tInit Duration: 0.02 ms\tDuration: 125.06 ms",
        "29 Nov 2026 15:00:11,063 [ERROR] (rapid) Invoke failed error=Runtime exited with error: exit status 3",
        '{"_aws": {"CloudWatchMetrics": []}, "AuditViolations": 0}',
        '{"level": "ERROR", "errorType": "MigrationError", "errorMessage": "x.sql failed", "stackTrace": ["…"]}',
        '{"level": "WARNING", "message": "LAMBDA_WARNING: Unhandled exception. The most likely cause is …"}',
    ],
)
def test_the_lines_of_lambda_itself_are_hidden(line: str) -> None:
    assert readable("OrdersFunction", line) is None


@pytest.mark.parametrize(
    "line", ["hello", "", "[1]", "{}", '{"level": 1}', "{", "null", '"x"', "1" * 5000, '{"level": "INFO"}']
)
def test_any_other_line_is_shown(line: str) -> None:
    text = readable("OrdersFunction", line)
    assert text is not None
    assert line in text.plain or "INFO" in line


@pytest.mark.parametrize(
    "fields", [{"status": "x"}, {"status": None}, {"duration_ms": []}, {"method": 1, "path": None}]
)
def test_a_request_line_with_other_types_is_still_shown(fields: dict[str, Any]) -> None:
    line = json.dumps({"level": "INFO", "message": "request", "status": 200, "duration_ms": 1, **fields})
    assert readable("OrdersFunction", line) is not None


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000 + "\x1b",
        '{"level": "INFO", "message": "request", "status": 200, "duration_ms": 1%s}' % ("0" * 400),
        r'{"level": "INFO", "message": "request", "status": 200, "duration_ms": 1, "path": "\ud800"}',
    ],
)
def test_a_line_that_cannot_be_made_readable_is_shown_as_it_is(line: str) -> None:
    text = readable("OrdersFunction", line)
    assert text is not None
    assert text.plain == line.replace("\x1b", r"\x1b")


def test_an_error_while_a_line_is_printed_does_not_stop_the_next_line() -> None:
    printed = []

    def fail_once(_function: str, line: str) -> None:
        printed.append(line)
        if line == "first":
            raise RecursionError

    environments._read_log("OrdersFunction", io.BytesIO(b"first\nsecond\n"), fail_once)
    assert printed == ["first", "second"]


def test_a_client_cannot_send_control_characters_to_the_terminal() -> None:
    assert request_line(path="/\x1b[31m/é", method="\x1b") == r"\x1b /%1B%5B31m/%C3%A9 200 88 ms"
    assert shown(json.dumps({"level": "ERROR", "message": "\x1b[2J\r"})) == r"ERROR OrdersFunction: \x1b[2J\r"
    text = readable("OrdersFunction", "\x1b[2J")
    assert text is not None
    assert text.plain == r"\x1b[2J"


def test_every_line_of_the_terminal_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    request = terminal.request_line("\x1b[2J", "/\x07", 400, 1, Text("\x9b2J"))
    assert request.plain.partition(" ")[2] == r"\x1b[2J /\x07 400 1 ms \x9b2J"
    assert terminal.event_line("ERROR", "\x1b", "\x9b").plain.endswith(r" ERROR \x1b\x9b")
    terminal.print_error("\x1b[2J")
    assert capsys.readouterr().err == "\\x1b[2J\n"


@pytest.mark.parametrize(
    ("variables", "printed"),
    [({}, "\x1b[1;31mfailed\x1b[0m"), ({"NO_COLOR": "1"}, "\x1b[1mfailed\x1b[0m"), ({"TERM": "dumb"}, "failed")],
)
def test_a_terminal_gets_colors_unless_they_are_turned_off(variables: dict[str, str], printed: str) -> None:
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **variables}
    subprocess.run(
        [sys.executable, "-c", PRINTS_AN_ERROR], cwd=ROOT, env=environment, stderr=theirs, stdin=theirs, check=True
    )
    os.close(theirs)
    assert os.read(ours, 1000).decode().strip() == printed
    os.close(ours)


def test_a_pipe_gets_no_colors() -> None:
    command = [sys.executable, "-c", PRINTS_AN_ERROR]
    result = subprocess.run(command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True)
    assert result.stderr == b"failed\n"


def test_a_terminal_that_is_not_utf_8_loses_no_line() -> None:
    command = [sys.executable, "-c", PRINTS_AN_ARROW]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert result.stdout == b"\\u2192 paid\nStopped.\n"
