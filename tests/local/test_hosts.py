"""Without tokens, `make run` serves only this computer: a website that points its name to 127.0.0.1 gets nothing."""

import json

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect, over_http, signed
from tests.local.stack import Stack

REBOUND = {"host": "attacker.example:3000"}


@pytest.fixture
def api(stack: Stack) -> ApiClient:
    return ApiClient(over_http(stack.url))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/orders"),
        ("GET", "/api/products"),
        ("HEAD", "/docs"),
        ("GET", "/nowhere"),
        ("POST", "/api/products"),
    ],
)
def test_another_host_gets_421(stack: Stack, method: str, path: str) -> None:
    response = over_http(stack.url)(method, path, None, REBOUND)
    assert response.status == 421
    assert method == "HEAD" or "AUTH=on" in response.json["message"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:3000", "LOCALHOST", "[::1]:80"])
def test_the_names_of_this_computer_are_accepted(stack: Stack, host: str) -> None:
    assert over_http(stack.url)("GET", "/api/products", None, {"host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["", "localhost.attacker.example", "127.0.0.1.attacker.example", "127.0.0.1:x", "0.0.0.0"]
)
def test_a_similar_name_is_refused(stack: Stack, host: str) -> None:
    assert over_http(stack.url)("GET", "/api/products", None, {"host": host}).status == 421


def test_signed_events_arrive_through_a_tunnel(api: ApiClient) -> None:
    body = json.dumps({"order_id": UNKNOWN, "payment_status": "paid"}).encode()
    headers = {**REBOUND, "content-type": "application/json", **signed(body)}
    assert api.call("POST", "/api/payment-webhook", body, headers).problem() == (404, "order-not-found")


def test_with_tokens_every_host_is_served(guarded_url: str) -> None:
    send = over_http(guarded_url)
    assert send("GET", "/api/products", None, REBOUND).status == 200
    assert send("GET", "/api/orders", None, REBOUND).status == 401
    assert expect(200, send("GET", "/openapi.json", None, REBOUND))["openapi"].startswith("3.1")
