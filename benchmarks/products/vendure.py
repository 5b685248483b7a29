"""Vendure: its setup, and a guest's checkout through its Shop API.

https://docs.vendure.io/guides/storefront/checkout-flow
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.products import catalog, npm
from benchmarks.products.client import Client, RefusedError
from benchmarks.products.database import address, rows
from benchmarks.products.processes import free_port, serve
from benchmarks.products.shops import ADDRESS, EMAIL, Running

ORDER = "__typename ... on Order { id code state totalWithTax } ... on ErrorResult { errorCode message }"
ADD_ITEM = f"mutation($id: ID!) {{ result: addItemToOrder(productVariantId: $id, quantity: 1) {{ {ORDER} }} }}"
SET_CUSTOMER = f"mutation($input: CreateCustomerInput!) {{ result: setCustomerForOrder(input: $input) {{ {ORDER} }} }}"
SET_ADDRESS = (
    f"mutation($input: CreateAddressInput!) {{ result: setOrderShippingAddress(input: $input) {{ {ORDER} }} }}"
)
SET_SHIPPING = f"mutation($id: [ID!]!) {{ result: setOrderShippingMethod(shippingMethodId: $id) {{ {ORDER} }} }}"
ARRANGE_PAYMENT = (
    'mutation { result: transitionOrderToState(state: "ArrangingPayment")'
    f" {{ {ORDER} ... on OrderStateTransitionError {{ transitionError }} }} }}"
)
ADD_PAYMENT = f"mutation($input: PaymentInput!) {{ result: addPaymentToOrder(input: $input) {{ {ORDER} }} }}"

VARIANTS = "variants { id sku price priceWithTax currencyCode stockLevel }"
READ_PRODUCT = f"query($id: ID!) {{ result: product(id: $id) {{ id name slug description {VARIANTS} }} }}"
LIST_PRODUCTS = (
    "query { result: products(options: { take: 20 })"
    f" {{ totalItems items {{ id name slug description {VARIANTS} }} }} }}"
)

SOLD = (
    'SELECT coalesce(sum(l.quantity), 0) FROM order_line l JOIN "order" o ON o.id = l."orderId"'
    ' JOIN product_variant v ON v.id = l."productVariantId" WHERE v.sku = :sku AND o."orderPlacedAt" IS NOT NULL'
)

LEFT = (
    'SELECT sum(s."stockOnHand" - s."stockAllocated") FROM stock_level s'
    ' JOIN product_variant v ON v.id = s."productVariantId" WHERE v.sku = :sku'
)


class Vendure:
    def __init__(self, url: str) -> None:
        self._url = url
        found = rows(url, 'SELECT sku, "productId"::text, id::text FROM product_variant')
        self._products = {sku: product for sku, product, _ in found}
        self._variants = {sku: variant for sku, _, variant in found}
        [[self._shipping]] = rows(url, "SELECT id::text FROM shipping_method")
        [[self._payment]] = rows(url, "SELECT code FROM payment_method")

    def place_order(self, client: Client, sku: str) -> None:
        client.headers.clear()
        _, headers = _send(client, ADD_ITEM, {"id": self._variants[sku]})
        client.headers["Authorization"] = f"Bearer {headers['vendure-auth-token']}"
        customer = {"emailAddress": EMAIL, "firstName": "Ada", "lastName": "Byron"}
        _send(client, SET_CUSTOMER, {"input": customer})
        shipping_address = {
            "fullName": "Ada Byron",
            "streetLine1": ADDRESS["line1"],
            "city": ADDRESS["city"],
            "postalCode": ADDRESS["postal_code"],
            "countryCode": ADDRESS["country"],
        }
        _send(client, SET_ADDRESS, {"input": shipping_address})
        _send(client, SET_SHIPPING, {"id": [self._shipping]})
        _send(client, ARRANGE_PAYMENT, {})
        order, _ = _send(client, ADD_PAYMENT, {"input": {"method": self._payment, "metadata": {}}})
        if order["state"] != "PaymentSettled":
            raise RefusedError(order["state"])

    def read_product(self, client: Client, sku: str) -> None:
        product, _ = _send(client, READ_PRODUCT, {"id": self._products[sku]})
        assert product["variants"][0]["sku"] == sku

    def list_products(self, client: Client) -> None:
        page, _ = _send(client, LIST_PRODUCTS, {})
        assert len(page["items"]) == 20

    def sold(self, sku: str) -> int:
        return int(rows(self._url, SOLD, sku=sku)[0][0])

    def left(self, sku: str) -> int:
        return int(rows(self._url, LEFT, sku=sku)[0][0])


def _send(client: Client, query: str, variables: dict[str, Any]) -> tuple[Any, Any]:
    response, headers = client.send("POST", "/shop-api", {"query": query, "variables": variables})
    if errors := response.get("errors"):
        raise RefusedError(errors[0]["message"][:200])
    result = response["data"]["result"]
    if "errorCode" in result:
        raise RefusedError(result.get("transitionError") or result["errorCode"])
    return result, headers


def _environment(url: str, redis: int | None) -> dict[str, str]:
    user, folder, port, name = address(url)
    connection = {"DB_HOST": folder, "DB_PORT": str(port), "DB_NAME": name, "DB_USER": user}
    return {**npm.ENVIRONMENT, **connection, **({"REDIS_PORT": str(redis)} if redis else {})}


def seed(url: str, folder: Path) -> None:
    """Create the tables and the shop's data in an empty database, with Vendure's own importer."""
    catalog.write_csv(folder / "products.csv")
    environment = {**_environment(url, None), "PORT": str(free_port())}
    npm.run("node", "dist/seed.js", folder / "products.csv", folder=npm.install("vendure"), environment=environment)


@contextmanager
def run(url: str, redis: int | None, logs: Path, servers: int = 1) -> Iterator[Running]:
    """Run server processes and a worker process."""
    folder, environment = npm.install("vendure"), _environment(url, redis)
    ports = [free_port() for _ in range(servers)]
    with ExitStack() as resources:
        processes = [
            resources.enter_context(
                serve(
                    ["node", "dist/index.js"],
                    {**environment, "PORT": str(port)},
                    folder,
                    logs / f"vendure-{port}.log",
                    "now running on port",
                )
            )
            for port in ports
        ]
        worker = ["node", "dist/index-worker.js"]
        log = logs / f"vendure-worker-{ports[0]}.log"
        processes.append(resources.enter_context(serve(worker, environment, folder, log, "Worker is ready")))
        yield Running(Vendure(url), ports, processes)
