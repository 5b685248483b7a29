"""CloudFormation always hears what came of the migrations."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.api_client import lambda_context, load_function

deployment = load_function("deployment")

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/storefront/1"


@contextmanager
def cloudformation(*statuses: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Where CloudFormation takes answers: its address, and the answers. It refuses some first, with these statuses."""
    responses: list[dict[str, Any]] = []
    refusals = list(statuses)

    class Response(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert len(body) < 4096
            assert self.headers["content-type"] == ""
            assert self.path == "/answer?Signature=a%2Fb"
            status = refusals.pop(0) if refusals else 200
            if status == 200:
                responses.append(json.loads(body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Response) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/answer?Signature=a%2Fb", responses
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
        "ResourceProperties": {"Layer": "arn:aws:lambda:us-east-1:123456789012:layer:CommonLayer:1"},
    }


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment.time, "sleep", lambda _: None)
    monkeypatch.setenv("MIGRATE_FUNCTION", "migrate")


def answered_by_lambda(
    monkeypatch: pytest.MonkeyPatch, *payloads: Any, status: str = "UPDATE_IN_PROGRESS", **fields: str
) -> list[dict[str, Any]]:
    """Have Lambda answer so, one after the other, and CloudFormation say that of the stack; what was invoked."""
    made: list[dict[str, Any]] = []
    left = list(payloads)

    def invoke(**arguments: Any) -> dict[str, Any]:
        made.append(arguments)
        payload = left.pop(0)
        if isinstance(payload, Exception):
            raise payload
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(payload).encode()), **fields}

    def describe_stacks(**arguments: str) -> dict[str, Any]:
        assert arguments == {"StackName": STACK}
        if not status:
            raise ConnectionError("away")
        return {"Stacks": [{"StackStatus": status}]}

    client = SimpleNamespace(invoke=invoke, describe_stacks=describe_stacks)
    monkeypatch.setattr(deployment.boto3, "client", lambda *_, **__: client)
    return made


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Invoke")


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_migrations_that_were_applied_are_a_success(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    made = answered_by_lambda(monkeypatch, {"applied": ["0001_shop.sql"]})
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request(kind, url), lambda_context())
    assert made == [{"FunctionName": "migrate", "Payload": b"{}"}]
    assert responses == [
        {
            "Status": "SUCCESS",
            "Reason": "The schema is up to date",
            "PhysicalResourceId": "schema",
            "StackId": STACK,
            "RequestId": "one",
            "LogicalResourceId": "SchemaMigration",
            "Data": {"Configuration": responses[0]["Data"]["Configuration"]},
        }
    ]


def configuration(properties: dict[str, Any]) -> str:
    with cloudformation() as (url, responses):
        deployment.lambda_handler({**request("Update", url), "ResourceProperties": properties}, lambda_context())
    told: str = responses[0]["Data"]["Configuration"]
    return told


def test_each_configuration_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answered_by_lambda(monkeypatch, *[{"applied": []}] * 4)
    first = configuration({"Layer": "1", "Functions": ["USD", "1440"]})
    assert first == configuration({"Functions": ["USD", "1440"], "Layer": "1"})
    assert first != configuration({"Layer": "1", "Functions": ["EUR", "1440"]})
    assert first != configuration({"Layer": "2", "Functions": ["USD", "1440"]})
    # A version's description, which has room for 256 characters.
    assert len(first) == 16


def test_a_stack_that_goes_leaves_the_schema_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = answered_by_lambda(monkeypatch, {})
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Delete", url), lambda_context())
    assert made == []
    assert [one["Status"] for one in responses] == ["SUCCESS"]


def test_a_migration_that_failed_is_a_failure_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"errorType": "MigrationError", "errorMessage": "0001_shop.sql was changed after it had been applied"}
    answered_by_lambda(monkeypatch, error, FunctionError="Unhandled")
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Update", url), lambda_context())
    assert responses[0]["Status"] == "FAILED"
    assert "0001_shop.sql was changed" in responses[0]["Reason"]


@pytest.mark.parametrize(
    "error", [TimeoutError("read timed out"), ValueError("é" * 5000), ValueError("\1" * 5000), ValueError("\ud800")]
)
def test_a_migration_that_was_not_started_is_a_failure_too(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    made = answered_by_lambda(monkeypatch, error)
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Create", url), lambda_context())
    assert len(made) == 1
    assert responses[0]["Status"] == "FAILED"


@pytest.mark.parametrize("code", sorted(deployment.NOT_STARTED))
def test_what_lambda_has_yet_to_make_ready_is_waited_for(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    made = answered_by_lambda(monkeypatch, refused(code), refused(code), {"applied": []})
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Update", url), lambda_context())
    assert len(made) == 3
    assert [one["Status"] for one in responses] == ["SUCCESS"]


def test_it_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "READY_TIMEOUT", 0)
    answered_by_lambda(monkeypatch, refused("ResourceNotReadyException"))
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Update", url), lambda_context())
    assert "ResourceNotReadyException" in responses[0]["Reason"]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("UPDATE_ROLLBACK_IN_PROGRESS", "SUCCESS"),
        ("ROLLBACK_IN_PROGRESS", "SUCCESS"),
        ("CREATE_IN_PROGRESS", "FAILED"),
        ("UPDATE_IN_PROGRESS", "FAILED"),
        ("", "FAILED"),
    ],
)
def test_a_failure_is_no_obstacle_on_the_way_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, status: str, told: str
) -> None:
    answered_by_lambda(monkeypatch, {"errorMessage": "lock timeout"}, status=status, FunctionError="Unhandled")
    with cloudformation() as (url, responses):
        deployment.lambda_handler(request("Update", url), lambda_context())
    assert [one["Status"] for one in responses] == [told]
    assert "lock timeout" in responses[0]["Reason"]
    assert "lock timeout" in caplog.text


def test_an_answer_that_was_not_taken_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answered_by_lambda(monkeypatch, {"applied": []})
    with cloudformation(503, 500) as (url, responses):
        deployment.lambda_handler(request("Create", url), lambda_context())
    assert [one["Status"] for one in responses] == ["SUCCESS"]


def test_an_answer_that_is_never_taken_is_an_error_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    answered_by_lambda(monkeypatch, {"applied": []})
    with cloudformation(503, 503, 503) as (url, _), pytest.raises(Exception, match="503"):
        deployment.lambda_handler(request("Create", url), lambda_context())
