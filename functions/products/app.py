"""The product routes."""

import json

from storefront.catalog import store
from storefront.catalog.models import NewProduct, ProductChanges, ProductListParameters
from storefront.http import create_app, entry_point, json_response, no_content, parse_id, parse_json, parse_parameters
from storefront.powertools import Response

app = create_app()


@app.post("/api/products")
def create_product() -> Response[str]:
    body = store.create(parse_json(app.current_event, NewProduct))
    return json_response(body, 201, Location=f"/api/products/{json.loads(body)['id']}")


@app.get("/api/products")
def list_products() -> Response[str]:
    return json_response(store.listed(parse_parameters(app.current_event, ProductListParameters)))


@app.get("/api/products/<id>")
def get_product(id: str) -> Response[str]:
    return json_response(store.get(parse_id(id)))


@app.put("/api/products/<id>")
def update_product(id: str) -> Response[str]:
    return json_response(store.update(parse_id(id), parse_json(app.current_event, ProductChanges)))


@app.delete("/api/products/<id>")
def delete_product(id: str) -> Response[str]:
    store.delete(parse_id(id))
    return no_content()


lambda_handler = entry_point(app)
