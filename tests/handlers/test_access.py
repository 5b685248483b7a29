"""Routes that require a scope, and what a customer's token allows."""

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
from tests.handlers.tokens import (
    CUSTOMER_SCOPES,
    SCOPES,
    WITHOUT_TOKEN,
    client_with_scopes,
    customer_client,
    with_claims,
)

GUARDED = [
    (method, path, needed)
    for path, methods in ROUTES.items()
    for method, needed in methods.items()
    if needed not in access.OPEN
]


@pytest.fixture(autouse=True)
def _require_tokens(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  it sets AUTH first
    monkeypatch.setenv("AUTH", "on")


@pytest.fixture
def tea() -> str:
    """The ID of a product."""
    product_id: str = client_with_scopes("catalog:write").create_product(quantity=100)["id"]
    return product_id


def request(api: ApiClient, method: str, path: str) -> Response:
    """Send an empty request for an unknown ID. A client that has access gets 404 or 422, if not 200."""
    return api.call(method, path.replace("{id}", UNKNOWN), None if method in ("GET", "DELETE") else {})


@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
def test_a_guarded_route_without_a_token_returns_401(method: str, path: str, needed: str) -> None:
    assert needed
    response = request(WITHOUT_TOKEN, method, path)
    assert response.problem() == (401, "token-missing")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
def test_a_guarded_route_with_every_other_scope_returns_403(method: str, path: str, needed: str) -> None:
    response = request(client_with_scopes(*(scope for scope in SCOPES if scope != needed)), method, path)
    assert response.problem() == (403, "forbidden")
    assert response.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{needed}"'


@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
def test_a_guarded_route_accepts_its_scope(method: str, path: str, needed: str) -> None:
    assert request(client_with_scopes(needed), method, path).status in (200, 404, 422)


@pytest.mark.parametrize("path", [path for path, methods in ROUTES.items() if methods.get("GET") == Access.ANYONE])
def test_public_routes_need_no_token(path: str) -> None:
    assert request(WITHOUT_TOKEN, "GET", path).status in (200, 302, 404)


def test_the_webhook_needs_a_signature_and_no_token() -> None:
    assert request(WITHOUT_TOKEN, "POST", "/api/payment-webhook").problem() == (401, "unauthenticated")
    assert WITHOUT_TOKEN.pay(UNKNOWN).problem() == (404, "order-not-found")


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": "openid storefront/orders:read storefront/orders:all"},
        {"scope": "", "scp": "[orders:read orders:all]"},
        {"scp": "[orders:all orders:read]"},
        {"scp": "orders:read orders:all"},
    ],
)
def test_scopes_are_read_in_the_formats_of_token_issuers(claims: dict[str, str]) -> None:
    expect(200, with_claims(**claims).get("/api/orders"))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"scope": "orders:all"},
        {"scope": "orders:all orders:readonly"},
        {"scope": "orders:all orders"},
        {"scope": "orders:all other/orders:read"},
        {"scope": "orders:all ORDERS:READ"},
        {"scope": "orders:all orders:read,orders:write"},
        {"scope": "orders:all anyone signature None"},
        {"scope": "orders:all x\u00a0orders:read"},
        {"scope": "orders:all x\x1corders:read"},
        {"scopes": "orders:all orders:read"},
    ],
)
def test_a_similar_scope_gives_no_access(claims: dict[str, str]) -> None:
    response = with_claims(**claims).get("/api/orders")
    assert response.problem() == (403, "forbidden")


@pytest.mark.parametrize("setting", ["on", "", "OFF", "false", None])
def test_only_auth_off_disables_the_tokens(monkeypatch: pytest.MonkeyPatch, setting: str | None) -> None:
    if setting is None:
        monkeypatch.delenv("AUTH")
    else:
        monkeypatch.setenv("AUTH", setting)
    assert WITHOUT_TOKEN.get("/api/orders").status == 401


def test_a_route_without_an_access_rule_returns_403(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ROUTES["/api/orders"], "GET")
    event = api_event("GET", "/api/orders", None, {})
    event["routeKey"] = "GET /api/orders"
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"scope": " ".join([*SCOPES, "orders:all"])}}}
    assert load_function("orders").lambda_handler(event, lambda_context())["statusCode"] == 403


