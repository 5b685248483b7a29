"""The SQL functions of idempotency keys."""

from pg8000.native import Connection

from tests.api_client import ApiClient
from tests.integration.calls.function import Flow, SqlFunction
from tests.integration.calls.orders import PAID, PLACED
from tests.integration.calls.products import create_product
from tests.integration.calls.reconciliation import ACKNOWLEDGED, acknowledge_entry
from tests.integration.calls.refunds import request_refund, requested, return_units
from tests.integration.calls.requests import Request, new_order, new_order_id, post, run_expiry
from tests.integration.races import Call, once, place


def _place_order(api: ApiClient, _: Connection) -> Request:
    return post(api, "/api/orders", new_order(api))


def _add_note(api: ApiClient, _: Connection) -> Request:
    return post(api, f"/api/orders/{new_order_id(api)}/notes", {"text": "called"})


def _sweep_key(api: ApiClient, database: Connection) -> Request:
    create_product(api, database)()
    database.run(
        "UPDATE idempotency_keys SET created_at = created_at - idempotency_key_lifetime()"
        " WHERE created_at = (SELECT max(created_at) FROM idempotency_keys)"
    )
    return run_expiry


IDEMPOTENCY = {
    "call_once": SqlFunction(
        lambda rows: [once(place((rows.product, 1)), "new")],
        is_repeatable=True,
        flows=(
            Flow(
                "place order",
                _place_order,
                response="201",
                changes=tuple(sorted((*PLACED, "+ key place_order"))),
                response_again="201 replayed",
            ),
            Flow(
                "add note",
                _add_note,
                response="201",
                changes=("+ event note with text", "+ key add_order_note"),
                response_again="201 replayed",
            ),
            Flow(
                "request refund",
                request_refund,
                response="201",
                changes=("+ event refund requested", "+ key request_refund", *requested("4.50")[1:]),
                response_again="201 replayed",
            ),
            Flow(
                "return units with their money",
                return_units,
                response="201",
                changes=(
                    "+ Tea: 8 at 4.50",
                    "+ event refund requested",
                    "+ key request_refund",
                    f"+ {PAID}, refund pending",
                    "+ refund 9.00 requested",
                    "+ refund of units 1",
                    "+ refund of units 1 with restock",
                    "+ return 1",
                    "- Tea: 7 at 4.50",
                    f"- {PAID}",
                ),
                response_again="201 replayed",
            ),
            Flow(
                "acknowledge mismatch",
                acknowledge_entry,
                response="201",
                changes=(*ACKNOWLEDGED, "+ key acknowledge_mismatch"),
                response_again="201 replayed",
            ),
        ),
    ),
    "sweep_idempotency_keys": SqlFunction(
        lambda _: [Call("sweep_idempotency_keys", {"batch_size": 100})],
        flows=(
            Flow(
                "sweep key",
                _sweep_key,
                response="0 expired, 1 swept, 0 bodies erased",
                changes=("- key create_product",),
                response_again="0 expired, 0 swept, 0 bodies erased",
                statements=5,
                goes_on=True,
            ),
        ),
    ),
}
