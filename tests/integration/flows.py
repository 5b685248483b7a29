"""Every request that writes, with its response and its changes. Payment events are in payment_flows.py."""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pg8000.native import Connection

from storefront.errors import Unavailable
from tests.api_client import ApiClient, Response, lambda_context, load_function

Request = Callable[[], str]
"""Sends the same request each time, and returns a summary of the response."""

Prepare = Callable[[ApiClient, Connection], Request]

Changes = tuple[str, ...]
"""The rows that were added (+) or removed (-), as text."""

UNAVAILABLE = "503 unavailable, retry after 2"
RAISED = "Unavailable raised"


@dataclass(frozen=True)
class Flow:
    """A request that writes, with its response and changes: the first time, and when it is sent again.

    Some functions run more statements than the one that writes.
    """

    name: str
    prepare: Prepare
    response: str
    changes: Changes
    response_again: str
    changes_again: Changes = ()
    failure: str = UNAVAILABLE
    statements: int = 1
    writing_statement: int = 1


def snapshot(database: Connection) -> Counter[str]:
    """All rows as text, without IDs, so that the runs of a flow can be compared."""
    rows = database.run("""
        SELECT concat(name, ': ', quantity, ' at ', price, CASE WHEN deleted_at IS NOT NULL THEN ', deleted' END)
          FROM products
        UNION ALL SELECT format('%s %s', kind, delta) FROM stock_movements
        UNION ALL SELECT format('order of %s, %s, %s',
                                (SELECT string_agg(format('%s %s', quantity, product_name), ', ')
                                   FROM order_items WHERE order_id = o.id), o.status, o.payment_status)
          FROM orders o
        UNION ALL SELECT concat_ws(' ', 'event', cause, outcome) FROM order_events
        UNION ALL SELECT format('key %s', operation) FROM idempotency_keys
        UNION ALL SELECT concat_ws(' ', 'inbox', payment_status, outcome, attempts) FROM payment_events
    """)
    return Counter(line for [line] in rows or [])


def changes(before: Counter[str], after: Counter[str]) -> Changes:
    gone, new = (before - after).elements(), (after - before).elements()
    return tuple(sorted([*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)]))


def summarize(response: Response) -> str:
    if response.status < 400:
        return (
            f"{response.status} replayed"
            if response.headers.get("idempotent-replayed") == "true"
            else f"{response.status}"
        )
    status, kind = response.problem()
    return f"{status} {kind}" + (f", retry after {response.headers['retry-after']}" if status == 503 else "")


def _create_product(api: ApiClient, _: Connection) -> Request:
    return _post(api, "/api/products", {"name": "Tea", "price": "4.50", "quantity": 10})


def _update_product(api: ApiClient, _: Connection) -> Request:
    return _put_product(api, _product_path(api))


def _update_product_as_read(api: ApiClient, _: Connection) -> Request:
    path = _product_path(api)
    return _put_product(api, path, {"if-match": api.get(path).headers["etag"]})


def _delete_product(api: ApiClient, _: Connection) -> Request:
    path = _product_path(api)
    return lambda: summarize(api.call("DELETE", path))


def _adjust_stock(api: ApiClient, _: Connection) -> Request:
    return _post(api, f"{_product_path(api)}/stock-adjustments", {"delta": -3, "reason": "broken"})


def _place_order(api: ApiClient, _: Connection) -> Request:
    return _post(api, "/api/orders", _new_order(api))


def _place_order_without_key(api: ApiClient, _: Connection) -> Request:
    order = _new_order(api)
    return lambda: summarize(api.call("POST", "/api/orders", order))


def _change_status(status: str) -> Prepare:
    def prepare(api: ApiClient, _: Connection) -> Request:
        order_id = new_order_id(api)
        return lambda: summarize(api.change_status(order_id, status))

    return prepare


def _expire_order(api: ApiClient, database: Connection) -> Request:
    database.run("UPDATE orders SET created_at = created_at - interval '2 days' WHERE id = :id", id=new_order_id(api))
    return _run_expiry


def _sweep_key(api: ApiClient, database: Connection) -> Request:
    _create_product(api, database)()
    database.run(
        "UPDATE idempotency_keys SET created_at = created_at - idempotency_key_lifetime()"
        " WHERE created_at = (SELECT max(created_at) FROM idempotency_keys)"
    )
    return _run_expiry


