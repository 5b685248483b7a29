"""The products for sale, the same in every shop."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

PRODUCTS = 1_000
STOCK = 1_000_000

HOT_PRODUCTS = 6
"""Additional products for the buyers at the same time. Each run needs a new one."""
HOT_STOCK = 25

LAST_PRODUCTS = 3
"""Additional products with one unit, to check that a shop refuses the second buyer."""

_DESCRIPTION = "Leaves from a garden in the hills, plucked by hand, dried on the day."


class Product(NamedTuple):
    name: str
    description: str
    sku: str
    price: int
    stock: int


def sku(number: int) -> str:
    return f"TEA-{number}"


def hot_sku(number: int) -> str:
    return f"HOT-{number}"


def last_sku(number: int) -> str:
    return f"LAST-{number}"


def products() -> list[Product]:
    usual = [Product(f"Tea {n}", _DESCRIPTION, sku(n), 1 + n % 500, STOCK) for n in range(1, PRODUCTS + 1)]
    hot = [Product(f"Hot tea {n}", _DESCRIPTION, hot_sku(n), 10, HOT_STOCK) for n in range(HOT_PRODUCTS)]
    last = [Product(f"Last tea {n}", _DESCRIPTION, last_sku(n), 10, 1) for n in range(LAST_PRODUCTS)]
    return usual + hot + last


def write_json(path: Path) -> None:
    """Write the products as Medusa's seed script reads them."""
    path.write_text(json.dumps([product._asdict() for product in products()]))


def write_csv(path: Path) -> None:
    """Write the products as Vendure's importer reads them.

    https://docs.vendure.io/guides/developer-guide/importing-data
    """
    with path.open("w", newline="") as file:
        rows = [_csv_row(product) for product in products()]
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _csv_row(product: Product) -> dict[str, Any]:
    return {
        "name": product.name,
        "slug": product.sku.lower(),
        "description": product.description,
        "assets": "",
        "facets": "",
        "optionGroups": "",
        "optionValues": "",
        "sku": product.sku,
        "price": product.price,
        "taxCategory": "standard",
        "stockOnHand": product.stock,
        "trackInventory": "true",
        "variantAssets": "",
        "variantFacets": "",
    }
