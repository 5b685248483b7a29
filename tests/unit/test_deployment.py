"""CloudFormation always gets the result of the migrations."""

import io
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.api_client import lambda_context, load_function
from tests.integration.network import dripping

deployment = load_function("deployment")

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/storefront/1"


@contextmanager
def cloudformation(*statuses: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server in place of CloudFormation. It rejects the first responses with the given statuses.

    Yields its address and the responses that it accepted.
    """
    responses: list[dict[str, Any]] = []
    refusals = list(statuses)

    class Response(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert len(body) < 4096
            assert self.headers["content-type"] == ""
            assert self.path == "/response?Signature=a%2Fb"
            status = refusals.pop(0) if refusals else 200
            if status == 200:
                responses.append(json.loads(body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with HTTPServer(("127.0.0.1", 0), Response) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/response?Signature=a%2Fb", responses
        server.shutdown()


def request(kind: str, url: str) -> dict[str, Any]:
    """As CloudFormation sends it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html
    """
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": STACK,
        "RequestId": "one",
        "ResourceType": "Custom::SchemaMigration",
        "LogicalResourceId": "SchemaMigration",
        "ResourceProperties": {
            "Layer": "arn:aws:lambda:us-east-1:123456789012:layer:CommonLayer:1",
            "MigrateFunction": "migrate",
        },
    }


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def stub_lambda(
    monkeypatch: pytest.MonkeyPatch, *payloads: Any, status: str = "UPDATE_IN_PROGRESS", **fields: str
) -> list[dict[str, Any]]:
    """Let Lambda return these payloads in order, and the stack have this status. Return the recorded invocations."""
    invocations: list[dict[str, Any]] = []
    remaining = list(payloads)

    def invoke(**arguments: Any) -> dict[str, Any]:
        invocations.append(arguments)
        payload = remaining.pop(0)
        if isinstance(payload, Exception):
            raise payload
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(payload).encode()), **fields}

    def describe_stacks(**arguments: str) -> dict[str, Any]:
        assert arguments == {"StackName": STACK}
        if not status:
            raise ConnectionError("away")
        return {"Stacks": [{"StackStatus": status}]}

    events = SimpleNamespace(register=lambda *_: None)
    client = SimpleNamespace(invoke=invoke, describe_stacks=describe_stacks, meta=SimpleNamespace(events=events))
    monkeypatch.setattr(deployment.boto3, "client", lambda *_, **__: client)
    return invocations


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Invoke")


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_applied_migrations_are_reported_as_success(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    invocations = stub_lambda(monkeypatch, {"applied": ["0001_baseline.sql"]})
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request(kind, url), lambda_context())
    assert invocations == [{"FunctionName": "migrate", "Payload": b"{}"}]
    assert responses == [
        {
            "Status": "SUCCESS",
            "Reason": "Up to date",
            "PhysicalResourceId": "SchemaMigration",
            "StackId": STACK,
            "RequestId": "one",
            "LogicalResourceId": "SchemaMigration",
            "Data": {"Configuration": responses[0]["Data"]["Configuration"]},
        }
    ]


def configuration(properties: dict[str, Any]) -> str:
    with cloudformation() as (url, responses):
        event = request("Update", url)
        event["ResourceProperties"] = {"MigrateFunction": "migrate", **properties}
        deployment.lambda_handler(event, lambda_context())
    name: str = responses[0]["Data"]["Configuration"]
    return name


def test_a_changed_configuration_has_a_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_lambda(monkeypatch, *[{"applied": []}] * 4)
    first = configuration({"Layer": "1", "Functions": ["USD", "1440"]})
    assert first == configuration({"Functions": ["USD", "1440"], "Layer": "1"})
    assert first != configuration({"Layer": "1", "Functions": ["EUR", "1440"]})
    assert first != configuration({"Layer": "2", "Functions": ["USD", "1440"]})
    # It becomes the description of a version, which has at most 256 characters.
    assert len(first) == 16


def test_deleting_the_stack_leaves_the_schema_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    invocations = stub_lambda(monkeypatch, {})
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Delete", url), lambda_context())
    assert invocations == []
    assert [one["Status"] for one in responses] == ["SUCCESS"]


def test_a_failed_migration_is_reported_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"errorType": "MigrationError", "errorMessage": "0001_baseline.sql was changed after it was applied"}
    stub_lambda(monkeypatch, error, FunctionError="Unhandled")
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Update", url), lambda_context())
    assert responses[0]["Status"] == "FAILED"
    assert "0001_baseline.sql was changed" in responses[0]["Reason"]


@pytest.mark.parametrize(
    "error",
    [TimeoutError("read timed out"), ValueError("é" * 5000), ValueError("\1" * 5000), ValueError("\ud800")],
    ids=["a timeout", "a long message", "control characters", "a lone surrogate"],
)
def test_a_migration_that_did_not_start_is_reported_as_failed(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    invocations = stub_lambda(monkeypatch, error)
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Create", url), lambda_context())
    assert len(invocations) == 1
    assert responses[0]["Status"] == "FAILED"


@pytest.mark.parametrize("code", sorted(deployment.migrations.readiness.NOT_STARTED))
def test_the_deployment_waits_until_lambda_is_ready(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    invocations = stub_lambda(monkeypatch, client_error(code), client_error(code), {"applied": []})
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Update", url), lambda_context())
    assert len(invocations) == 3
    assert [one["Status"] for one in responses] == ["SUCCESS"]


def test_the_wait_for_lambda_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment.migrations.readiness, "TIMEOUT", 0)
    stub_lambda(monkeypatch, client_error("ResourceNotReadyException"))
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Update", url), lambda_context())
    assert "ResourceNotReadyException" in responses[0]["Reason"]


@pytest.mark.parametrize(
    ("stack_status", "reported"),
    [
        ("UPDATE_ROLLBACK_IN_PROGRESS", "SUCCESS"),
        ("ROLLBACK_IN_PROGRESS", "SUCCESS"),
        ("CREATE_IN_PROGRESS", "FAILED"),
        ("UPDATE_IN_PROGRESS", "FAILED"),
        ("", "FAILED"),
    ],
)
def test_a_failed_migration_does_not_block_a_rollback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, stack_status: str, reported: str
) -> None:
    stub_lambda(monkeypatch, {"errorMessage": "lock timeout"}, status=stack_status, FunctionError="Unhandled")
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Update", url), lambda_context())
    assert [one["Status"] for one in responses] == [reported]
    assert "lock timeout" in responses[0]["Reason"]
    assert "lock timeout" in caplog.text


def test_a_rejected_response_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_lambda(monkeypatch, {"applied": []})
    with cloudformation(503, 500) as (url, responses):
        deployment.lambda_handler(request("Create", url), lambda_context())
    assert [one["Status"] for one in responses] == ["SUCCESS"]


def test_the_function_fails_if_every_response_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_lambda(monkeypatch, {"applied": []})
    with cloudformation(503, 503, 503) as (url, _), pytest.raises(Exception, match="503"):
        deployment.lambda_handler(request("Create", url), lambda_context())


def test_an_attempt_to_report_has_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment.report, "TIMEOUT", 0.3)
    stub_lambda(monkeypatch, {"applied": []})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        started = time.monotonic()
        with dripping(listener, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 4000, 0.02), pytest.raises(TimeoutError):
            deployment.lambda_handler(request("Update", url), lambda_context())
        assert time.monotonic() - started < 2 * deployment.report.ATTEMPTS * 0.3
