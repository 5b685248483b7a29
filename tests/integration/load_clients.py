"""Processes that use a shop at the same time, each through the handlers and in a session of its own, as in Lambda."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from random import Random
from threading import BrokenBarrierError
from typing import Any, NamedTuple, TypeVar

from pg8000.native import Connection

from storefront import db
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
    """Do each work in a process of its own; the results. The works meet() when they are ready."""
    context = forked_from(__name__)
    environment = {**ENVIRONMENT, "DATABASE_URL": database_url}
    arguments = (environment, context.Barrier(len(works)))
    with ProcessPoolExecutor(len(works), context, _start, arguments) as pool:
        futures = [pool.submit(_do, work) for work in works]
        errors = [error for future in futures if (error := future.exception())]
    # The others wait in vain for the one that failed, which has the reason.
    for error in sorted(errors, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error
    return [future.result() for future in futures]


def meet() -> None:
    """Go on when every process is here."""
    _barrier.wait(_PATIENCE)


def buy(lines: Sequence[tuple[str, int]], times: int) -> list[tuple[int, str]]:
    """Buy again and again; what the shop said to each try."""
    api = _ready_shop()
    meet()
    return [_said(api.place_order(*lines)) for _ in range(times)]


def buy_each(product_ids: Sequence[str]) -> list[tuple[int, str]]:
    """Buy a unit of each product, at the same time as everybody else; what the shop said."""
    api = _ready_shop()
    said = []
    for product_id in product_ids:
        meet()
        said.append(_said(api.place_order((product_id, 1))))
    return said


def hold_each(direct_url: str, product_ids: Sequence[str], until: int) -> None:
    """Keep each product from being sold until that many sessions wait for it."""
    with closing(db.connect(direct_url)) as connection:
        for product_id in product_ids:
            connection.run("BEGIN")
            connection.run(f"SELECT FROM products WHERE id = '{product_id}' FOR UPDATE")
            meet()
            _wait_for_sessions(connection, until)
            connection.run("COMMIT")


class Kept(NamedTuple):
    """What the shop said to an order under a key."""

    order_id: str
    is_replay: bool


def buy_under_keys(product_id: str, keys: Sequence[str]) -> list[Kept]:
    """Send one order under each key, at the same time as everybody else."""
    api = _ready_shop()
    kept = []
    for key in keys:
        meet()
        response = _buy_under_key(api, product_id, key)
        kept.append(Kept(expect(201, response)["id"], "idempotent-replayed" in response.headers))
    return kept


class Delivery(NamedTuple):
    """A payment event on its way."""

    order_id: str
    payment_status: str
    event_id: str
    scheme: str


def deliver(deliveries: Sequence[Delivery]) -> list[str]:
    """Deliver events one after the other, at the same time as everybody else; what came of each."""
    vars(load_function("webhook"))["keyring"] = local_keyring()
    api = _ready_shop()
    meet()
    return [expect(200, _deliver(api, one))["outcome"] for one in deliveries]


def _deliver(api: ApiClient, delivery: Delivery) -> Response:
    body = {"order_id": delivery.order_id, "payment_status": delivery.payment_status, "event_id": delivery.event_id}
    return api.deliver(body, delivery.scheme, delivery.event_id)


def trade(seed: str, product_ids: Sequence[str], times: int) -> None:
    """Order, cancel, complete and expire at random, until somebody sees what no client should."""
    api, random, orders = _ready_shop(), Random(seed), list[str]()
    ways = [[(product_id, 1) for product_id in ids] for ids in (product_ids, product_ids[::-1])]
    meet()
    for _ in range(times):
        if _barrier.broken:
            return
        draw = random.random()
        if draw < 0.1:
            store.expire(0, 5, Actor(actor="test", request_id="test"))
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
    global _barrier  # noqa: PLW0603  what a process of the pool is given when it starts
    _barrier = barrier
    os.environ.update(environment)
    logger.setLevel("CRITICAL")


def _do(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except BaseException:
        _barrier.abort()
        raise


def _ready_shop() -> ApiClient:
    """A shop that has its session already."""
    api = ApiClient(over_handlers)
    expect(200, api.get("/api/products"))
    expect(200, api.get("/api/orders"))
    return api


def _said(response: Response) -> tuple[int, str]:
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


# For every process that is forked from here.
load_function("products")
load_function("orders")
load_function("webhook")
