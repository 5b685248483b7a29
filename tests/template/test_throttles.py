"""API Gateway's limits fit the size of the shop, and a new route needs none of its own."""

from typing import Any

import pytest

from storefront.routes import DEFAULT_ROUTE, ROUTES, Access, allowed_methods
from tests.api_client import ROOT
from tests.template.translated import resources

STAGE = resources("AWS::ApiGatewayV2::Stage")["ApiApiGatewayDefaultStage"]["Properties"]
KEYS = {f"{method} {path}" for path in ROUTES for method in allowed_methods(path)}

READS = {f"{method} {path}" for method in ("GET", "HEAD") for path in ("/api/products", "/api/products/{id}")}
ORDER = {f"{method} /api/orders/{{id}}" for method in ("GET", "HEAD")}
FILES = {key for key in KEYS if key.split()[1].startswith(("/docs", "/openapi.json"))}
# Processors send many events at once, and so do the buyers of a flash sale.
SALES = {"POST /api/payment-webhook", "POST /api/orders"}


def rates(limits: dict[str, Any]) -> tuple[int, int]:
    """The requests per second with Traffic small and large."""
    condition, small, large = limits["Fn::If"]
    assert condition == "SmallTraffic"
    for one in (small, large):
        assert one["ThrottlingRateLimit"] <= one["ThrottlingBurstLimit"]
    return small["ThrottlingRateLimit"], large["ThrottlingRateLimit"]


def test_the_public_and_the_busy_routes_have_their_own_limits() -> None:
    found = {route: rates(one) for route, one in STAGE["RouteSettings"].items()}
    assert found == {
        **dict.fromkeys(READS | ORDER, (25, 500)),
        **dict.fromkeys(SALES, (25, 1000)),
        **dict.fromkeys(FILES, (1, 10)),
    }


def test_every_other_route_has_the_default_limits() -> None:
    # Limits of a new route that are deployed together with it cannot be rolled back.
    assert rates(STAGE["DefaultRouteSettings"]) == (10, 100)
    assert STAGE["RouteSettings"].keys() < KEYS


OPEN = {
    f"{method} {path}"
    for path, methods in ROUTES.items()
    for method in allowed_methods(path)
    if methods["GET" if method == "HEAD" else method] in (Access.ANYONE, Access.SIGNATURE)
}

PER_MILLION = 1.00 + 0.20 + 0.10 + 0.35
"""USD for a million requests: API Gateway, invocations, 15 ms of half a GB, and 700 bytes of logs."""

PER_GB = 0.09

KILOBYTES = {"/api/products": 10, "/console/{file}": 52, "/docs": 7, "/docs/{file}": 560, "/openapi.json": 41}
"""The largest response of a route, compressed as the function sends it. Others are shorter than 1 KB."""


@pytest.mark.parametrize(("traffic", "dollars"), [("small", 1_200), ("large", 21_000)])
def test_the_guide_states_what_a_flood_without_a_token_can_cost(traffic: str, dollars: int) -> None:
    cost = 0.0
    for route in {*OPEN, DEFAULT_ROUTE}:
        small, large = rates(STAGE["RouteSettings"].get(route, STAGE["DefaultRouteSettings"]))
        requests = (small if traffic == "small" else large) * 30 * 24 * 3600
        method, _, path = route.partition(" ")
        kilobytes = 0 if method == "HEAD" else KILOBYTES.get(path, 1)
        cost += requests / 1e6 * (PER_MILLION + kilobytes * PER_GB)
    assert 0.9 * dollars < cost <= dollars
    assert f"{dollars:,} USD" in (ROOT / "docs" / "guides" / "deployment.md").read_text()