def test_an_unknown_route_needs_no_token() -> None:
    assert WITHOUT_TOKEN.get("/api/nowhere").problem() == (404, "route-not-found")
    assert WITHOUT_TOKEN.call("PATCH", "/api/orders").problem() == (405, "method-not-allowed")


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
def test_the_key_of_another_route_gives_no_access(route_key: str, method: str, path: str) -> None:
    # The access check uses the method and the path, as the handler does, and not the route key.
    assert status_without_token(route_key, method, path) == 401


@pytest.mark.parametrize(("route_key", "status"), [(DEFAULT_ROUTE, 404), ("GET /api/products", 401)])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/orders\n"),
        ("GET", f"/api/orders/{UNKNOWN}/events\n"),
        ("PUT", f"/api/orders/{UNKNOWN}/status\n"),
    ],
)
def test_a_line_break_after_a_path_gives_no_access(route_key: str, status: int, method: str, path: str) -> None:
    assert status_without_token(route_key, method, path) == status


def status_without_token(route_key: str, method: str, path: str) -> int:
    """The status code of the orders function without a token, when API Gateway sends this route key."""
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
def test_a_malformed_authorizer_context_counts_as_no_token(context: dict[str, Any], tea: str) -> None:
    event = api_event("GET", "/api/orders", None, {})
    event["requestContext"] |= context
    assert load_function("orders").lambda_handler(event, lambda_context())["statusCode"] == 401
    order = client_with_scopes(*SCOPES).order((tea, 1))
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    event = api_event("POST", "/api/payment-webhook", body, {"content-type": "application/json", **signed(body)})
    event["requestContext"] |= context
    assert load_function("webhook").lambda_handler(event, lambda_context())["statusCode"] == 200


@pytest.mark.parametrize(
    "subject",
    [
        *(None, "", "a" * 256, "a\0b", "a\nb", "\ud800"),
        *("payment-processor", "expire-orders", "anonymous", "import", "sample-data"),
    ],
    ids=[
        *("missing", "empty", "too long", "a NUL", "a line feed", "a lone surrogate"),
        *("payment-processor", "expire-orders", "anonymous", "import", "sample-data"),
    ],
)
def test_a_token_without_a_valid_subject_returns_403(subject: str | None) -> None:
    claims = {"scope": " ".join([*SCOPES, "orders:all"])} | ({} if subject is None else {"sub": subject})
    client = ApiClient(partial(over_handlers, claims=claims))
    for method, path, _ in GUARDED:
        assert request(client, method, path).problem() == (403, "forbidden")


def test_a_customer_can_place_and_read_their_own_orders(tea: str) -> None:
    own = customer_client(7)
    order = own.order((tea, 1), customer_id=7)
    assert expect(200, own.get(f"/api/orders/{order['id']}"))["customer_id"] == 7
    assert [one["cause"] for one in own.items(f"/api/orders/{order['id']}/events")] == ["placed"]


def test_the_order_of_another_customer_returns_404(tea: str) -> None:
    order = customer_client(7).order((tea, 1), customer_id=7)
    for path in (f"/api/orders/{order['id']}", f"/api/orders/{order['id']}/events"):
        assert customer_client(8).get(path).problem() == (404, "order-not-found")


def test_a_customer_cannot_order_for_another_customer(tea: str) -> None:
    assert customer_client(7).place_order((tea, 1), customer_id=8).problem() == (403, "forbidden")
    assert customer_client(7).stock(tea) == 100


def test_a_customer_lists_only_their_own_orders(tea: str) -> None:
    orders = [customer_client(7).order((tea, 1), customer_id=7)["id"] for _ in range(3)]
    customer_client(8).order((tea, 1), customer_id=8)
    page = expect(200, customer_client(7).get(target("/api/orders", page_size=2)))
    assert (page["total"], [one["id"] for one in page["items"]]) == (3, orders[:0:-1])
    following = target("/api/orders", page_size=2, cursor=page["next_cursor"])
    assert [one["id"] for one in expect(200, customer_client(7).get(following))["items"]] == orders[:1]
    # A cursor is bound to its customer. Neither another customer nor the shop can use it.
    assert customer_client(8).get(following).problem() == (400, "bad-cursor")
    assert client_with_scopes("orders:read").get(following).problem() == (400, "bad-cursor")
    assert len(client_with_scopes("orders:read").items("/api/orders")) == 4


def test_a_customer_can_filter_only_by_their_own_id(tea: str) -> None:
    customer_client(7).order((tea, 1), customer_id=7)
    assert len(customer_client(7).items("/api/orders", customer_id=7)) == 1
    assert customer_client(7).get("/api/orders?customer_id=8").problem() == (403, "forbidden")


