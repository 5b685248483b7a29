"""Responses to buyers while many others order the same product."""

from collections.abc import Iterator

import pytest
from pg8000.native import Connection

from tests.api_client import ENVIRONMENT, ApiClient


@pytest.fixture
def tea(api: ApiClient) -> str:
    return str(api.create_product(quantity=10)["id"])


@pytest.fixture
def full_queue(database: Connection, tea: str) -> Iterator[Connection]:
    """A session that has the queue of the product, and all slots of those who wait. It ends with ROLLBACK."""
    database.run("BEGIN")
    database.run(f"SELECT pg_advisory_xact_lock(queue_of('{tea}'))")
    slots = f"generate_series(1, {ENVIRONMENT['QUEUE_SLOTS']}) slot"
    database.run(f"SELECT pg_advisory_xact_lock(uuid_hash_extended('{tea}', slot)) FROM {slots}")
    yield database
    database.run("ROLLBACK")


@pytest.mark.usefixtures("full_queue")
def test_an_order_is_refused_with_503_if_too_many_others_wait(api: ApiClient, tea: str) -> None:
    refused = api.place_order((tea, 1))
    assert refused.problem() == (503, "product-busy")
    assert api.stock(tea) == 10


@pytest.mark.usefixtures("full_queue")
def test_refused_buyers_are_told_different_times(api: ApiClient, tea: str) -> None:
    times = {int(api.place_order((tea, 1)).headers["retry-after"]) for _ in range(40)}
    assert times <= {1, 2, 3, 4, 5}
    assert len(times) > 1


@pytest.mark.usefixtures("full_queue")
def test_an_order_for_another_product_is_placed_meanwhile(api: ApiClient) -> None:
    assert api.place_order((api.create_product(name="Coffee")["id"], 1)).status == 201


def test_a_refused_order_can_be_sent_again_with_its_key(api: ApiClient, full_queue: Connection, tea: str) -> None:
    body = {"customer_id": 1, "products": [{"product_id": tea, "quantity": 1}]}
    assert api.call("POST", "/api/orders", body, {"idempotency-key": "k"}).problem() == (503, "product-busy")
    full_queue.run("COMMIT")
    assert api.call("POST", "/api/orders", body, {"idempotency-key": "k"}).status == 201
    assert api.stock(tea) == 9
