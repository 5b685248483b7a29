"""The database calls of the product routes. Each returns the JSON text of the response."""

import json
from typing import Any

from storefront import db, replica
from storefront.actor import Actor
from storefront.errors import InsufficientStock, InvalidRequest, Problem, ProductNotFound, StaleETag
from storefront.idempotency.keys import IdempotentResponse, call_once
from storefront.products.models import NewProduct, ProductChanges, StockAdjustment


class SkuTaken(Problem):
    """Another product has this SKU. Case, Unicode form and width do not matter. Deleted products do not count."""

    status, kind, title = 409, "sku-taken", "SKU taken"
    default_detail = "Another product has this SKU. Case, Unicode form and width do not matter."


def create(product: NewProduct, actor: Actor, key: str | None) -> IdempotentResponse:
    """Create a product. Raises SkuTaken."""
    # Without the optional fields that were not sent, the content is the same as in the previous release. So a key that
    # was used before a deployment is recognized after it.
    content = {"description": None, **product.model_dump(mode="json", exclude_none=True)}
    response = call_once("create_product", content, actor, key)
    if response.outcome == "sku_taken":
        raise SkuTaken
    return response


def list_page(request: dict[str, Any], *, may_be_stale: bool) -> str:
    """Return a page. Raises InvalidRequest if the search text has no words.

    may_be_stale: whether a replica of the database may be read.
    """
    outcome, page = _read("list_products", request, may_be_stale=may_be_stale)
    if outcome == "no_words":
        detail = "Input should have at least one word"
        raise InvalidRequest(f"q: {detail}", errors=[{"detail": detail, "parameter": "q"}])
    return page


def get(product_id: str, *, may_be_stale: bool) -> str:
    """Return a product. Raises ProductNotFound. may_be_stale: as in list_page()."""
    outcome, body = _read("get_product", {"id": product_id}, may_be_stale=may_be_stale)
    _raise_problem(outcome, product_id)
    return body


def list_stock_movements(product_id: str, request: dict[str, Any]) -> str:
    """Return a page of a product's stock ledger. Raises ProductNotFound."""
    return _call_for_product("list_stock_movements", {"id": product_id, **request}, repeatable=True)


def update(product_id: str, changes: ProductChanges, if_match: list[str] | None, actor: Actor) -> str:
    """Change a product. Raises ProductNotFound, SkuTaken, or StaleETag if its ETag is not in if_match."""
    fields = changes.model_dump(mode="json", exclude_unset=True)
    request = {"id": product_id, "changes": fields, "if_match": if_match, **actor}
    return _call_for_product("update_product", request, repeatable=False)


def delete(product_id: str, if_match: list[str] | None) -> None:
    """Delete a product. Raises ProductNotFound, or StaleETag if its ETag is not in if_match."""
    _call_for_product("delete_product", {"id": product_id, "if_match": if_match}, repeatable=False)


def adjust_stock(
    product_id: str, adjustment: StockAdjustment, if_match: list[str] | None, actor: Actor, key: str | None
) -> IdempotentResponse:
    """Adjust the stock. Raises ProductNotFound, InsufficientStock, NumberOutOfRange, or StaleETag as update().

    A refused adjustment changes nothing.
    """
    content = {"id": product_id, **adjustment.model_dump()}
    response = call_once("adjust_stock", content, actor, key, if_match=if_match)
    if response.outcome == "insufficient_stock":
        short = json.loads(response.body)
        detail = (
            f"Insufficient stock for {short['product_name']}: "
            f"{short['requested']} requested, {short['available']} available"
        )
        raise InsufficientStock(detail, errors=[{"detail": detail, "pointer": "#/delta", **short}])
    _raise_problem(response.outcome, product_id)
    return response


def _read(function: str, request: dict[str, Any], *, may_be_stale: bool) -> tuple[str, str]:
    if may_be_stale:
        # A new product may not have arrived there yet.
        return replica.call(function, request, doubtful="unknown_product")
    return db.call(function, json.dumps(request), repeatable=True)


def _call_for_product(function: str, request: dict[str, Any], *, repeatable: bool) -> str:
    outcome, body = db.call(function, json.dumps(request), repeatable=repeatable)
    _raise_problem(outcome, request["id"])
    return body


def _raise_problem(outcome: str, product_id: str) -> None:
    if outcome == "unknown_product":
        raise ProductNotFound(product_id)
    if outcome == "stale":
        raise StaleETag
    if outcome == "sku_taken":
        raise SkuTaken
