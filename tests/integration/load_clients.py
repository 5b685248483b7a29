"""Processes that send requests at the same time. Each has its own handlers and its own session, as in Lambda."""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from random import Random
from threading import BrokenBarrierError
from typing import Any, NamedTuple, TypeVar

from pg8000.native import Connection

from storefront import db, settings
from storefront.actor import Actor
from storefront.log import logger
from storefront.orders import store
from tests.api_client import ENVIRONMENT, ApiClient, Response, expect, load_function, local_keyring, over_handlers
from tests.integration.processes import forked_from

PROCESSES = 8

_LOCK_TIMEOUT = 4.0
_PATIENCE = 60.0

Result = TypeVar("Result")

_barrier: Any = None


def all_at_once(database_url: str, works: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run each task in its own process, and return the results. The tasks call meet() when they are ready."""
    context = forked_from(__name__)
    environment = {**ENVIRONMENT, "DATABASE_URL": database_url}
    arguments = (environment, context.Barrier(len(works)))
    with ProcessPoolExecutor(len(works), context, _start, arguments) as pool:
        futures = [pool.submit(_do, work) for work in works]
        errors = [error for future in futures if (error := future.exception())]
    # When one task fails, the others fail at the barrier. Raise the error of the first one.
    for error in sorted(errors, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error
    return [future.result() for future in futures]


def meet() -> None:
    """Wait until every process has called this."""
    _barrier.wait(_PATIENCE)


def buy(line_items: Sequence[tuple[str, int]], times: int) -> list[tuple[int, str]]:
    """Place the same order several times, and return each result."""
    api = _connected_client()
    meet()
    return [_result(api.place_order(*line_items)) for _ in range(times)]


def buy_each(product_ids: Sequence[str]) -> list[tuple[int, str]]:
    """Buy one unit of each product, at the same time as the other processes. Return the results."""
    api = _connected_client()
    # Every process waits, and none is refused as busy.
    vars(settings)["queue_slots"] = lambda: None
    results = []
    for product_id in product_ids:
        meet()
        results.append(_result(api.place_order((product_id, 1))))
    return results


def hold_each(direct_url: str, product_ids: Sequence[str], until: int) -> None:
    """Lock each product until that many sessions wait for it."""
    with closing(db.connect(direct_url)) as connection:
        for product_id in product_ids:
            connection.run("BEGIN")
            connection.run(f"SELECT FROM products WHERE id = '{product_id}' FOR UPDATE")
            meet()
            _wait_for_sessions(connection, until)
            connection.run("COMMIT")


class KeyedOrder(NamedTuple):
    """The response to an order with an idempotency key."""

    order_id: str
    is_replay: bool


def buy_under_keys(product_id: str, keys: Sequence[str]) -> list[KeyedOrder]:
    """Send one order with each key, at the same time as the other processes."""
    api = _connected_client()
    orders = []
    for key in keys:
        meet()
        response = _buy_under_key(api, product_id, key)
        orders.append(KeyedOrder(expect(201, response)["id"], "idempotent-replayed" in response.headers))
    return orders


class Delivery(NamedTuple):
    """A payment event to deliver."""

    order_id: str
    payment_status: str
    event_id: str
    scheme: str


def deliver(deliveries: Sequence[Delivery]) -> list[str]:
    """Deliver events one after the other, while other processes do so too. Return their outcomes."""
    vars(load_function("webhook"))["keyring"] = local_keyring()
    api = _connected_client()
    meet()
    return [expect(200, _deliver(api, one))["outcome"] for one in deliveries]


def _deliver(api: ApiClient, delivery: Delivery) -> Response:
    body = {"order_id": delivery.order_id, "payment_status": delivery.payment_status, "event_id": delivery.event_id}
    return api.deliver(body, delivery.scheme, delivery.event_id)


def deliver_bodies(bodies: Sequence[bytes]) -> Counter[int]:
    """Deliver Stripe's events, while other processes do so too. Count the status codes. A 503 is delivered again."""
    vars(load_function("webhook"))["keyring"] = local_keyring()
    api, waiting, statuses = _connected_client(), list(bodies[::-1]), Counter[int]()
    meet()
    while waiting:
        body = waiting.pop()
        response = api.deliver(body, "stripe")
        statuses[response.status] += 1
        if response.status == 503:
            waiting.insert(0, body)
    return statuses


def trade(seed: str, product_ids: Sequence[str], times: int) -> None:
    """Place, cancel, complete and expire orders at random. Stops when another process has failed."""
    api, random, orders = _connected_client(), Random(seed), list[str]()
    ways = [[(product_id, 1) for product_id in ids] for ids in (product_ids, product_ids[::-1])]
    meet()
    # Orders are due at once.
    settings.order_time_to_live = lambda: -1
    for _ in range(times):
        if _barrier.broken:
            return
        draw = random.random()
        if draw < 0.1:
            store.expire(5, Actor(actor="test", party="shop", request_id="test"))
        elif draw < 0.4 and orders:
            order_id = orders.pop(random.randrange(len(orders)))
            response = api.change_status(order_id, random.choice(["canceled", "canceled", "completed"]))
            assert response.status in {200, 400}, response
        else:
            response = api.place_order(*random.choice(ways))
            assert response.status in {201, 400}, response
            if response.status == 201:
                orders.append(response.json["id"])


def _start(environment: dict[str, str], barrier: Any) -> None:
    global _barrier  # noqa: PLW0603  set once, when a process of the pool starts
    _barrier = barrier
    os.environ.update(environment)
    logger.setLevel("CRITICAL")


def _do(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except BaseException:
        _barrier.abort()
        raise


def _connected_client() -> ApiClient:
    """A client whose database session is already open."""
    api = ApiClient(over_handlers)
    expect(200, api.get("/api/products"))
    expect(200, api.get("/api/orders"))
    return api


def _result(response: Response) -> tuple[int, str]:
    return response.status, response.json.get("title", "placed")


def _wait_for_sessions(connection: Connection, expected: int) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + _LOCK_TIMEOUT
    while (seen := connection.run(waiting)) != [[expected]]:
        assert time.monotonic() < deadline, f"{seen} sessions wait, not {expected}"
        time.sleep(0.005)
        connection.run("SELECT pg_stat_clear_snapshot()")


def _buy_under_key(api: ApiClient, product_id: str, key: str) -> Response:
    body = {"customer_id": 1, "products": [{"product_id": product_id, "quantity": 1}]}
    while True:
        response = api.call("POST", "/api/orders", body, {"idempotency-key": key})
        if response.status != 409:
            return response
        assert "retry-after" in response.headers, response


# Loaded here once, for all processes that are forked from this one.
load_function("products")
load_function("orders")
load_function("webhook")
