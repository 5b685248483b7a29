"""The product routes."""

from functools import partial

from storefront.actor import actor_of
from storefront.cold_start.powertools import APIGatewayProxyEventV2, Response
from storefront.etags import etag, if_match
from storefront.http import (
    create_app,
    entry_point,
    header,
    json_response,
    no_content,
    parse_id,
    parse_json,
    parse_parameters,
    resource_response,
)
from storefront.idempotency.keys import idempotency_key
from storefront.idempotency.response import created
from storefront.lists.parameters import CursorParameters
from storefront.lists.response import list_response
from storefront.products import store
from storefront.products.models import NewProduct, ProductChanges, ProductListParameters, StockAdjustment

app = create_app()


@app.post("/api/products")
def create_product() -> Response[str]:
    event = app.current_event
    key = idempotency_key(header(event, "idempotency-key"))
    response = store.create(parse_json(event, NewProduct), actor_of(event), key)
    return created(response, "/api/products", ETag=etag(response.body))


@app.get("/api/products")
def list_products() -> Response[str]:
    event = app.current_event
    read = partial(store.list_page, may_be_stale=_is_anonymous(event))
    return list_response(event, parse_parameters(event, ProductListParameters), read)


@app.get("/api/products/<id>")
def get_product(id: str) -> Response[str]:
    event = app.current_event
    return resource_response(event, store.get(parse_id(id), may_be_stale=_is_anonymous(event)))


@app.put("/api/products/<id>")
def update_product(id: str) -> Response[str]:
    event = app.current_event
    changes = parse_json(event, ProductChanges)
    body = store.update(parse_id(id), changes, if_match(header(event, "if-match")), actor_of(event))
    return json_response(body, ETag=etag(body))


@app.delete("/api/products/<id>")
def delete_product(id: str) -> Response[str]:
    store.delete(parse_id(id), if_match(header(app.current_event, "if-match")))
    return no_content()


@app.post("/api/products/<id>/stock-adjustments")
def adjust_stock(id: str) -> Response[str]:
    event = app.current_event
    key = idempotency_key(header(event, "idempotency-key"))
    adjustment, tags = parse_json(event, StockAdjustment), if_match(header(event, "if-match"))
    return created(store.adjust_stock(parse_id(id), adjustment, tags, actor_of(event), key))


@app.get("/api/products/<id>/stock-movements")
def list_stock_movements(id: str) -> Response[str]:
    event = app.current_event
    read = partial(store.list_stock_movements, parse_id(id))
    return list_response(event, parse_parameters(event, CursorParameters), read)


def _is_anonymous(event: APIGatewayProxyEventV2) -> bool:
    # A client that writes has a token. With it, the client also reads what it has just written.
    return header(event, "authorization") is None


lambda_handler = entry_point(app)