def _run_expiry() -> str:
    try:
        response = load_function("expire_orders").lambda_handler({}, lambda_context())
    except Unavailable:
        return RAISED
    return "{expired} expired, {swept} swept".format(**response)


def _post(api: ApiClient, path: str, body: object) -> Request:
    headers = {"idempotency-key": str(uuid.uuid4())}
    return lambda: summarize(api.call("POST", path, body, headers))


def _put_product(api: ApiClient, path: str, headers: dict[str, str] | None = None) -> Request:
    return lambda: summarize(api.call("PUT", path, {"price": "5.00", "quantity": 7}, headers))


def _product_path(api: ApiClient) -> str:
    return f"/api/products/{api.create_product()['id']}"


def _new_order(api: ApiClient) -> object:
    return {"customer_id": 1, "products": [{"product_id": api.create_product()["id"], "quantity": 3}]}


def new_order_id(api: ApiClient) -> str:
    order_id: str = api.order((api.create_product()["id"], 3))["id"]
    return order_id


_UPDATED = ("+ Tea: 7 at 5.00", "+ adjustment -3", "- Tea: 10 at 4.50")
_PLACED = ("+ Tea: 7 at 4.50", "+ event placed", "+ order of 3 Tea, pending, unpaid", "+ sale -3", "- Tea: 10 at 4.50")
WAS_PENDING = "- order of 3 Tea, pending, unpaid"
_CANCELED = ("+ order of 3 Tea, canceled, unpaid", "+ restock 3", "- Tea: 7 at 4.50", WAS_PENDING)


FLOWS = [
    Flow(
        "create product",
        _create_product,
        response="201",
        changes=("+ Tea: 10 at 4.50", "+ key create_product", "+ opening 10"),
        response_again="201 replayed",
    ),
    Flow("update product", _update_product, response="200", changes=_UPDATED, response_again="200"),
    Flow(
        "update product with if-match",
        _update_product_as_read,
        response="200",
        changes=_UPDATED,
        response_again="412 stale-etag",
    ),
    Flow(
        "delete product",
        _delete_product,
        response="204",
        changes=("+ Tea: 10 at 4.50, deleted", "- Tea: 10 at 4.50"),
        response_again="404 product-not-found",
    ),
    Flow(
        "adjust stock",
        _adjust_stock,
        response="201",
        changes=("+ Tea: 7 at 4.50", "+ adjustment -3", "+ key adjust_stock", "- Tea: 10 at 4.50"),
        response_again="201 replayed",
    ),
    Flow(
        "place order",
        _place_order,
        response="201",
        changes=tuple(sorted((*_PLACED, "+ key place_order"))),
        response_again="201 replayed",
    ),
    Flow(
        "place order without key",
        _place_order_without_key,
        response="201",
        changes=_PLACED,
        # Without a key, this is a second order.
        response_again="201",
        changes_again=(
            "+ Tea: 4 at 4.50",
            "+ event placed",
            "+ order of 3 Tea, pending, unpaid",
            "+ sale -3",
            "- Tea: 7 at 4.50",
        ),
    ),
    Flow(
        "cancel order",
        _change_status("canceled"),
        response="200",
        changes=("+ Tea: 10 at 4.50", "+ event status_change", *_CANCELED),
        response_again="400 invalid-transition",
    ),
    Flow(
        "complete order",
        _change_status("completed"),
        response="200",
        changes=("+ event status_change", "+ order of 3 Tea, completed, unpaid", WAS_PENDING),
        response_again="400 invalid-transition",
    ),
    Flow(
        "expire order",
        _expire_order,
        response="1 expired, 0 swept",
        changes=("+ Tea: 10 at 4.50", "+ event expiry", *_CANCELED),
        response_again="0 expired, 0 swept",
        failure=RAISED,
        statements=2,
        writing_statement=2,
    ),
    Flow(
        "sweep key",
        _sweep_key,
        response="0 expired, 1 swept",
        changes=("- key create_product",),
        response_again="0 expired, 0 swept",
        failure=RAISED,
        statements=2,
    ),
]
