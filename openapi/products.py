"""The products: response models, example requests and routes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from openapi.operation import KEY, REPLAYED, Example, Operation
from openapi.responses import MOMENT, PRODUCT_ID, CursorPage, Money, Page, ResponseModel
from storefront import errors
from storefront.lists.parameters import CursorParameters
from storefront.products.models import NewProduct, ProductChanges, ProductListParameters, StockAdjustment
from storefront.products.store import SkuTaken


class Product(ResponseModel):
    id: UUID = Field(examples=[PRODUCT_ID])
    sku: str | None = Field(description="The shop's own ID of the product.", examples=["MUG-350-W"])
    name: str = Field(examples=["Enamel Mug"])
    description: str | None = Field(examples=["White, holds 350 ml."])
    price: Money
    quantity: int = Field(description="The units in stock.", examples=[120])
    metadata: dict[str, str] = Field(description="Values of the shop's own systems.", examples=[{"shelf": "B 12"}])
    created_at: datetime = Field(examples=[MOMENT])
    updated_at: datetime = Field(examples=[MOMENT])


StockMovementKind = Literal["opening", "sale", "restock", "adjustment", "return"]


class StockMovement(ResponseModel):
    """A change of a product's stock."""

    product_id: UUID = Field(examples=[PRODUCT_ID])
    kind: StockMovementKind = Field(examples=["adjustment"])
    delta: int = Field(description="Units added, or removed if negative.", examples=[-3])
    quantity: int = Field(description="The units in stock after the change.", examples=[117])
    reason: str | None = Field(description="Only of an adjustment.", examples=["broken in the store room"])
    order_id: UUID | None = Field(description="The order of a sale, a restock or a return.", examples=[None])
    refund_id: UUID | None = Field(description="The refund of a return.", examples=[None])
    actor: str = Field(
        description="Who made the change: the `sub` claim of the access token, or `anonymous`.", examples=["anonymous"]
    )
    request_id: str | None = Field(
        description="The ID of the request in the log.", examples=["c4b7de0a-9d4e-4a7e-8a52-5a1f7f0c2b93"]
    )
    occurred_at: datetime = Field(examples=[MOMENT])


class StockMovementPage(CursorPage):
    items: list[StockMovement]


class ProductPage(Page):
    items: list[Product]


_ID = "$response.body#/id"
_PRODUCT_LINKS = {
    "get_product": {"id": _ID},
    "update_product": {"id": _ID},
    "adjust_stock": {"id": _ID},
    "list_stock_movements": {"id": _ID},
    "delete_product": {"id": _ID},
}

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/api/products"): Operation(
        "create_product",
        "products",
        "Create a product",
        Product,
        201,
        body=NewProduct,
        examples={
            "create-product": Example(
                {
                    "sku": "SPOON-OAK",
                    "name": "Oak Spoon",
                    "description": "For stirring.",
                    "price": "19.90",
                    "quantity": 25,
                    "metadata": {"shelf": "B 12"},
                }
            )
        },
        request_headers=KEY,
        response_headers=("Location", "ETag", *REPLAYED),
        problems=(SkuTaken,),
        links={
            **_PRODUCT_LINKS,
            "place_order": {"body": {"customer_id": 1, "products": [{"product_id": _ID, "quantity": 1}]}},
        },
    ),
    ("GET", "/api/products"): Operation(
        "list_products",
        "products",
        "List products, newest first by default",
        ProductPage,
        parameters=ProductListParameters,
        examples={"list-products": Example(query={"in_stock": "true", "sort": "price", "page_size": "5"})},
        response_headers=("Link",),
    ),
    ("GET", "/api/products/{id}"): Operation(
        "get_product",
        "products",
        "Get a product",
        Product,
        path_id=PRODUCT_ID,
        request_headers=("If-Match", "If-None-Match"),
        response_headers=("ETag",),
        problems=(errors.ProductNotFound,),
    ),
    ("PUT", "/api/products/{id}"): Operation(
        "update_product",
        "products",
        "Change some fields of a product",
        Product,
        path_id=PRODUCT_ID,
        body=ProductChanges,
        examples={"update-product": Example({"price": "15.00", "quantity": 100})},
        request_headers=("If-Match",),
        response_headers=("ETag",),
        problems=(errors.ProductNotFound, errors.NumberOutOfRange, SkuTaken),
    ),
    ("DELETE", "/api/products/{id}"): Operation(
        "delete_product",
        "products",
        "Delete a product; existing orders keep their line items",
        None,
        204,
        description="Its stock movements can no longer be listed. Its SKU can be used again.",
        path_id=PRODUCT_ID,
        examples={"delete-product": Example(id="a0000000-0000-4000-8000-000000000006")},
        request_headers=("If-Match",),
        problems=(errors.ProductNotFound,),
    ),
    ("POST", "/api/products/{id}/stock-adjustments"): Operation(
        "adjust_stock",
        "products",
        "Adjust the stock of a product",
        StockMovement,
        201,
        path_id=PRODUCT_ID,
        body=StockAdjustment,
        examples={
            "adjust-stock": Example(
                {"delta": -3, "reason": "broken in the store room"},
                headers={"idempotency-key": '"store-room-2026-11-23"'},
            )
        },
        request_headers=("If-Match", *KEY),
        response_headers=REPLAYED,
        problems=(errors.ProductNotFound, errors.InsufficientStock, errors.NumberOutOfRange),
    ),
    ("GET", "/api/products/{id}/stock-movements"): Operation(
        "list_stock_movements",
        "products",
        "List the stock movements of a product, newest first",
        StockMovementPage,
        description=(
            "Every change of the stock, with the stock after it. The sum of all `delta` is the stock. A deleted product"
            " has no list."
        ),
        path_id=PRODUCT_ID,
        parameters=CursorParameters,
        response_headers=("Link",),
        problems=(errors.ProductNotFound,),
    ),
}
