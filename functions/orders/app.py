"""The order routes."""

import json
from functools import partial

from storefront.access import Forbidden, allowed_customer_id, customer_of
from storefront.actor import actor_of
from storefront.cold_start.powertools import Response
from storefront.etags import etag, if_match
from storefront.http import (
    add_log_fields,
    create_app,
    entry_point,
    header,
    json_response,
    parse_id,
    parse_json,
    parse_parameters,
    parse_path_integer,
    resource_response,
)
from storefront.idempotency.keys import idempotency_key
from storefront.idempotency.response import created
from storefront.lists.parameters import CursorParameters
from storefront.lists.response import list_response
from storefront.orders import store
from storefront.orders.models import NewNote, NewOrder, OrderListParameters, StatusChange

app = create_app()


@app.post("/api/orders")
def place_order() -> Response[str]:
    event = app.current_event
    key = idempotency_key(header(event, "idempotency-key"))
    order = parse_json(event, NewOrder)
    allowed_customer_id(event, order.customer_id)
    actor = actor_of(event)
    if actor["party"] == "customer" and (order.charges or order.reference is not None):
        raise Forbidden("Only the shop can send charges or a reference.")
    response = store.place(order, actor, key)
    return created(response, "/api/orders", ETag=etag(response.body))


@app.get("/api/orders")
def list_orders() -> Response[str]:
    event = app.current_event
    parameters = parse_parameters(event, OrderListParameters)
    # Cursors are bound to the filters, so the customer is set first.
    parameters = parameters.model_copy(update={"customer_id": allowed_customer_id(event, parameters.customer_id)})
    return list_response(event, parameters, store.list_page)


@app.get("/api/orders/<id>")
def get_order(id: str) -> Response[str]:
    event = app.current_event
    return resource_response(event, store.get(parse_id(id), customer_of(event)))


@app.put("/api/orders/<id>/status")
def change_order_status(id: str) -> Response[str]:
    event = app.current_event
    change, tags = parse_json(event, StatusChange), if_match(header(event, "if-match"))
    customer_id = customer_of(event)
    if customer_id is not None and (change.status != "canceled" or change.refund):
        raise Forbidden("Customers can only cancel an order, and only without a refund.")
    body = store.change_status(parse_id(id), change, tags, actor_of(event), customer_id)
    return json_response(body, ETag=etag(body))


@app.get("/api/orders/<id>/events")
def list_order_events(id: str) -> Response[str]:
    event = app.current_event
    read = partial(store.events, parse_id(id), customer_of(event), actor_of(event)["actor"])
    return list_response(event, parse_parameters(event, CursorParameters), read)


@app.post("/api/orders/<id>/notes")
def add_order_note(id: str) -> Response[str]:
    event = app.current_event
    key = idempotency_key(header(event, "idempotency-key"))
    note = parse_json(event, NewNote)
    return created(store.add_note(parse_id(id), note.text, actor_of(event), key))


@app.delete("/api/customers/<customer_id>/personal-data")
def erase_personal_data(customer_id: str) -> Response[str]:
    number = parse_path_integer("customer_id", customer_id)
    body = store.erase_personal_data(number, actor_of(app.current_event))
    # After a restore, these lines say which erasures to repeat.
    add_log_fields(warn=False, customer_id=str(number), orders=str(json.loads(body)["orders"]))
    return json_response(body)


lambda_handler = entry_point(app)
