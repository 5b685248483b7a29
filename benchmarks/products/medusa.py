"""Medusa: its setup, and a guest's checkout through its Store API.

https://docs.medusajs.com/resources/storefront-development/checkout
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.products import catalog, npm
from benchmarks.products.client import Client, RefusedError
from benchmarks.products.database import address, rows
from benchmarks.products.processes import free_port, serve
from benchmarks.products.shops import ADDRESS, EMAIL, Running

FIELDS = "fields=id,title,description,variants.id,variants.sku,*variants.calculated_price,+variants.inventory_quantity"

SOLD = (
    "SELECT coalesce(sum(i.quantity), 0) FROM order_item i JOIN order_line_item l ON l.id = i.item_id"
    " WHERE l.variant_sku = :sku AND i.deleted_at IS NULL"
)

LEFT = (
    "SELECT sum(l.stocked_quantity - l.reserved_quantity) FROM inventory_level l"
    " JOIN inventory_item i ON i.id = l.inventory_item_id WHERE i.sku = :sku"
)

RETRY = "You may retry the request"
"""Part of Medusa's message when a request did not get a lock in time."""

RETRIES = 10
RETRY_DELAY = 1.0
"""Seconds."""

READY = "Server is ready on port"


class Medusa:
    def __init__(self, url: str, seeded: dict[str, str]) -> None:
        self._url = url
        self._seeded = seeded
        found = rows(url, "SELECT sku, product_id, id FROM product_variant")
        self._products = {sku: product for sku, product, _ in found}
        self._variants = {sku: variant for sku, _, variant in found}

    def place_order(self, client: Client, sku: str) -> None:
        cart = self._post(client, "carts", {"region_id": self._seeded["region"]})["cart"]["id"]
        self._post(client, f"carts/{cart}/line-items", {"variant_id": self._variants[sku], "quantity": 1})
        shipping_address = {
            "first_name": "Ada",
            "last_name": "Byron",
            "address_1": ADDRESS["line1"],
            "city": ADDRESS["city"],
            "postal_code": ADDRESS["postal_code"],
            "country_code": ADDRESS["country"].lower(),
        }
        self._post(client, f"carts/{cart}", {"email": EMAIL, "shipping_address": shipping_address})
        self._post(client, f"carts/{cart}/shipping-methods", {"option_id": self._seeded["shipping"]})
        collection = self._post(client, "payment-collections", {"cart_id": cart})["payment_collection"]["id"]
        sessions = f"payment-collections/{collection}/payment-sessions"
        self._post(client, sessions, {"provider_id": "pp_system_default"})
        completed = self._post(client, f"carts/{cart}/complete", {})
        if completed["type"] != "order":
            raise RefusedError(str(completed.get("error"))[:200])

    def read_product(self, client: Client, sku: str) -> None:
        path = f"products/{self._products[sku]}?region_id={self._seeded['region']}&{FIELDS}"
        assert self._get(client, path)["product"]["variants"][0]["sku"] == sku

    def list_products(self, client: Client) -> None:
        products = self._get(client, f"products?limit=20&region_id={self._seeded['region']}&{FIELDS}")["products"]
        assert len(products) == 20

    def sold(self, sku: str) -> int:
        return int(rows(self._url, SOLD, sku=sku)[0][0])

    def left(self, sku: str) -> int:
        return int(rows(self._url, LEFT, sku=sku)[0][0])

    def _post(self, client: Client, path: str, body: Any) -> Any:
        for _ in range(RETRIES):
            try:
                return client.send("POST", f"/store/{path}", body, self._key())[0]
            except RefusedError as refused:
                if RETRY not in str(refused):
                    raise
                time.sleep(RETRY_DELAY)
        return client.send("POST", f"/store/{path}", body, self._key())[0]

    def _get(self, client: Client, path: str) -> Any:
        return client.send("GET", f"/store/{path}", None, self._key())[0]

    def _key(self) -> dict[str, str]:
        return {"x-publishable-api-key": self._seeded["key"]}


def _environment(url: str, redis: int | None) -> dict[str, str]:
    environment = {**npm.ENVIRONMENT, "DATABASE_URL": address(url).node_url()}
    if redis:
        stores = {"REDIS_URL": f"redis://127.0.0.1:{redis}/1", "CACHE_REDIS_URL": f"redis://127.0.0.1:{redis}/2"}
        # The caching module takes effect only with this flag.
        environment |= {**stores, "MEDUSA_FF_CACHING": "true"}
    return environment


def seed(url: str, folder: Path) -> dict[str, str]:
    """Create the tables and the shop's data in an empty database, and return the IDs that a client needs."""
    catalog.write_json(folder / "products.json")
    installed = npm.install("medusa")
    environment = {
        **_environment(url, None),
        "PRODUCTS": str(folder / "products.json"),
        "SEEDED": str(folder / "seeded.json"),
    }
    npm.run("npm", "run", "predeploy", folder=installed, environment=environment)
    npm.run("npm", "run", "seed", folder=installed, environment=environment)
    seeded: dict[str, str] = json.loads((folder / "seeded.json").read_text())
    return seeded


@contextmanager
def run(url: str, seeded: dict[str, str], redis: int | None, logs: Path, servers: int = 1) -> Iterator[Running]:
    """Run server processes. With Redis, there is also a worker process; without, each server does its own jobs."""
    ports = [free_port() for _ in range(servers)]
    mode = "server" if redis else "shared"
    with ExitStack() as resources:
        processes = [resources.enter_context(_process(url, redis, logs, port, mode)) for port in ports]
        if redis:
            processes.append(resources.enter_context(_process(url, redis, logs, free_port(), "worker")))
        yield Running(Medusa(url, seeded), ports, processes)


@contextmanager
def _process(url: str, redis: int | None, logs: Path, port: int, mode: str) -> Iterator[int]:
    installed = npm.install("medusa")
    environment = {**_environment(url, redis), "MEDUSA_WORKER_MODE": mode}
    # Node.js finds the packages in the folder above. `npm run` would add a process.
    program = str(installed / "node_modules" / ".bin" / "medusa")
    command = [program, "start", "--host", "127.0.0.1", "--port", str(port)]
    folder, log = installed / ".medusa" / "server", logs / f"medusa-{mode}-{port}.log"
    with serve(command, environment, folder, log, READY) as process:
        yield process
