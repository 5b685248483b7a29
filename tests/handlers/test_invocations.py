"""A function that is invoked with another event than its own logs one clear error, and raises nothing."""

import copy
import json
from typing import Any

import pytest

from tests.api_client import api_event, lambda_context, load_function

HTTP_FUNCTIONS = ["products", "orders", "payments", "webhook", "docs", "fallback"]
SCHEDULED_FUNCTIONS = ["expire_orders", "audit", "migrate"]

PERSONAL = "jane@example.com"

LOAD_BALANCER = {
    "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x"}},
    "httpMethod": "GET",
    "path": f"/api/products/{PERSONAL}",
    "queryStringParameters": {"q": PERSONAL},
    "headers": {"authorization": PERSONAL},
    "body": PERSONAL,
    "isBase64Encoded": False,
}
"""https://docs.aws.amazon.com/lambda/latest/dg/services-alb.html"""

REST_API = {
    "version": "1.0",
    "resource": "/api/products",
    "path": "/api/products",
    "httpMethod": "GET",
    "headers": {"authorization": PERSONAL},
    "requestContext": {"httpMethod": "GET", "requestId": "one", "stage": "prod"},
    "body": None,
}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""

SCHEDULE = {"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}

EVENTS: dict[str, Any] = {
    "an empty object": {},
    "a warm-up ping": {"source": "serverless-plugin-warmup"},
    "a schedule": SCHEDULE,
    "a load balancer": LOAD_BALANCER,
    "a REST API": REST_API,
    "no method": {**api_event("GET", "/api/products", None, {}), "requestContext": {"requestId": "one"}},
    "headers that are text": {**api_event("GET", "/api/nowhere", None, {}), "headers": PERSONAL},
    "context without content": {"requestContext": None},
    "personal keys": {PERSONAL: PERSONAL, "source": PERSONAL, "requestContext": PERSONAL},
    "text": PERSONAL,
    "a list": [{"name": PERSONAL}],
    "a number": 7,
    "null": None,
}

each_event = pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)


def errors(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.levelname == "ERROR"]


@each_event
@pytest.mark.parametrize("name", HTTP_FUNCTIONS)
def test_a_route_function_logs_one_error_and_returns_500(
    name: str, event: Any, caplog: pytest.LogCaptureFixture
) -> None:
    context = lambda_context()
    response = load_function(name).lambda_handler(copy.deepcopy(event), context)
    assert (response["statusCode"], json.loads(response["body"])["type"]) == (500, "/docs#internal-error")
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert context.aws_request_id in response["body"]
    [line] = errors(caplog)
    assert line["message"] == "The function was not invoked with a request of an HTTP API."
    assert line["function_request_id"] == context.aws_request_id
    assert "payload format 2.0" in line["expected"]
    assert PERSONAL not in repr(line)


@pytest.mark.parametrize(
    ("name", "received"),
    [
        ("an empty object", {"type": "object", "keys": []}),
        ("a warm-up ping", {"type": "object", "keys": ["source"], "source": "serverless-plugin-warmup"}),
        ("a schedule", {"type": "object", "keys": sorted(SCHEDULE), "source": "aws.events"}),
        ("a load balancer", {"type": "object", "keys": sorted(LOAD_BALANCER), "request_context": ["elb"]}),
        (
            "a REST API",
            {"type": "object", "keys": sorted(REST_API), "request_context": ["httpMethod", "requestId", "stage"]},
        ),
        ("personal keys", {"type": "object", "keys": ["requestContext", "source"]}),
        ("text", {"type": "string"}),
        ("a list", {"type": "array"}),
        ("a number", {"type": "number"}),
        ("null", {"type": "null"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_error_shows_the_form_of_the_event(
    name: str, received: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    load_function("fallback").lambda_handler(EVENTS[name], lambda_context())
    assert errors(caplog)[0]["received"] == received


def without_each_field() -> list[Any]:
    event = api_event("GET", "/api/products", b"{}", {"accept": "*/*"})
    events = []
    for path in [
        *((key,) for key in event),
        *(("requestContext", key) for key in event["requestContext"]),
        *(("requestContext", "http", key) for key in event["requestContext"]["http"]),
    ]:
        changed = copy.deepcopy(event)
        parent = changed
        for step in path[:-1]:
            parent = parent[step]
        del parent[path[-1]]
        events.append(pytest.param(changed, id=".".join(path)))
    return events


@pytest.mark.parametrize("event", without_each_field())
@pytest.mark.usefixtures("api")
def test_a_request_without_any_of_its_fields_gets_a_response(event: Any) -> None:
    response = load_function("products").lambda_handler(event, lambda_context())
    assert response["statusCode"] in (200, 404, 500)


@pytest.mark.parametrize("name", SCHEDULED_FUNCTIONS)
@pytest.mark.usefixtures("api")
def test_a_scheduled_function_runs_whatever_its_event(
    name: str, direct_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its runs have no parameters, and an additional run does no harm.
    monkeypatch.setenv("DATABASE_URL", direct_url)
    for event in EVENTS.values():
        assert load_function(name).lambda_handler(event, lambda_context())
    assert errors(caplog) == []


@each_event
def test_the_deployment_function_logs_one_error_and_starts_nothing(
    event: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = load_function("deployment")
    monkeypatch.setattr(deployment, "RESOURCES", dict.fromkeys(deployment.RESOURCES, lambda _: pytest.fail("it ran")))
    deployment.lambda_handler(event, lambda_context())
    [line] = errors(caplog)
    assert "not invoked with a request of CloudFormation" in line["message"]
    assert PERSONAL not in repr(line)
