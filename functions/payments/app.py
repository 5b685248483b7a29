"""The payment routes for staff: the inbox, payments, refunds and the reconciliation."""

from functools import partial

from storefront.actor import actor_of
from storefront.cold_start.powertools import Response
from storefront.etags import if_match
from storefront.http import (
    add_log_fields,
    create_app,
    entry_point,
    header,
    json_response,
    parse_id,
    parse_json,
    parse_parameters,
)
from storefront.idempotency.keys import idempotency_key
from storefront.idempotency.response import created
from storefront.json_text import to_json
from storefront.lists.parameters import CursorParameters
from storefront.lists.response import list_response
from storefront.payments import store
from storefront.payments.models import PaymentEventListParameters
from storefront.reconciliation import store as reconciliation
from storefront.reconciliation.models import NewAcknowledgement, ReconciliationParameters
from storefront.refunds import store as refunds
from storefront.refunds.models import NewRefund, RefundListParameters, RefundStatusChange

app = create_app()


@app.get("/api/payment-events")
def list_payment_events() -> Response[str]:
    event = app.current_event
    return list_response(event, parse_parameters(event, PaymentEventListParameters), store.list_page)


@app.post("/api/payment-events/<id>/replay")
def replay_payment_event(id: str) -> Response[str]:
    response = store.replay(parse_id(id), actor_of(app.current_event))
    add_log_fields(
        warn=False,
        order_id=response["order_id"],
        outcome=response["outcome"],
        stored_outcome=response.pop("stored_outcome"),
    )
    return json_response(to_json(response))


@app.get("/api/reconciliation")
def reconcile() -> Response[str]:
    event = app.current_event
    return list_response(event, parse_parameters(event, ReconciliationParameters), reconciliation.list_page)


@app.post("/api/reconciliation/<kind>/<id>/acknowledgement")
def acknowledge_mismatch(kind: str, id: str) -> Response[str]:
    event = app.current_event
    key = idempotency_key(header(event, "idempotency-key"))
    note = parse_json(event, NewAcknowledgement).note
    return created(reconciliation.acknowledge(kind, parse_id(id), note, actor_of(event), key))


@app.get("/api/orders/<id>/payments")
def list_payments(id: str) -> Response[str]:
    event = app.current_event
    return list_response(event, parse_parameters(event, CursorParameters), partial(store.list_payments, parse_id(id)))


@app.get("/api/orders/<id>/refunds")
def list_order_refunds(id: str) -> Response[str]:
    event = app.current_event
    order_id = parse_id(id)
    return list_response(
        event, parse_parameters(event, CursorParameters), lambda page: refunds.list_page({"id": order_id, **page})
    )


@app.post("/api/orders/<id>/refunds")
def request_refund(id: str) -> Response[str]:
    event = app.current_event
    key = idempotency_key(header(event, "idempotency-key"))
    refund, tags = parse_json(event, NewRefund), if_match(header(event, "if-match"))
    return created(refunds.request(parse_id(id), refund, tags, actor_of(event), key))


@app.get("/api/refunds")
def list_refunds() -> Response[str]:
    event = app.current_event
    return list_response(event, parse_parameters(event, RefundListParameters), refunds.list_page)


@app.put("/api/refunds/<id>/status")
def set_refund_status(id: str) -> Response[str]:
    event = app.current_event
    change = parse_json(event, RefundStatusChange)
    return json_response(refunds.set_status(parse_id(id), change, actor_of(event)))


lambda_handler = entry_point(app)
