"""Scopes and customers' tokens, where routes ask for them."""

import json
from functools import partial
from typing import Any

import pytest

from storefront import access
from storefront.routes import DEFAULT_ROUTE, ROUTES, Access
from tests.api_client import (
    UNKNOWN,
    ApiClient,
    Response,
    api_event,
    expect,
    lambda_context,
    load_function,
    over_handlers,
    signed,
    target,
)

GUARDED = [
    (method, path, needed)
    for path, methods in ROUTES.items()
    for method, needed in methods.items()
    if needed not in access.OPEN
]
SCOPES = sorted({needed for _, _, needed in GUARDED})


@pytest.fixture(autouse=True)
def _routes_ask_for_tokens(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  behind every other
    monkeypatch.setenv("AUTH", "on")


@pytest.fixture
def tea() -> str:
    """A product's id."""
    product_id: str = holder("catalog:write").create_product(quantity=100)["id"]
    return product_id


NOBODY = ApiClient(over_handlers)
"""The shop without a token."""


def with_claims(**claims: str) -> ApiClient:
    """The shop as whoever has such a token reaches it."""
    return ApiClient(partial(over_handlers, claims={"sub": "somebody", **claims}))


def holder(*scopes: str, **claims: str) -> ApiClient:
    return with_claims(scope=" ".join(scopes), **claims)


def customer(customer_id: int) -> ApiClient:
    return holder(*access.CUSTOMERS, sub=f"customer-{customer_id}", customer_id=str(customer_id))


def request(api: ApiClient, method: str, path: str) -> Response:
    """One that says nothing, of a thing that is not there: whoever is let through gets a problem of another kind."""
    return api.call(method, path.replace("{id}", UNKNOWN), None if method in ("GET", "DELETE") else {})


@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
def test_a_guarded_route_is_closed_without_a_token(method: str, path: str, needed: str) -> None:
    assert needed
    response = request(NOBODY, method, path)
    assert response.problem() == (401, "token-missing")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
def test_a_guarded_route_is_closed_to_every_other_scope(method: str, path: str, needed: str) -> None:
    response = request(holder(*(scope for scope in SCOPES if scope != needed)), method, path)
    assert response.problem() == (403, "forbidden")
    assert response.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{needed}"'


@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
def test_a_guarded_route_is_open_to_its_scope(method: str, path: str, needed: str) -> None:
    assert request(holder(needed), method, path).status in (200, 404, 422)


@pytest.mark.parametrize("path", [path for path, methods in ROUTES.items() if methods.get("GET") == Access.ANYONE])
def test_products_are_read_without_a_token(path: str) -> None:
    assert request(NOBODY, "GET", path).status in (200, 404)


def test_the_webhook_asks_for_its_signature_alone() -> None:
    assert request(NOBODY, "POST", "/api/payment-webhook").problem() == (401, "unauthenticated")
    assert NOBODY.pay(UNKNOWN).problem() == (404, "order-not-found")


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": "openid storefront/orders:read"},
        {"scope": "", "scp": "[orders:read orders:write]"},
        {"scp": "[orders:read]"},
        {"scp": "orders:read"},
    ],
)
def test_scopes_are_read_as_issuers_write_them(claims: dict[str, str]) -> None:
    expect(200, with_claims(**claims).get("/api/orders"))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"scope": "orders:readonly"},
        {"scope": "orders"},
        {"scope": "other/orders:read"},
        {"scope": "ORDERS:READ"},
        {"scope": "orders:read,orders:write"},
        {"scope": "anyone signature None"},
        {"scope": "x\u00a0orders:read"},
        {"scope": "x\x1corders:read"},
        {"scopes": "orders:read"},
    ],
)
def test_what_only_resembles_a_scope_is_none(claims: dict[str, str]) -> None:
    response = with_claims(**claims).get("/api/orders")
    assert response.problem() == (403, "forbidden")


