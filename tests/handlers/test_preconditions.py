"""Each route checks the conditions of a request, or refuses it with 412 (RFC 9110, section 13.1)."""

from typing import Any

import pytest

from storefront.routes import ROUTES, STATIC, Access
from tests.api_client import UNKNOWN, ApiClient, Response, expect, signed
from tests.handlers.inbox import only_event
from tests.integration.races import Call, change_status, pay, two_at_once

OTHER = '"another"'
LONG_AGO = "Sat, 29 Oct 1994 19:43:31 GMT"

ROUTE_KEYS = [
    (method, path)
    for path, methods in ROUTES.items()
    for method, access in methods.items()
    if access is not Access.SIGNATURE and path not in STATIC
]
READS = [(method, path) for method, path in ROUTE_KEYS if method == "GET"]
WRITES = [(method, path) for method, path in ROUTE_KEYS if method != "GET"]


class Shop:
    """A product, an order and a payment event, with a valid request for each route."""

    def __init__(self, api: ApiClient) -> None:
        self.api = api
        self.product_id: str = api.create_product()["id"]
        self.order_id: str = api.order((self.product_id, 1))["id"]
        expect(404, api.pay(UNKNOWN))
        self.inbox_id: str = only_event(api)["id"]

    def product(self) -> str:
        return f"/api/products/{self.product_id}"

    def order(self) -> str:
        return f"/api/orders/{self.order_id}"

    def call(self, method: str, path: str, headers: dict[str, str]) -> Response:
        ids = {
            "products": self.product_id,
            "orders": self.order_id,
            "payment-events": self.inbox_id,
            "reconciliation": self.inbox_id,
            "refunds": UNKNOWN,
        }
        id_ = ids.get(path.removeprefix("/api/").partition("/")[0], "")
        line_item = {"product_id": self.product_id, "quantity": 1}
        body: Any = {
            ("POST", "/api/products"): {"name": "Tea", "price": 1, "quantity": 1},
            ("PUT", "/api/products/{id}"): {"price": 2},
            ("POST", "/api/products/{id}/stock-adjustments"): {"delta": 1, "reason": "found"},
            ("POST", "/api/orders"): {"customer_id": 1, "products": [line_item]},
            ("PUT", "/api/orders/{id}/status"): {"status": "completed"},
            ("POST", "/api/orders/{id}/refunds"): {"amount": 1},
            ("PUT", "/api/refunds/{id}/status"): {"status": "canceled"},
            ("POST", "/api/reconciliation/{kind}/{id}/acknowledgement"): {"note": "Another shop's order."},
        }.get((method, path))
        url = path.replace("{id}", id_).replace("{kind}", "event_without_order")
        return self.api.call(method, url, body, headers)

    def etag(self, path: str) -> str:
        return self.api.get(path).headers["etag"]

    def adjust(self, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", "/api/products/{id}/stock-adjustments", named)

    def complete(self, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("PUT", "/api/orders/{id}/status", named)

    def state(self) -> list[str]:
        return [self.api.get(path).text for path in (self.product(), self.order(), "/api/products", "/api/orders")]


@pytest.fixture
def shop(api: ApiClient) -> Shop:
    return Shop(api)


def assert_412_without_a_change(shop: Shop, method: str, path: str, headers: dict[str, str]) -> None:
    before = shop.state()
    status, kind = shop.call(method, path, headers).problem()
    assert (status, kind in ("stale-etag", "precondition-not-supported")) == (412, True)
    assert shop.state() == before


@pytest.mark.parametrize(("method", "path"), ROUTE_KEYS)
@pytest.mark.parametrize("stale", [OTHER, "", "x"])
def test_every_route_honors_if_match(shop: Shop, method: str, path: str, stale: str) -> None:
    assert_412_without_a_change(shop, method, path, {"If-Match": stale})


@pytest.mark.parametrize(("method", "path"), ROUTE_KEYS)
def test_no_route_ignores_if_unmodified_since(shop: Shop, method: str, path: str) -> None:
    assert_412_without_a_change(shop, method, path, {"If-Unmodified-Since": LONG_AGO})


def test_if_unmodified_since_does_not_matter_where_if_match_is_checked(shop: Shop) -> None:
    # RFC 9110, section 13.1.4.
    for path, change in ((shop.product(), shop.adjust), (shop.order(), shop.complete)):
        assert change(if_match=OTHER, if_unmodified_since=LONG_AGO).problem() == (412, "stale-etag")
        assert change(if_match=shop.etag(path), if_unmodified_since=LONG_AGO).status in (200, 201)
        headers = {"If-Match": shop.etag(path), "If-Unmodified-Since": LONG_AGO}
        assert shop.api.call("GET", path, headers=headers).status == 200


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("header", ["*", OTHER])
def test_no_write_ignores_if_none_match(shop: Shop, method: str, path: str, header: str) -> None:
    assert_412_without_a_change(shop, method, path, {"If-None-Match": header})


@pytest.mark.parametrize(("method", "path"), READS)
def test_a_read_without_a_matching_etag_returns_everything(shop: Shop, method: str, path: str) -> None:
    headers = {"If-None-Match": OTHER, "If-Modified-Since": LONG_AGO}
    assert shop.call(method, path, headers).status in (200, 302)


def test_a_condition_that_a_route_cannot_check_is_named(shop: Shop) -> None:
    problem = shop.call("POST", "/api/orders", {"If-Match": OTHER}).json
    assert problem["detail"] == "This route cannot check If-Match. Nothing was changed. Send the request without it."


@pytest.mark.parametrize(("path", "status"), [("/api/orders", 405), ("/api/orders/7", 405), ("/api/nowhere", 404)])
def test_an_unmatched_request_with_a_condition_returns_404_or_405(api: ApiClient, path: str, status: int) -> None:
    assert api.call("PATCH", path, None, {"If-Match": OTHER, "If-None-Match": OTHER}).status == status


def test_the_webhook_keeps_an_event_whatever_it_demands(shop: Shop) -> None:
    event = b'{"order_id": "%s", "payment_status": "paid"}' % shop.order_id.encode()
    conditions = {"If-Match": OTHER, "If-None-Match": "*", "If-Unmodified-Since": LONG_AGO}
    response = shop.api.call("POST", "/api/payment-webhook", event, {**signed(event), **conditions})
    assert expect(200, response)["outcome"] == "applied"


def test_every_response_with_an_order_has_its_strong_etag(shop: Shop) -> None:
    placed = shop.call("POST", "/api/orders", {})
    assert placed.headers["etag"] == shop.etag(placed.headers["location"])
    assert placed.headers["etag"].startswith('"')
    completed = shop.complete()
    assert completed.headers["etag"] == shop.etag(shop.order())


@pytest.mark.parametrize("header", ["{}", "W/{}", '"other", {}', "*"])
def test_an_order_that_has_not_changed_returns_304(shop: Shop, header: str) -> None:
    current = shop.etag(shop.order())
    response = shop.api.call("GET", shop.order(), headers={"If-None-Match": header.format(current)})
    assert (response.status, response.text, response.headers["etag"]) == (304, "", current)


def test_a_payment_changes_the_etag_of_its_order(shop: Shop) -> None:
    before = shop.etag(shop.order())
    expect(200, shop.api.pay(shop.order_id))
    assert shop.etag(shop.order()) != before
    assert shop.complete(if_match=before).problem() == (412, "stale-etag")


def test_a_current_etag_or_a_star_lets_a_change_through(shop: Shop) -> None:
    expect(201, shop.adjust(if_match=shop.etag(shop.product())))
    expect(201, shop.adjust(if_match="*"))
    expect(200, shop.complete(if_match=f"{OTHER}, {shop.etag(shop.order())}"))
    for path in (shop.product(), shop.order()):
        assert shop.api.call("GET", path, headers={"If-Match": shop.etag(path)}).status == 200
        assert shop.api.call("GET", path, headers={"If-Match": "*"}).status == 200


def test_a_stale_etag_is_reported_before_an_impossible_transition(shop: Shop) -> None:
    before = shop.etag(shop.order())
    expect(200, shop.complete())
    assert shop.complete(if_match=before).problem() == (412, "stale-etag")
    assert shop.complete(if_match=shop.etag(shop.order())).problem() == (400, "invalid-transition")


@pytest.mark.parametrize("header", ["*", OTHER])
def test_a_condition_on_something_that_does_not_exist_returns_404(shop: Shop, header: str) -> None:
    shop.product_id = shop.order_id = UNKNOWN
    assert shop.adjust(if_match=header).status == 404
    assert shop.complete(if_match=header).status == 404
    assert shop.call("GET", "/api/orders/{id}", {"If-Match": header}).status == 404


def test_a_retry_returns_the_first_response_although_its_etag_is_stale_by_then(shop: Shop) -> None:
    headers = {"if_match": shop.etag(shop.product()), "idempotency_key": "k"}
    first, again = shop.adjust(**headers), shop.adjust(**headers)
    assert (first.status, again.status, again.text) == (201, 201, first.text)
    assert again.headers["idempotent-replayed"] == "true"
    # A condition is not part of the content.
    assert shop.adjust(idempotency_key="k").text == first.text
    assert shop.api.stock(shop.product_id) == 10


def test_a_key_of_a_refused_adjustment_can_be_used_with_the_current_etag(shop: Shop) -> None:
    assert shop.adjust(if_match=OTHER, idempotency_key="k").problem() == (412, "stale-etag")
    assert shop.adjust(if_match=shop.etag(shop.product()), idempotency_key="k").status == 201


@pytest.mark.parametrize("statuses", [("completed", "canceled"), ("canceled", "completed"), ("canceled", "canceled")])
def test_one_of_two_concurrent_status_changes_with_the_same_etag_succeeds(
    shop: Shop, database_url: str, statuses: tuple[str, str]
) -> None:
    condition = {"if_match": [shop.etag(shop.order()).strip('"')]}
    calls = [
        Call("change_order_status", {**change_status(shop.order_id, one).request, **condition}) for one in statuses
    ]
    assert two_at_once(database_url, *calls) == ("changed", "stale")
    assert expect(200, shop.api.get(shop.order()))["status"] == statuses[0]


def test_one_of_two_concurrent_adjustments_with_the_same_etag_succeeds(shop: Shop, database_url: str) -> None:
    condition = {"id": shop.product_id, "if_match": [shop.etag(shop.product()).strip('"')]}
    calls = [Call("adjust_stock", {**condition, "delta": delta, "reason": "found"}) for delta in (1, 2)]
    assert two_at_once(database_url, *calls) == ("adjusted", "stale")
    assert shop.api.stock(shop.product_id) == 10


def test_an_order_paid_at_the_same_time_is_not_canceled_with_the_etag_of_before(shop: Shop, database_url: str) -> None:
    condition = {"if_match": [shop.etag(shop.order()).strip('"')]}
    cancel = Call("change_order_status", {**change_status(shop.order_id, "canceled").request, **condition})
    assert two_at_once(database_url, pay(shop.order_id, "paid"), cancel) == ("applied", "stale")
