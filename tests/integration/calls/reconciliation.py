"""The SQL functions of the reconciliation."""

import uuid
from typing import get_args

from pg8000.native import Connection

from storefront.reconciliation.models import ReconciliationKind
from tests.api_client import ApiClient, expect
from tests.integration.calls.function import Flow, SqlFunction
from tests.integration.calls.requests import Request, new_order_id, post, summarize
from tests.integration.races import Call, acknowledge

NOTE = {"note": "Ada paid the rest in cash."}


def new_entry(api: ApiClient) -> str:
    """The path of an entry: a payment of another amount."""
    event_id = str(uuid.uuid4())
    expect(200, api.pay(new_order_id(api), amount="1", event_id=event_id))
    [event] = api.items("/api/payment-events", event_id=event_id)
    return f"/api/reconciliation/amount_mismatch/{event['id']}/acknowledgement"


def acknowledge_entry(api: ApiClient, _: Connection) -> Request:
    return post(api, new_entry(api), NOTE)


def _acknowledge_without_key(api: ApiClient, _: Connection) -> Request:
    path = new_entry(api)
    return lambda: summarize(api.call("POST", path, NOTE))


ACKNOWLEDGED = ("+ acknowledgement amount_mismatch with text", "+ event acknowledgement with text")

RECONCILIATION = {
    "list_reconciliation": SqlFunction(
        lambda _: [
            Call(
                "list_reconciliation",
                {
                    "page": 1,
                    "page_size": 20,
                    "kind": kind,
                    "acknowledged": "false",
                    "pending_minutes": 1440,
                    "payment_pending_days": 7,
                    "refund_pending_days": 7,
                },
            )
            for kind in (None, *get_args(ReconciliationKind))
        ],
        paths=("/api/reconciliation",),
    ),
    "acknowledge_mismatch": SqlFunction(
        lambda rows: [acknowledge("amount_mismatch", rows.payment)],
        flows=(
            Flow(
                "acknowledge mismatch without key",
                _acknowledge_without_key,
                response="201",
                changes=ACKNOWLEDGED,
                response_again="409 already-acknowledged",
            ),
        ),
    ),
}