@pytest.mark.parametrize("setting", ["on", "", "OFF", "false", None])
def test_only_the_word_off_opens_the_routes(monkeypatch: pytest.MonkeyPatch, setting: str | None) -> None:
    if setting is None:
        monkeypatch.delenv("AUTH")
    else:
        monkeypatch.setenv("AUTH", setting)
    assert NOBODY.get("/api/orders").status == 401


def test_a_route_without_a_decision_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ROUTES["/api/orders"], "GET")
    event = api_event("GET", "/api/orders", None, {})
    event["routeKey"] = "GET /api/orders"
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"scope": " ".join(SCOPES)}}}
    assert load_function("orders").lambda_handler(event, lambda_context())["statusCode"] == 403


def test_what_no_route_matches_is_not_found_and_asks_for_no_token() -> None:
    assert NOBODY.get("/api/nowhere").problem() == (404, "route-not-found")
    assert NOBODY.call("PATCH", "/api/orders").problem() == (405, "method-not-allowed")


@pytest.mark.parametrize("route_key", [DEFAULT_ROUTE, "GET /api/products"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/orders"),
        ("get", "/api/orders"),
        ("GET", f"/api/orders/{UNKNOWN}\n"),
        ("GET", f"/api/orders/{UNKNOWN}/events"),
        ("Put", f"/api/orders/{UNKNOWN}/status"),
    ],
)
def test_another_route_s_key_opens_no_route(route_key: str, method: str, path: str) -> None:
    # What a handler does follows from method and path, and so does who may have it done.
    assert answered(route_key, method, path) == 401


@pytest.mark.parametrize(("route_key", "status"), [(DEFAULT_ROUTE, 404), ("GET /api/products", 401)])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/orders\n"),
        ("GET", f"/api/orders/{UNKNOWN}/events\n"),
        ("PUT", f"/api/orders/{UNKNOWN}/status\n"),
    ],
)
def test_a_line_break_behind_a_path_opens_no_route(route_key: str, status: int, method: str, path: str) -> None:
    assert answered(route_key, method, path) == status


def answered(route_key: str, method: str, path: str) -> int:
    """The status of what the orders function answers nobody, for a route that API Gateway took it for."""
    event = api_event("PUT", "/api/orders", b"{}", {"content-type": "application/json"})
    event |= {"routeKey": route_key, "rawPath": path}
    event["requestContext"]["http"] |= {"method": method, "path": path}
    status: int = load_function("orders").lambda_handler(event, lambda_context())["statusCode"]
    return status


ODD: list[Any] = [None, [], "x", 5, {}]
ODD_CONTEXTS = [
    *({"authorizer": odd} for odd in ODD),
    *({"authorizer": {"jwt": odd}} for odd in ODD),
    *({"authorizer": {"jwt": {"claims": odd}}} for odd in ODD),
]


@pytest.mark.parametrize("context", ODD_CONTEXTS, ids=str)
def test_an_authorizer_s_odd_context_is_no_token(context: dict[str, Any], tea: str) -> None:
    event = api_event("GET", "/api/orders", None, {})
    event["requestContext"] |= context
    assert load_function("orders").lambda_handler(event, lambda_context())["statusCode"] == 401
    order = holder(*SCOPES).order((tea, 1))
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    event = api_event("POST", "/api/payment-webhook", body, {"content-type": "application/json", **signed(body)})
    event["requestContext"] |= context
    assert load_function("webhook").lambda_handler(event, lambda_context())["statusCode"] == 200


@pytest.mark.parametrize(
    "subject",
    [None, "", "a" * 256, "a\0b", "a\nb", "\ud800", "payment-processor", "expire-orders", "anonymous", "unknown"],
)
def test_a_token_that_does_not_say_whose_it_is_opens_nothing(subject: str | None) -> None:
    claims = {"scope": " ".join(SCOPES)} | ({} if subject is None else {"sub": subject})
    nobody_in_particular = ApiClient(partial(over_handlers, claims=claims))
    for method, path, _ in GUARDED:
        assert request(nobody_in_particular, method, path).problem() == (403, "forbidden")


