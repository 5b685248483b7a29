"""The SQL functions of an order's payments and refunds, except those of events."""

from pg8000.native import Connection

from tests.api_client import ApiClient, expect
from tests.integration.calls.function import Flow, Page, Rows, SqlFunction
from tests.integration.calls.orders import PAID
from tests.integration.calls.requests import Prepare, Request, new_paid_order, post, summarize
from tests.integration.races import Call, refund, set_refund
from tests.integration.snapshots import Changes


def request_refund(api: ApiClient, _: Connection) -> Request:
    return post(api, new_paid_order(api).refunds, {"amount": "4.50", "reason": "A cup was broken."})


def _request_refund_without_key(api: ApiClient, _: Connection) -> Request:
    path = new_paid_order(api).refunds
    return lambda: summarize(api.call("POST", path, {}))


def return_units(api: ApiClient, _: Connection) -> Request:
    """Return two of three units, and put one of them back into the stock."""
    paid = new_paid_order(api)
    [item] = api.get(f"/api/orders/{paid.order_id}").json["order_items"]
    lines = [{"order_item_id": item["id"], "quantity": 1, "restock": restock} for restock in (True, False)]
    return post(api, paid.refunds, {"lines": lines})


def _set_status(*statuses: str) -> Prepare:
    """Set the last of these statuses."""

    def prepare(api: ApiClient, _: Connection) -> Request:
        refund_id = expect(201, api.call("POST", new_paid_order(api).refunds, {"amount": "4.50"}))["id"]
        path = f"/api/refunds/{refund_id}/status"
        for status in statuses[:-1]:
            expect(200, api.call("PUT", path, {"status": status}))
        return lambda: summarize(api.call("PUT", path, {"status": statuses[-1]}))

    return prepare


def _refund_pages(rows: Rows) -> list[Page]:
    table, position = "refunds", ("requested_at", "id")
    return [
        Page({}, "refunds_by_requested_at", table, position),
        Page({"status": "requested"}, "refunds_by_status", table, position),
        Page({"status": "succeeded"}, "refunds_by_status", table, position),
        Page({"id": rows.order}, "refunds_by_order", table, position),
    ]


def requested(amount: str) -> Changes:
    """The changes by a request for a refund."""
    return ("+ event refund requested", f"+ {PAID}, refund pending", f"+ refund {amount} requested", f"- {PAID}")


REFUNDS = {
    "list_payments": SqlFunction(
        lambda rows: [Call("list_payments", {"page_size": 20, "id": rows.order})],
        paths=("/api/orders/{order}/payments",),
        pages=lambda rows: [Page({"id": rows.order}, "payments_by_order", "payments", ("received_at", "id"))],
    ),
    "list_refunds": SqlFunction(
        lambda rows: [Call("list_refunds", {"page": 1, "page_size": 20, **one}) for one in ({}, {"id": rows.order})],
        paths=("/api/refunds", "/api/orders/{order}/refunds"),
        pages=_refund_pages,
    ),
    "request_refund": SqlFunction(
        lambda rows: [refund(rows.order), refund(rows.order, payment_id=rows.payment, amount="0.01")],
        flows=(
            Flow(
                "request refund without key",
                _request_refund_without_key,
                response="201",
                changes=requested("13.50"),
                response_again="422 refund-too-large",
            ),
        ),
    ),
    "set_refund_status": SqlFunction(
        lambda rows: [
            set_refund(rows.refund, "pending"),
            set_refund(rows.refund, "failed", processor_reference="re_0"),
        ],
        flows=(
            Flow(
                "claim refund",
                _set_status("pending"),
                response="200",
                changes=("+ event refund pending", "+ refund 4.50 pending", "- refund 4.50 requested"),
                response_again="409 refund-conflict",
            ),
            Flow(
                "confirm refund",
                _set_status("pending", "succeeded"),
                response="200",
                changes=(
                    "+ event refund succeeded",
                    f"+ {PAID}, returned 4.50, refund partial",
                    "+ refund 4.50 succeeded",
                    f"- {PAID}, refund pending",
                    "- refund 4.50 pending",
                ),
                response_again="200",
            ),
        ),
    ),
}
