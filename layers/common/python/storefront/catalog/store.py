"""The product routes' calls. Each gives the JSON text of the answer."""

import json

from storefront import db
from storefront.catalog.models import NewProduct, ProductChanges, ProductListParameters
from storefront.errors import ProductNotFound


def create(product: NewProduct) -> str:
    return db.call("create_product", product.model_dump_json())[1]


def listed(parameters: ProductListParameters) -> str:
    return db.call("list_products", parameters.model_dump_json())[1]


def get(product_id: str) -> str:
    return _one("get_product", product_id)


def update(product_id: str, changes: ProductChanges) -> str:
    return _one("update_product", product_id, changes=changes.model_dump(mode="json", exclude_unset=True))


def delete(product_id: str) -> None:
    _one("delete_product", product_id)


def _one(function: str, product_id: str, **request: object) -> str:
    outcome, body = db.call(function, json.dumps({"id": product_id, **request}))
    if outcome == "unknown_product":
        raise ProductNotFound(f"There is no product {product_id}.")
    return body
