"""The order routes."""

import json

from storefront.http import create_app, entry_point, json_response, parse_id, parse_json, parse_parameters
from storefront.orders import store
from storefront.orders.models import NewOrder, OrderListParameters, StatusChange
from storefront.powertools import Response

app = create_app()


@app.post("/api/orders")
def place_order() -> Response[str]:
    body = store.place(parse_json(app.current_event, NewOrder))
    return json_response(body, 201, Location=f"/api/orders/{json.loads(body)['id']}")


@app.get("/api/orders")
def list_orders() -> Response[str]:
    return json_response(store.listed(parse_parameters(app.current_event, OrderListParameters)))


@app.get("/api/orders/<id>")
def get_order(id: str) -> Response[str]:
    return json_response(store.get(parse_id(id)))


@app.put("/api/orders/<id>/status")
def change_order_status(id: str) -> Response[str]:
    return json_response(store.change_status(parse_id(id), parse_json(app.current_event, StatusChange).status))


lambda_handler = entry_point(app)
