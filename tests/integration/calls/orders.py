"""The SQL functions of orders."""

import uuid
from random import randint
from typing import Any

from pg8000.native import Connection

from tests.api_client import ApiClient
from tests.integration.calls.function import Flow, Page, Rows, SqlFunction
from tests.integration.calls.requests import (
    Prepare,
    Request,
    new_order,
    new_order_id,
    new_paid_order,
    run_expiry,
    summarize,
)
from tests.integration.races import Call, add_note, change_status, erase, expire, in_full, place


def _place_order_without_key(api: ApiClient, _: Connection) -> Request:
    order = new_order(api)
    return lambda: summarize(api.call("POST", "/api/orders", order))


def _place_order_in_full(api: ApiClient, _: Connection) -> Request:
    order = {**new_order(api), **in_full(f"SO-{uuid.uuid4()}")}
    return lambda: summarize(api.call("POST", "/api/orders", order))


def _change_status(status: str) -> Prepare:
    def prepare(api: ApiClient, _: Connection) -> Request:
        order_id = new_order_id(api)
        return lambda: summarize(api.change_status(order_id, status))

    return prepare


def _cancel_with_refund(api: ApiClient, _: Connection) -> Request:
    path = f"/api/orders/{new_paid_order(api).order_id}/status"
    return lambda: summarize(api.call("PUT", path, {"status": "canceled", "refund": True}))


def _expire_order(api: ApiClient, database: Connection) -> Request:
    database.run("UPDATE orders SET expires_at = expires_at - interval '2 days' WHERE id = :id", id=new_order_id(api))
    return run_expiry


def _add_note_without_key(api: ApiClient, _: Connection) -> Request:
    path = f"/api/orders/{new_order_id(api)}/notes"
    return lambda: summarize(api.call("POST", path, {"text": "called"}))


def _erase(api: ApiClient, _: Connection) -> Request:
    """Erase a new customer's order, with a note and a payment event."""
    customer_id = randint(1_000_000, 2_000_000_000)
    body = {"customer_id": customer_id, "products": new_order(api)["products"], "email": "ada@example.com"}
    order_id = api.call("POST", "/api/orders", body).json["id"]
    api.call("POST", f"/api/orders/{order_id}/notes", {"text": "called"})
    api.pay(order_id, "failed", event_id=str(uuid.uuid4()))
    return lambda: summarize(api.call("DELETE", f"/api/customers/{customer_id}/personal-data"))


def _order_pages(_: Rows) -> list[Page]:
    indexes: list[tuple[dict[str, Any], str]] = [
        ({}, "orders_by_created_at"),
        ({"customer_id": 7}, "orders_by_customer"),
        ({"status": "pending"}, "orders_by_status"),
        ({"payment_status": "failed"}, "orders_by_payment_status"),
        ({"status": "canceled", "customer_id": 7}, "orders_by_"),
        ({"created_from": "2026-01-01T00:00:00Z", "created_to": "2026-01-02T00:00:00Z"}, "orders_by_created_at"),
    ]
    pages = [Page(request, index, "orders", ("created_at", "id")) for request, index in indexes]
    found: list[tuple[dict[str, Any], str]] = [
        ({"email": "CUSTOMER10@example.com"}, "orders_by_email"),
        ({"number": 51_000}, "orders_by_number"),
        ({"reference": "SO-50000"}, "orders_by_reference"),
        ({"number": 51_000, "customer_id": 7}, "orders_by_number"),
    ]
    pages += [Page(request, index, "orders", ("created_at", "id"), is_sorted=True) for request, index in found]
    # A client that polls reads the last seconds. They are few orders, which are then sorted.
    recent = {"updated_from": "2026-01-01T12:00:00Z", "updated_to": "2026-01-01T12:00:30Z"}
    return [*pages, Page(recent, "orders_by_updated_at", "orders", ("created_at", "id"), is_sorted=True)]