@pytest.mark.parametrize(("method", "path", "needed"), [one for one in GUARDED if one[2] not in CUSTOMER_SCOPES])
def test_a_customer_with_a_shop_scope_gets_403(method: str, path: str, needed: str) -> None:
    assert request(client_with_scopes(needed, customer_id="7"), method, path).problem() == (403, "forbidden")


@pytest.mark.parametrize("claim", ["", "0", "-7", "7.0", "2147483648", "9" * 5000, "٧", "[7 8]", "null", "7 "])
def test_an_invalid_customer_id_claim_returns_403(claim: str) -> None:
    client = client_with_scopes(*SCOPES, customer_id=claim)
    for method, path, _ in GUARDED:
        assert request(client, method, path).problem() == (403, "forbidden")


OF_NOBODY: list[dict[str, str]] = [
    {},
    {"custom:customer_id": "7"},
    {"customerId": "7"},
    {"https://shop.example/customer_id": "7"},
    {"Customer_id": "7"},
]


@pytest.mark.parametrize("claims", OF_NOBODY, ids=str)
@pytest.mark.parametrize(("method", "path", "needed"), GUARDED)
def test_a_token_of_neither_the_shop_nor_a_customer_opens_only_the_catalog(
    method: str, path: str, needed: str, claims: dict[str, str]
) -> None:
    response = request(with_claims(scope=" ".join(SCOPES), **claims), method, path)
    if needed == "catalog:write":
        assert response.status in (200, 404, 422)
    else:
        assert response.problem() == (403, "forbidden")
        assert "neither" in response.json["detail"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/orders"), ("PUT", "/api/orders/{id}/status")])
def test_a_token_of_both_the_shop_and_a_customer_returns_403(method: str, path: str) -> None:
    response = request(client_with_scopes(*CUSTOMER_SCOPES, "orders:all", customer_id="7"), method, path)
    assert response.problem() == (403, "forbidden")
    assert "both" in response.json["detail"]


def test_a_deployment_can_name_the_claim_of_customers(monkeypatch: pytest.MonkeyPatch, tea: str) -> None:
    monkeypatch.setenv("CUSTOMER_CLAIM", "custom:customer_id")
    customer = client_with_scopes(*CUSTOMER_SCOPES, **{"customer_id": "", "custom:customer_id": "7"})
    order = customer.order((tea, 1), customer_id=7)
    assert customer.items(f"/api/orders/{order['id']}/events")[0]["actor"] == "customer"
    assert customer.place_order((tea, 1), customer_id=8).problem() == (403, "forbidden")
    assert customer_client(7).get("/api/orders").problem() == (403, "forbidden")


@pytest.mark.parametrize(
    ("setting", "claims", "status"),
    [
        # A claim without a value would also accept "false".
        ("shop", {"shop": "yes"}, 403),
        ("shop=", {"shop": ""}, 403),
        ("role=staff", {"role": "staff"}, 200),
        ("role=staff", {"role": "buyer"}, 403),
        ("role=staff", {"role=staff": "staff"}, 403),
        ("https://shop.example/role=staff", {"https://shop.example/role": "staff"}, 200),
        ("", {"": ""}, 403),
    ],
)
def test_a_deployment_can_name_a_claim_of_the_shop(
    monkeypatch: pytest.MonkeyPatch, setting: str, claims: dict[str, str], status: int
) -> None:
    monkeypatch.setenv("SHOP_CLAIM", setting)
    assert with_claims(scope="orders:read", **claims).get("/api/orders").status == status


def test_two_customers_can_use_the_same_idempotency_key(tea: str) -> None:
    def place(customer_id: int) -> Response:
        body = {"customer_id": customer_id, "products": [{"product_id": tea, "quantity": 1}]}
        return customer_client(customer_id).call("POST", "/api/orders", body, {"idempotency-key": "1"})

    first, second, again = place(7), place(8), place(7)
    assert expect(201, first) == expect(201, again)
    assert expect(201, second)["customer_id"] == 8


def test_the_timeline_names_the_subject_of_the_token(tea: str) -> None:
    staff = client_with_scopes(*SCOPES, sub="alice")
    order = staff.order((tea, 1))
    expect(200, staff.change_status(order["id"], "completed"))
    assert [one["actor"] for one in staff.items(f"/api/orders/{order['id']}/events")] == ["alice", "alice"]
