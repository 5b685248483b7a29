"""The SQL functions of products."""

from pg8000.native import Connection

from tests.api_client import ApiClient
from tests.integration.calls.function import Flow, Page, Rows, SqlFunction
from tests.integration.calls.requests import Request, post, summarize
from tests.integration.races import Call


def create_product(api: ApiClient, _: Connection) -> Request:
    return post(api, "/api/products", {"name": "Tea", "price": "4.50", "quantity": 10})


def _update_product(api: ApiClient, _: Connection) -> Request:
    return _put_product(api, _product_path(api))


def _update_product_as_read(api: ApiClient, _: Connection) -> Request:
    path = _product_path(api)
    return _put_product(api, path, {"if-match": api.get(path).headers["etag"]})


def _delete_product(api: ApiClient, _: Connection) -> Request:
    path = _product_path(api)
    return lambda: summarize(api.call("DELETE", path))


def _adjust_stock(api: ApiClient, _: Connection) -> Request:
    return post(api, f"{_product_path(api)}/stock-adjustments", {"delta": -3, "reason": "broken"})


def _put_product(api: ApiClient, path: str, headers: dict[str, str] | None = None) -> Request:
    return lambda: summarize(api.call("PUT", path, {"price": "5.00", "quantity": 7}, headers))


def _product_path(api: ApiClient) -> str:
    return f"/api/products/{api.create_product()['id']}"


def _pages(_: Rows) -> list[Page]:
    return [
        Page({"sort": direction + sort, "page": 3}, f"products_by_{sort}", "products", (key, "id"))
        for sort, key in (("created_at", "created_at"), ("name", "folded_name"), ("price", "price"))
        for direction in ("", "-")
    ]


_UPDATED = ("+ Tea: 7 at 5.00", "+ adjustment -3", "- Tea: 10 at 4.50")

PRODUCTS = {
    "create_product": SqlFunction(
        lambda _: [Call("create_product", {"name": "Tea", "price": "4.50", "quantity": 10})],
        is_repeatable=True,
        flows=(
            Flow(
                "create product",
                create_product,
                response="201",
                changes=("+ Tea: 10 at 4.50", "+ key create_product", "+ opening 10"),
                response_again="201 replayed",
            ),
        ),
    ),
    "get_product": SqlFunction(
        lambda rows: [Call("get_product", {"id": rows.product})],
        paths=("/api/products/{product}",),
    ),
    "list_products": SqlFunction(
        lambda _: [Call("list_products", {"page": 1, "page_size": 20, "sort": "-created_at"})],
        paths=("/api/products",),
        pages=_pages,
    ),
    "list_stock_movements": SqlFunction(
        lambda rows: [Call("list_stock_movements", {"page_size": 20, "id": rows.product})],
        paths=("/api/products/{product}/stock-movements",),
        pages=lambda rows: [Page({"id": rows.product}, "stock_movements_pkey", "stock_movements", ("id",))],
    ),
    "update_product": SqlFunction(
        lambda rows: [Call("update_product", {"id": rows.product, "changes": {"quantity": 7, "name": "Coffee"}})],
        flows=(
            Flow("update product", _update_product, response="200", changes=_UPDATED, response_again="200"),
            Flow(
                "update product with if-match",
                _update_product_as_read,
                response="200",
                changes=_UPDATED,
                response_again="412 stale-etag",
            ),
        ),
    ),
    "delete_product": SqlFunction(
        lambda rows: [Call("delete_product", {"id": rows.product})],
        flows=(
            Flow(
                "delete product",
                _delete_product,
                response="204",
                changes=("+ Tea: 10 at 4.50, deleted", "- Tea: 10 at 4.50"),
                response_again="404 product-not-found",
            ),
        ),
    ),
    "adjust_stock": SqlFunction(
        lambda rows: [Call("adjust_stock", {"id": rows.product, "delta": 1, "reason": "counted"})],
        is_repeatable=True,
        flows=(
            Flow(
                "adjust stock",
                _adjust_stock,
                response="201",
                changes=("+ Tea: 7 at 4.50", "+ adjustment -3", "+ key adjust_stock", "- Tea: 10 at 4.50"),
                response_again="201 replayed",
            ),
        ),
    ),
}
