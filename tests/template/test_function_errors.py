"""FunctionErrorsAlarm counts an exception as Lambda's real runtime client logs it."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.template.test_alarms import is_counted

RUNTIME = "/2018-06-01/runtime"
"""https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""


@pytest.fixture
def log(tmp_path: Path) -> list[dict[str, object]]:
    """The log of one invocation of a function that raises, in Lambda's JSON format."""
    (tmp_path / "app.py").write_text("def lambda_handler(event, context):\n    raise RuntimeError('PostgreSQL 42')\n")
    reported, finished = Event(), Event()

    class RuntimeApi(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == f"{RUNTIME}/invocation/next"
            if reported.is_set():
                finished.wait(10)
                return
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "one")
            self.send_header("Lambda-Runtime-Deadline-Ms", "9999999999999")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_POST(self) -> None:
            assert self.path == f"{RUNTIME}/invocation/one/error"
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            reported.set()

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with HTTPServer(("127.0.0.1", 0), RuntimeApi) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "PATH": os.environ["PATH"],
        }
        command = [sys.executable, "-u", "-m", "awslambdaric", "app.lambda_handler"]
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as runtime:
            has_reported = reported.wait(30)
            runtime.kill()
            output = runtime.communicate()[0]
        finished.set()
        server.shutdown()
    assert has_reported, output
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_an_exception_is_counted_once(log: list[dict[str, object]]) -> None:
    assert [line["errorMessage"] for line in log if is_counted("FunctionErrors", line)] == ["PostgreSQL 42"]


@pytest.mark.parametrize(
    ("status", "counts"), [("success", False), ("error", True), ("timeout", True), ("failure", True)]
)
def test_a_crash_is_counted(status: str, counts: bool) -> None:  # noqa: FBT001  a parameter
    # https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
    line = {"type": "platform.report", "record": {"requestId": "1", "status": status, "metrics": {"durationMs": 9.5}}}
    assert is_counted("FunctionErrors", line) == counts
    assert not is_counted("FunctionErrors", {**line, "type": "platform.runtimeDone"})