PLACED = ("+ Tea: 7 at 4.50", "+ event placed", "+ order of 3 Tea, pending, unpaid", "+ sale -3", "- Tea: 10 at 4.50")
WAS_PENDING = "- order of 3 Tea, pending, unpaid"
PAID = "order of 3 Tea, pending, paid, received 13.50"
_CANCELED = ("+ order of 3 Tea, canceled, unpaid", "+ restock 3", "- Tea: 7 at 4.50", WAS_PENDING)

ORDERS = {
    "place_order": SqlFunction(
        lambda rows: [
            place((rows.product, 1), (rows.other_product, 1)),
            place((rows.product, 1), (rows.other_product, 1), **in_full("SO-0")),
        ],
        flows=(
            Flow(
                "place order without key",
                _place_order_without_key,
                response="201",
                changes=PLACED,
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
                "place order in full",
                _place_order_in_full,
                response="201",
                changes=PLACED,
                response_again="409 reference-taken",
            ),
        ),
    ),
    "get_order": SqlFunction(
        lambda rows: [Call("get_order", {"id": rows.order})],
        paths=("/api/orders/{order}",),
    ),
    "list_orders": SqlFunction(
        lambda _: [Call("list_orders", {"page": 1, "page_size": 20})],
        paths=("/api/orders",),
        pages=_order_pages,
    ),
    "list_order_events": SqlFunction(
        lambda rows: [Call("list_order_events", {"page": 1, "page_size": 20, "id": rows.order})],
        paths=("/api/orders/{order}/events",),
        pages=lambda rows: [Page({"id": rows.order}, "order_events_pkey", "order_events", ("id",))],
    ),
    "change_order_status": SqlFunction(
        lambda rows: [
            change_status(rows.order, "canceled"),
            change_status(rows.order, "canceled", refund=True),
            change_status(rows.order, "completed"),
        ],
        flows=(
            Flow(
                "cancel order",
                _change_status("canceled"),
                response="200",
                changes=("+ Tea: 10 at 4.50", "+ event status_change", *_CANCELED),
                response_again="400 invalid-transition",
            ),
            Flow(
                "cancel order and request its refund",
                _cancel_with_refund,
                response="200",
                changes=(
                    "+ Tea: 10 at 4.50",
                    "+ event refund requested",
                    "+ event status_change needs_refund",
                    "+ order of 3 Tea, canceled, paid, received 13.50, refund pending",
                    "+ refund 13.50 requested",
                    "+ restock 3",
                    "- Tea: 7 at 4.50",
                    f"- {PAID}",
                ),
                response_again="400 invalid-transition",
            ),
            Flow(
                "complete order",
                _change_status("completed"),
                response="200",
                changes=("+ event status_change", "+ order of 3 Tea, completed, unpaid", WAS_PENDING),
                response_again="400 invalid-transition",
            ),
        ),
    ),
    "expire_orders": SqlFunction(
        lambda _: [expire()],
        flows=(
            Flow(
                "expire order",
                _expire_order,
                response="1 expired, 0 swept, 0 bodies erased",
                changes=("+ Tea: 10 at 4.50", "+ event expiry", *_CANCELED),
                response_again="0 expired, 0 swept, 0 bodies erased",
                statements=5,
                goes_on=True,
                writing_statement=4,
            ),
        ),
    ),
    "postponed_orders": SqlFunction(lambda _: [Call("postponed_orders", {"silence_hours": 6, "maximum": 10})]),
    "add_order_note": SqlFunction(
        lambda rows: [add_note(rows.order)],
        flows=(
            Flow(
                "add note without key",
                _add_note_without_key,
                response="201",
                changes=("+ event note with text",),
                response_again="201",
                changes_again=("+ event note with text",),
            ),
        ),
    ),
    "erase_personal_data": SqlFunction(
        lambda _: [erase(7)],
        is_repeatable=True,
        flows=(
            Flow(
                "erase personal data",
                _erase,
                response="200",
                changes=(
                    "+ event erasure",
                    "+ event note",
                    "+ inbox failed applied 1 without body",
                    "+ order of 3 Tea, pending, failed",
                    "- event note with text",
                    "- inbox failed applied 1",
                    "- order of 3 Tea, pending, failed, with contact",
                ),
                response_again="200",
            ),
        ),
    ),
}
