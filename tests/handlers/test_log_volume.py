"""A request writes few bytes of log, which cost more than the request."""

import json
import re

import pytest

from storefront.log import logger
from tests.api_client import ROOT, UNKNOWN, ApiClient
from tests.template.translated import resources

EVENT_OVERHEAD = 26
"""Bytes that CloudWatch adds to each event.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_Billing.html"""

BYTES = 700
"""What the deployment guide states for a request, as an average."""

# As long as the values that API Gateway writes.
VALUES = {
    "requestId": "JKJaXmPLvHcESHA=",
    "identity.sourceIp": "203.0.113.178",
    "responseLength": "1234",
    "status": "200",
    "responseLatency": "25",
    "integrationLatency": "24",
    "integrationErrorMessage": "-",
    "authorizer.error": "-",
    "authorizer.claims.sub": "-",
}


def access_log_line(route: str, path: str) -> str:
    stage = resources("AWS::ApiGatewayV2::Stage")["ApiApiGatewayDefaultStage"]["Properties"]
    values = {**VALUES, "routeKey": route, "path": path}
    if route.startswith("POST"):
        values["authorizer.claims.sub"] = UNKNOWN
    line: str = re.sub(r"\$context\.([\w.]+)", lambda found: values[found[1]], stage["AccessLogSettings"]["Format"])
    assert json.loads(line)["route"] == route
    return line


def test_a_request_writes_as_many_bytes_as_the_guide_states(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    tea = api.create_product()["id"]
    sizes = []
    for route, path in (
        ("GET /api/products", "/api/products"),
        ("GET /api/products/{id}", f"/api/products/{tea}"),
        ("POST /api/orders", "/api/orders"),
    ):
        method = route.split()[0]
        body = {"customer_id": 1, "products": [{"product_id": tea, "quantity": 1}]} if method == "POST" else None
        assert api.call(method, path, body).status < 300
        line = logger.registered_handler.format(caplog.records[-1])
        sizes.append(len(line) + len(access_log_line(route, path)) + 2 * EVENT_OVERHEAD)
    assert 0.9 * BYTES < sum(sizes) / len(sizes) <= BYTES, sizes
    assert f"{BYTES} bytes" in (ROOT / "docs" / "guides" / "deployment.md").read_text()
