"""Storefront: through the local emulator as `make run` serves it, and in process."""

import json
import os
import random
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.products import catalog
from benchmarks.products.client import Client
from benchmarks.products.database import rows
from benchmarks.products.processes import free_port, serve
from benchmarks.products.shops import ADDRESS, EMAIL, Running
from benchmarks.workloads import product_id
from local.settings import ROOT
from local.signing import LOCAL_SECRETS, sign
from storefront import db

HOT = (
    "INSERT INTO products (sku, name, description, price, quantity)"
    " SELECT sku, name, description, price, stock FROM json_to_recordset(:products)"
    " AS p (sku text, name text, description text, price numeric, stock integer)"
)

SOLD = (
    "SELECT coalesce(sum(i.quantity), 0) FROM order_items i JOIN orders o ON o.id = i.order_id"
    " WHERE i.product_id = CAST(:id AS uuid) AND o.status <> 'canceled'"
)

LEFT = "SELECT quantity FROM products WHERE id = CAST(:id AS uuid)"


def order(product: str) -> dict[str, Any]:
    """Return an order with what the buyers of the other shops also send, and the shop's price for shipping."""
    return {
        "customer_id": random.randint(1, 1000),
        "products": [{"product_id": product, "quantity": 1}],
        "charges": [{"kind": "shipping", "label": "Parcel", "amount": "4.90"}],
        "email": EMAIL,
        "shipping_address": {"name": "Ada Byron", **ADDRESS},
    }


class Storefront:
    """with_payment: whether a signed event of the payment processor follows each order."""

    def __init__(self, url: str, *, with_payment: bool = False) -> None:
        self._url = url
        self._with_payment = with_payment
        found = rows(url, "SELECT sku, id::text FROM products WHERE sku IS NOT NULL")
        self._hot: dict[str, str] = {row[0]: row[1] for row in found}

    def product(self, sku: str) -> str:
        """Return a product's ID. One in ten of fill.sql is out of stock, so the one before is used."""
        number = int(sku.rpartition("-")[2])
        return self._hot.get(sku) or product_id(number - (number % 10 == 0))

    def place_order(self, client: Client, sku: str) -> None:
        placed, _ = client.send("POST", "/api/orders", order(self.product(sku)))
        if self._with_payment:
            body, headers = payment(placed["id"])
            client.send("POST", "/api/payment-webhook", body, headers)

    def read_product(self, client: Client, sku: str) -> None:
        client.send("GET", f"/api/products/{self.product(sku)}")

    def list_products(self, client: Client) -> None:
        page, _ = client.send("GET", "/api/products?page_size=20")
        assert len(page["items"]) == 20

    def sold(self, sku: str) -> int:
        return int(rows(self._url, SOLD, id=self.product(sku))[0][0])

    def left(self, sku: str) -> int:
        return int(rows(self._url, LEFT, id=self.product(sku))[0][0])


def payment(order_id: str) -> tuple[str, dict[str, str]]:
    """Return the body and the headers of a payment event."""
    body = json.dumps({"order_id": order_id, "payment_status": "paid", "event_id": f"evt_{order_id}"})
    return body, sign("x_signature", LOCAL_SECRETS["x_signature"], body.encode(), "", 0)


def seed(bench: Bench) -> str:
    """Create a database with the products, and with as many old orders. Return its URL."""
    url = bench.database("storefront", catalog.PRODUCTS)
    hot = [product._asdict() for product in catalog.products() if product.stock != catalog.STOCK]
    with closing(db.connect(url)) as owner:
        owner.run(HOT, products=json.dumps(hot))
    return url


@contextmanager
def run(url: str, logs: Path, *, with_payment: bool = False) -> Iterator[Running]:
    """Run the local emulator."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "layers" / "common" / "python"),
        "PORT": str(port),
        "DATA_DIR": str(logs / f"emulator-{port}"),
        "DATABASE_URL": url,
        "LOG": "json",
    }
    command = [sys.executable, "-W", "ignore", "-m", "local"]
    with serve(command, environment, ROOT, logs / f"storefront-{port}.log", f"http://127.0.0.1:{port}") as process:
        yield Running(Storefront(url, with_payment=with_payment), [port], [process])
