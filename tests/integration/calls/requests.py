"""The requests that the flows send."""

import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from pg8000.native import Connection

from storefront.errors import MAX_RETRY_AFTER
from tests.api_client import ApiClient, Response, expect, lambda_context, load_function

Request = Callable[[], str]
"""Sends the same request each time, and returns a summary of the response."""

Prepare = Callable[[ApiClient, Connection], Request]


def summarize(response: Response) -> str:
    if response.status < 400:
        return (
            f"{response.status} replayed"
            if response.headers.get("idempotent-replayed") == "true"
            else f"{response.status}"
        )
    status, kind = response.problem()
    if status == 503:
        assert 1 <= int(response.headers["retry-after"]) <= MAX_RETRY_AFTER
    return f"{status} {kind}"


def post(api: ApiClient, path: str, body: object) -> Request:
    headers = {"idempotency-key": str(uuid.uuid4())}
    return lambda: summarize(api.call("POST", path, body, headers))


def new_order(api: ApiClient) -> dict[str, Any]:
    return {"customer_id": 1, "products": [{"product_id": api.create_product()["id"], "quantity": 3}]}


def new_order_id(api: ApiClient) -> str:
    order_id: str = api.order((api.create_product()["id"], 3))["id"]
    return order_id


class Paid(NamedTuple):
    """A paid order, and the processor's reference of its payment."""

    order_id: str
    reference: str

    @property
    def refunds(self) -> str:
        return f"/api/orders/{self.order_id}/refunds"


def new_paid_order(api: ApiClient) -> Paid:
    paid = Paid(new_order_id(api), f"pi_{uuid.uuid4()}")
    expect(200, api.pay(paid.order_id, event_id=str(uuid.uuid4()), payment_reference=paid.reference))
    return paid


def run_expiry() -> str:
    response = load_function("expire_orders").lambda_handler({}, lambda_context())
    return "{expired} expired, {swept} swept, {erased_bodies} bodies erased".format(**response)
