"""The payment routes for staff: the inbox and the reconciliation."""

from storefront.actor import actor_of
from storefront.cold_start.powertools import Response
from storefront.http import add_log_fields, create_app, entry_point, json_response, parse_id, parse_parameters
from storefront.json_text import to_json
from storefront.lists.response import list_response
from storefront.payments import store
from storefront.payments.models import PaymentEventListParameters, ReconciliationParameters

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
    return list_response(event, parse_parameters(event, ReconciliationParameters), store.list_reconciliation)


lambda_handler = entry_point(app)
