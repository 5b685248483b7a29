"""A connection that the network lost without a message costs no request that is safe to repeat."""

import time
from collections.abc import Iterator
from threading import Thread, Timer
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db, sockets
from storefront.errors import Unavailable
from tests.api_client import ApiClient, expect
from tests.integration.network import LOSSES, Network, network_to

LOSS_TIMEOUT = 0.3
"""Seconds. Shorter than in production, so that the tests are fast."""

PRODUCT = {"name": "Tea", "price": 1, "quantity": 10}


@pytest.fixture
def network(api: ApiClient, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A network with an open connection of the functions."""
    monkeypatch.setattr(sockets, "LOSS_TIMEOUT", LOSS_TIMEOUT)
    with network_to(database_url) as network:
        monkeypatch.setenv("DATABASE_URL", network.url)
        db.disconnect()
        api.get("/api/products")
        yield network
        db.disconnect()


def lose_and_release(network: Network, database: Connection) -> None:
    """Lose the connection while its call waits for the lock. Release the lock when the repeated call waits too."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    deadline = time.monotonic() + 10
    for count, then in ((1, network.drop_packets), (2, lambda: database.run("ROLLBACK"))):
        while database.run(waiting) != [[count]] and time.monotonic() < deadline:
            time.sleep(0.02)
        then()


both = pytest.mark.parametrize("loss", LOSSES)


@both
def test_a_read_after_the_loss_succeeds(network: Network, api: ApiClient, loss: str) -> None:
    tea = api.create_product()
    network.lose(loss)
    assert api.stock(tea["id"]) == 10
    assert network.opened == 2


@both
def test_a_refund_event_after_the_loss_is_applied_once(network: Network, api: ApiClient, loss: str) -> None:
    order = api.order((api.create_product()["id"], 1))
    api.pay(order["id"])
    refund = {"type": "refund.succeeded", "order_id": order["id"], "processor_refund_id": "re_1", "amount": "1.00"}
    network.lose(loss)
    assert expect(200, api.deliver(refund))["outcome"] == "applied"
    assert expect(200, api.get(f"/api/orders/{order['id']}"))["refunded_amount"] == "1.00"


@both
def test_a_payment_event_after_the_loss_is_applied_once(network: Network, api: ApiClient, loss: str) -> None:
    order = api.order((api.create_product()["id"], 1))
    network.lose(loss)
    assert expect(200, api.pay(order["id"]))["outcome"] == "applied"
    [event] = expect(200, api.get("/api/payment-events"))["items"]
    network.lose(loss)
    assert expect(200, api.call("POST", f"/api/payment-events/{event['id']}/replay"))["outcome"] == "duplicate"


@both
def test_a_request_with_an_idempotency_key_after_the_loss_takes_effect_once(
    network: Network, api: ApiClient, loss: str
) -> None:
    network.lose(loss)
    response = api.call("POST", "/api/products", PRODUCT, {"Idempotency-Key": "k"})
    assert (response.status, "idempotent-replayed" in response.headers) == (201, False)
    assert expect(200, api.get("/api/products"))["total"] == 1


@both
def test_another_request_after_the_loss_returns_503_and_changes_nothing(
    network: Network, api: ApiClient, loss: str
) -> None:
    tea = api.create_product()
    order = api.order((tea["id"], 1))
    for method, path, body in (
        ("POST", "/api/products", PRODUCT),
        ("PUT", f"/api/orders/{order['id']}/status", {"status": "completed"}),
        ("DELETE", f"/api/products/{tea['id']}", None),
    ):
        api.get("/api/products")
        network.lose(loss)
        response = api.call(method, path, body)
        assert response.problem() == (503, "unavailable")
        assert 1 <= int(response.headers["retry-after"]) <= 5
    assert expect(200, api.get("/api/products"))["total"] == 1
    assert expect(200, api.get(f"/api/orders/{order['id']}"))["status"] == "pending"


def test_a_repeated_call_whose_first_one_still_runs_takes_effect_once(
    network: Network, api: ApiClient, database: Connection
) -> None:
    order = {"customer_id": 1, "products": [{"product_id": api.create_product()["id"], "quantity": 1}]}
    database.run("BEGIN")
    database.run("SELECT FROM products FOR UPDATE")
    meeting = Thread(target=lose_and_release, args=(network, database))
    meeting.start()
    response = api.call("POST", "/api/orders", order, {"Idempotency-Key": "k"})
    meeting.join()
    assert (response.status, response.headers["idempotent-replayed"]) == (201, "true")
    assert expect(200, api.get("/api/orders"))["total"] == 1


def lose_the_second_time(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also lose the connection that replaces the lost one, before its first request."""
    connect = db.connect

    def connect_and_lose(*arguments: Any) -> Connection:
        connection = connect(*arguments)
        network.drop_packets()
        return connection

    network.drop_packets()
    monkeypatch.setattr(db, "connect", connect_and_lose)


def test_a_request_is_sent_at_most_twice(network: Network, api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_the_second_time(network, monkeypatch)
    assert api.get("/api/products").problem() == (503, "unavailable")
    assert network.opened == 2


@pytest.fixture
def slow(database: Connection) -> str:
    """An SQL function that waits for the given number of seconds, and counts its calls."""
    database.run("CREATE TABLE slow_calls (n int); GRANT INSERT ON slow_calls TO PUBLIC")
    database.run("""
        CREATE FUNCTION slow(request jsonb, OUT outcome text, OUT body text) LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_sleep(request::float);
            INSERT INTO slow_calls VALUES (1);
            outcome := 'slept';
        END $$""")
    return "slow"


def test_a_slow_statement_is_not_a_loss(slow: str, network: Network) -> None:
    assert db.call(slow, "1.5", repeatable=True) == ("slept", "")
    assert network.opened == 1


def test_a_loss_while_a_statement_runs_is_noticed_before_the_response_timeout(slow: str, network: Network) -> None:
    loss = Timer(0.2, network.drop_packets)
    loss.start()
    started = time.monotonic()
    with pytest.raises(Unavailable):
        db.call(slow, "2.5", repeatable=False)
    assert time.monotonic() - started < 2.5
    loss.join()


def test_a_loss_that_is_noticed_late_is_not_repeated(
    slow: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The statement itself may be the reason. A retry would also take too long for API Gateway.
    monkeypatch.setattr(db, "RETRY_WITHIN", 0.1)
    loss = Timer(0.2, network.forget_connections)
    loss.start()
    with pytest.raises(Unavailable):
        db.call(slow, "2", repeatable=True)
    assert network.opened == 1
    loss.join()


def test_a_connection_that_was_unused_for_four_minutes_is_replaced(
    network: Network, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for jump, opened in ((db.MAX_IDLE - 1, 1), (2 * db.MAX_IDLE, 2), (-1, 3)):
        # A process that was frozen sees only the wall clock advance.
        monkeypatch.setattr(time, "time", lambda jump=jump: now + jump)
        assert api.call("POST", "/api/products", PRODUCT).status == 201
        assert network.opened == opened


def test_a_response_that_arrived_in_part_is_not_repeated(network: Network, api: ApiClient) -> None:
    network.response_limit = 20
    assert api.get("/api/products").problem() == (503, "unavailable")
    assert network.opened == 1
