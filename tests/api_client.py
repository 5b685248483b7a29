"""An API client for tests. It calls the handlers in this process, or sends HTTP requests."""

import base64
import http.client
import importlib.util
import json
import re
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from local.signing import LOCAL_SECRETS, sign
from storefront.payments.keyring import Keyring
from storefront.routes import DEFAULT_ROUTE, allowed_methods, match
from tests import conformance

ROOT = Path(__file__).parent.parent
UNKNOWN = "00000000-0000-4000-8000-000000000000"
ENVIRONMENT = {
    "AUTH": "off",
    "CURRENCY": "USD",
    "CURSOR_KEY": "local-only-not-a-secret-either",
    "ORDER_TIME_TO_LIVE_MINUTES": "1440",
    "CUSTOMER_ORDER_TIME_TO_LIVE_MINUTES": "60",
    "WEBHOOK_SILENCE_HOURS": "6",
    "ORDER_LINES_LIMIT": "50",
    "ORDER_UNITS_LIMIT": "20",
    "CUSTOMER_ORDERS_LIMIT": "5",
    "CUSTOMER_DAILY_ORDERS_LIMIT": "50",
    "CUSTOMER_UNITS_LIMIT": "100",
    "QUEUE_SLOTS": "64",
    "PAYMENT_PENDING_DAYS": "7",
    "REFUND_PENDING_DAYS": "7",
    "PAYMENT_BODY_RETENTION_DAYS": "400",
    "IGNORED_BODY_RETENTION_DAYS": "30",
    "IGNORED_EVENTS_PER_DAY": "5000",
    "PAYMENT_MODE": "any",
}
"""The functions' environment variables, except DATABASE_URL."""
FUNCTIONS = {DEFAULT_ROUTE: "fallback"} | {
    f"{method.upper()} {path.replace('<', '{').replace('>', '}')}": app.parent.name
    for app in (ROOT / "functions").glob("*/app.py")
    for method, path in re.findall(r'^@app\.(\w+)\("([^"]+)"', app.read_text(), re.MULTILINE)
}
"""The function of each route key, from the decorators of its handlers. A test compares them with the template."""


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    def problem(self) -> tuple[int, str]:
        """The status and kind of a problem. Raises AssertionError if the response is not a problem."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.json["status"] == self.status
        return self.status, self.json["type"].removeprefix("/docs#")


Send = Callable[[str, str, bytes | None, Mapping[str, str]], Response]


@dataclass
class ApiClient:
    """An API client over any way of sending a request."""

    send: Send

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send a request, and check the response against docs/openapi.json. A body other than bytes is sent as JSON."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        declared = {} if content is None else {"content-type": "application/json"}
        response = self.send(method, path, content, {**declared, **(headers or {})})
        conformance.check(method, path, response.status, response.headers, response.text)
        return response

    def get(self, path: str) -> Response:
        return self.call("GET", path)

    def items(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The items of one page."""
        found: list[dict[str, Any]] = expect(200, self.get(target(path, **parameters)))["items"]
        return found

    def create_product(self, **fields: Any) -> dict[str, Any]:
        body = {"name": "Tea", "price": "4.50", "quantity": 10, **fields}
        product: dict[str, Any] = expect(201, self.call("POST", "/api/products", body))
        return product

    def place_order(self, *line_items: tuple[str, int], customer_id: int = 1, **fields: Any) -> Response:
        products = [{"product_id": product_id, "quantity": quantity} for product_id, quantity in line_items]
        return self.call("POST", "/api/orders", {"customer_id": customer_id, "products": products, **fields})

    def order(self, *line_items: tuple[str, int], **fields: Any) -> dict[str, Any]:
        order: dict[str, Any] = expect(201, self.place_order(*line_items, **fields))
        return order

    def change_status(self, order_id: str, status: str) -> Response:
        return self.call("PUT", f"/api/orders/{order_id}/status", {"status": status})

    def stock(self, product_id: str) -> int:
        quantity: int = expect(200, self.get(f"/api/products/{product_id}"))["quantity"]
        return quantity

    def payment_status(self, order_id: str) -> str:
        status: str = expect(200, self.get(f"/api/orders/{order_id}"))["payment_status"]
        return status

    def pay(self, order_id: str, payment_status: str = "paid", **fields: Any) -> Response:
        """Send a payment event in the native format."""
        return self.deliver({"order_id": order_id, "payment_status": payment_status, **fields})

    def deliver(self, body: Any, scheme: str = "x_signature", webhook_id: str = "msg_1") -> Response:
        """Send a signed event to the webhook. A body other than bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("POST", "/api/payment-webhook", content, signed(content, scheme, webhook_id))


def signed(body: bytes, scheme: str = "x_signature", webhook_id: str = "msg_1") -> dict[str, str]:
    """The signature headers for an event."""
    return sign(scheme, LOCAL_SECRETS[scheme][:1], body, webhook_id, int(time.time()))


def local_keyring() -> Keyring:
    """A keyring with the secrets of `make run`."""
    return Keyring(lambda: json.dumps(LOCAL_SECRETS))


def expect(status: int, response: Response) -> Any:
    """Assert the status code, and return the JSON body."""
    assert response.status == status, response
    return response.json


def over_handlers(
    method: str, path: str, body: bytes | None, headers: Mapping[str, str], claims: Mapping[str, str] | None = None
) -> Response:
    """Call the function that API Gateway would call. claims: those of the token that it has verified."""
    event = api_event(method, path, body, headers)
    if claims is not None:
        event["requestContext"]["authorizer"] = {"jwt": {"claims": dict(claims), "scopes": None}}
    function = FUNCTIONS[event["routeKey"].replace("HEAD ", "GET ")]
    response = load_function(function).lambda_handler(event, lambda_context())
    response_headers = {name.lower(): value for name, value in response["headers"].items()}
    return Response(response["statusCode"], response_headers, response["body"] or "")


def over_http(address: str) -> Send:
    """Send real requests to an address such as http://127.0.0.1:3000."""

    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Response:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            response_headers = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, response_headers, response.read().decode())
        finally:
            connection.close()

    return send


def api_event(method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
    """An event of an API Gateway HTTP API, payload format 2.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    url = urlsplit(target)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": _route_key(method, url.path),
        "rawPath": url.path,
        "rawQueryString": url.query,
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "127.0.0.1:3000",
            "http": {
                "method": method,
                "path": url.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "tests",
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": _route_key(method, url.path),
            "stage": "$default",
            "time": "23/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795435200000,
        },
        "isBase64Encoded": False,
    }
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    if parameters:
        event["queryStringParameters"] = parameters
    if body:
        try:
            event["body"] = body.decode()
        except UnicodeDecodeError:
            event["body"] = base64.b64encode(body).decode()
            event["isBase64Encoded"] = True
    return event


@cache
def load_function(name: str) -> ModuleType:
    """Load a function's app.py under a unique module name. It imports other modules of its folder, as in Lambda."""
    folder = ROOT / "functions" / name
    spec = importlib.util.spec_from_file_location(f"functions_{name}_app", folder / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(folder))
    spec.loader.exec_module(module)
    sys.path.remove(str(folder))
    return module


def lambda_context() -> SimpleNamespace:
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
        aws_request_id=str(uuid.uuid4()),
        get_remaining_time_in_millis=lambda: 120_000,
    )


def target(path: str, **parameters: Any) -> str:
    """A path with a query string."""
    return f"{path}?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in parameters.items())


def _route_key(method: str, path: str) -> str:
    route = match(path)
    return f"{method} {route}" if route and method in allowed_methods(route) else DEFAULT_ROUTE