def test_a_customer_places_and_reads_their_own_orders(tea: str) -> None:
    own = customer(7)
    order = own.order((tea, 1), customer_id=7)
    assert expect(200, own.get(f"/api/orders/{order['id']}"))["customer_id"] == 7
    assert [one["cause"] for one in own.items(f"/api/orders/{order['id']}/events")] == ["placed"]


def test_another_customer_s_order_is_not_there(tea: str) -> None:
    order = customer(7).order((tea, 1), customer_id=7)
    for path in (f"/api/orders/{order['id']}", f"/api/orders/{order['id']}/events"):
        assert customer(8).get(path).problem() == (404, "order-not-found")


def test_a_customer_orders_for_nobody_else(tea: str) -> None:
    assert customer(7).place_order((tea, 1), customer_id=8).problem() == (403, "forbidden")
    assert customer(7).stock(tea) == 100


def test_a_customer_lists_their_own_orders_page_after_page(tea: str) -> None:
    orders = [customer(7).order((tea, 1), customer_id=7)["id"] for _ in range(3)]
    customer(8).order((tea, 1), customer_id=8)
    page = expect(200, customer(7).get(target("/api/orders", page_size=2)))
    assert (page["total"], [one["id"] for one in page["items"]]) == (3, orders[:0:-1])
    following = target("/api/orders", page_size=2, cursor=page["next_cursor"])
    assert [one["id"] for one in expect(200, customer(7).get(following))["items"]] == orders[:1]
    # The cursor is bound to the customer: neither the next one nor the shop goes on with it.
    assert customer(8).get(following).problem() == (400, "bad-cursor")
    assert holder("orders:read").get(following).problem() == (400, "bad-cursor")
    assert len(holder("orders:read").items("/api/orders")) == 4


def test_a_customer_may_name_themselves_in_the_filter_and_nobody_else(tea: str) -> None:
    customer(7).order((tea, 1), customer_id=7)
    assert len(customer(7).items("/api/orders", customer_id=7)) == 1
    assert customer(7).get("/api/orders?customer_id=8").problem() == (403, "forbidden")


@pytest.mark.parametrize(("method", "path", "needed"), [one for one in GUARDED if one[2] not in access.CUSTOMERS])
def test_a_customer_with_the_shop_s_scopes_is_still_a_customer(method: str, path: str, needed: str) -> None:
    assert request(holder(needed, customer_id="7"), method, path).problem() == (403, "forbidden")


@pytest.mark.parametrize("claim", ["", "0", "-7", "7.0", "2147483648", "9" * 5000, "٧", "[7 8]", "null", "7 "])
def test_a_customer_who_cannot_be_read_is_nobody(claim: str) -> None:
    unreadable = holder(*SCOPES, customer_id=claim)
    for method, path, _ in GUARDED:
        assert request(unreadable, method, path).problem() == (403, "forbidden")


def test_customers_may_choose_the_same_idempotency_key(tea: str) -> None:
    def place(customer_id: int) -> Response:
        body = {"customer_id": customer_id, "products": [{"product_id": tea, "quantity": 1}]}
        return customer(customer_id).call("POST", "/api/orders", body, {"idempotency-key": "1"})

    first, second, again = place(7), place(8), place(7)
    assert expect(201, first) == expect(201, again)
    assert expect(201, second)["customer_id"] == 8


def test_the_timeline_says_whose_token_it_was(tea: str) -> None:
    staff = holder(*SCOPES, sub="alice")
    order = staff.order((tea, 1))
    expect(200, staff.change_status(order["id"], "completed"))
    assert [one["actor"] for one in staff.items(f"/api/orders/{order['id']}/events")] == ["alice", "alice"]
