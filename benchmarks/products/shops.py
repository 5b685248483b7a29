"""What every shop offers to the measurements, and where its servers are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.products.client import Client

EMAIL = "ada@shop.example"
ADDRESS = {"line1": "12 Harbour Street", "city": "Berlin", "postal_code": "10115", "country": "DE"}


class Shop(Protocol):
    """A buyer's view of a shop. Each method sends all requests of its task, and raises RefusedError."""

    def place_order(self, client: Client, sku: str) -> None:
        """Order one unit of a product, from an empty cart to a placed order."""

    def read_product(self, client: Client, sku: str) -> None: ...

    def list_products(self, client: Client) -> None:
        """Read 20 products."""

    def sold(self, sku: str) -> int:
        """Return the units of a product in placed orders, from the rows of the database."""

    def left(self, sku: str) -> int:
        """Return the units of a product that can still be sold, from the rows of the database."""


@dataclass(frozen=True)
class Running:
    """A running shop. ports: of the servers that buyers can reach. processes: the IDs of its processes."""

    shop: Shop
    ports: Sequence[int]
    processes: Sequence[int]
