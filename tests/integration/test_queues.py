"""Whoever changes the stock of a product waits in its queue."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier, Thread
from typing import NamedTuple

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.audit import violations
from tests.api_client import ApiClient
from tests.integration.races import Call, change_status, expire, make_due, place, refund, two_at_once
from tests.waiting import wait_until

REPETITIONS = 50

LOCK_TIMEOUT = "55P03"
"""The SQLSTATE of a session that waited until lock_timeout."""


class Holder(NamedTuple):
    """A session that has a product's queue, and locks no row. It can also take the first slots of those who wait."""

    product_id: str
    taken_slots: int = 0

    def run(self, session: Connection) -> str:
        session.run(f"SELECT pg_advisory_xact_lock(queue_of('{self.product_id}'))")
        session.run(
            f"SELECT pg_advisory_xact_lock(uuid_hash_extended('{self.product_id}', slot))"
            f" FROM generate_series(1, {self.taken_slots}) slot"
        )
        return "held"


@pytest.fixture
def tea(api: ApiClient) -> str:
    return str(api.create_product(quantity=1000)["id"])


@pytest.fixture
def order_id(api: ApiClient, tea: str) -> str:
    return str(api.order((tea, 3))["id"])


@pytest.fixture
def paid_order_id(api: ApiClient, order_id: str) -> str:
    api.pay(order_id, "paid")
    return order_id


def adjust(product_id: str) -> Call:
    return Call("adjust_stock", {"id": product_id, "delta": 1, "reason": "counted"})


def update(product_id: str) -> Call:
    return Call("update_product", {"id": product_id, "changes": {"price": "2"}})


def delete(product_id: str) -> Call:
    return Call("delete_product", {"id": product_id})


def buy(product_id: str, slots: int = 64) -> Call:
    return place((product_id, 1), queue_slots=slots)


def buy_with_the_previous_release(product_id: str) -> Call:
    return place((product_id, 1))


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (buy, "placed"),
        (buy_with_the_previous_release, "placed"),
        (adjust, "adjusted"),
        (update, "updated"),
        (delete, "deleted"),
    ],
)
def test_a_change_of_a_product_waits_in_its_queue(
    database_url: str, tea: str, call: Callable[[str], Call], outcome: str
) -> None:
    assert two_at_once(database_url, Holder(tea), call(tea)) == ("held", outcome)


def test_a_cancellation_waits_in_the_queue(database_url: str, tea: str, order_id: str) -> None:
    assert two_at_once(database_url, Holder(tea), change_status(order_id, "canceled")) == ("held", "changed")


def test_an_expiry_waits_in_the_queue(database: Connection, database_url: str, tea: str, order_id: str) -> None:
    make_due(database)
    assert two_at_once(database_url, Holder(tea), expire()) == ("held", "expired")
    assert database.run(f"SELECT status::text FROM orders WHERE id = '{order_id}'") == [["canceled"]]


def test_a_refund_that_returns_units_waits_in_the_queue(
    database: Connection, database_url: str, tea: str, paid_order_id: str
) -> None:
    [[item_id]] = database.run(f"SELECT id::text FROM order_items WHERE order_id = '{paid_order_id}'") or [[]]
    lines = [{"order_item_id": item_id, "quantity": 1, "restock": True}]
    assert two_at_once(database_url, Holder(tea), refund(paid_order_id, lines=lines)) == ("held", "created")


def test_an_order_for_another_product_does_not_wait(api: ApiClient, database_url: str, tea: str) -> None:
    coffee = api.create_product(name="Coffee")["id"]
    assert two_at_once(database_url, Holder(tea), place((coffee, 1)), waits=False) == ("held", "placed")


def test_an_order_for_a_product_that_is_sold_out_does_not_wait(api: ApiClient, database_url: str) -> None:
    tea = api.create_product(quantity=0)["id"]
    assert two_at_once(database_url, Holder(tea), place((tea, 1)), waits=False) == ("held", "insufficient_stock")


def test_an_order_for_a_product_that_is_sold_out_takes_no_lock(api: ApiClient, database_url: str, tea: str) -> None:
    sold_out = api.create_product(quantity=0)["id"]
    with closing(db.connect(database_url)) as session:
        session.run("BEGIN")
        assert place((tea, 1), (sold_out, 1), queue_slots=64).run(session) == "insufficient_stock"
        locks = session.run(
            "SELECT locktype FROM pg_locks WHERE pid = pg_backend_pid() AND locktype NOT IN ('relation', 'virtualxid')"
        )
        session.run("COMMIT")
    assert locks == []


def test_an_order_is_refused_at_once_if_the_queue_is_full(api: ApiClient, database_url: str, tea: str) -> None:
    assert two_at_once(database_url, Holder(tea, taken_slots=5), buy(tea, 5), waits=False) == ("held", "busy")
    assert api.stock(tea) == 1000


def test_a_slot_is_found_less_often_the_fewer_are_free(database: Connection, database_url: str, tea: str) -> None:
    with closing(db.connect(database_url)) as holder:
        holder.run("BEGIN")
        Holder(tea, taken_slots=56).run(holder)
        found = [database.run(f"SELECT take_slot('{tea}', 64)") == [[True]] for _ in range(300)]
        holder.run("COMMIT")
    # 197 on average. Fewer than 150, or more than 245, in one of ten million runs.
    assert 150 <= found.count(True) <= 245


def test_an_order_waits_if_a_slot_is_free(database_url: str, tea: str) -> None:
    # With 999 free slots of 1,000, eight attempts find one.
    assert two_at_once(database_url, Holder(tea, taken_slots=1), buy(tea, 1000)) == ("held", "placed")


def test_the_slots_are_free_after_a_transaction(database_url: str, tea: str) -> None:
    assert two_at_once(database_url, Holder(tea, taken_slots=1), adjust(tea)) == ("held", "adjusted")
    assert two_at_once(database_url, Holder(tea), buy(tea, 1)) == ("held", "placed")
    assert two_at_once(database_url, Holder(tea), buy(tea, 1)) == ("held", "placed")


def test_an_order_of_the_previous_release_needs_no_slot(database_url: str, tea: str) -> None:
    assert two_at_once(database_url, Holder(tea, taken_slots=64), buy_with_the_previous_release(tea)) == (
        "held",
        "placed",
    )


@pytest.mark.parametrize(("call", "outcome"), [(buy, "busy"), (buy_with_the_previous_release, LOCK_TIMEOUT)])
def test_an_order_does_not_wait_longer_than_its_release_allows(
    database_url: str, tea: str, call: Callable[[str], Call], outcome: str
) -> None:
    with closing(db.connect(database_url)) as one, closing(db.connect(database_url)) as two:
        one.run("BEGIN")
        Holder(tea).run(one)
        assert call(tea).run(two) == outcome
        one.run("COMMIT")


def test_the_time_in_all_queues_together_is_limited(database: Connection, tea: str) -> None:
    [[in_time]] = database.run(f"SELECT enter_queue_in_time('{tea}') FROM pg_sleep(0)") or [[]]
    [[too_late]] = database.run(f"SELECT enter_queue_in_time('{tea}') FROM pg_sleep(2.1)") or [[]]
    assert (in_time, too_late) == (True, False)


def test_the_limit_of_a_queue_does_not_outlive_the_wait(database: Connection, tea: str) -> None:
    [[before]] = database.run("SHOW lock_timeout") or [[]]
    database.run("BEGIN")
    database.run(f"SELECT enter_queue_in_time('{tea}')")
    [[after]] = database.run("SHOW lock_timeout") or [[]]
    database.run("COMMIT")
    assert after == before


def test_an_order_that_waited_sees_the_stock_of_the_order_before(api: ApiClient, database_url: str) -> None:
    tea = api.create_product(quantity=1)["id"]
    assert two_at_once(database_url, buy(tea), buy(tea)) == ("placed", "insufficient_stock")


@pytest.mark.not_behind_a_pooler("it needs more sessions than the pool has")
def test_a_cancellation_gets_its_turn_among_many_orders(
    database: Connection, database_url: str, tea: str, order_id: str
) -> None:
    calls = [place((tea, 1)), place((tea, 1)), change_status(order_id, "canceled"), place((tea, 1)), place((tea, 1))]
    with closing(db.connect(database_url)) as holder:
        holder.run("BEGIN")
        Holder(tea).run(holder)
        waiting = []
        for call in calls:
            waiting.append(Thread(target=in_own_session, args=(database_url, call)))
            waiting[-1].start()
            wait_until(lambda: len(waiting_sessions(holder)) == len(waiting))
        holder.run("COMMIT")
        for thread in waiting:
            thread.join()
    movements = database.run("SELECT kind::text FROM stock_movements ORDER BY id DESC LIMIT 5") or []
    assert [kind for [kind] in reversed(movements)] == ["sale", "sale", "restock", "sale", "sale"]


def in_own_session(database_url: str, call: Call) -> str:
    with closing(db.connect(database_url)) as session:
        return call.run(session)


def waiting_sessions(session: Connection) -> list[list[int]]:
    """The sessions that wait for an advisory lock in this database."""
    return (
        session.run(
            "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"
        )
        or []
    )


def test_orders_cancellations_and_expiries_of_the_same_products_in_opposite_order_never_deadlock(
    api: ApiClient, database: Connection, database_url: str, tea: str
) -> None:
    coffee = str(api.create_product(name="Coffee", quantity=1000)["id"])
    both, reversed_both = [(tea, 1), (coffee, 1)], [(coffee, 1), (tea, 1)]
    canceled = [api.order(*both)["id"] for _ in range(REPETITIONS)]
    _ = [api.order(*reversed_both) for _ in range(REPETITIONS)]
    database.run(f"UPDATE orders SET expires_at = now() WHERE NOT id = ANY ('{{{','.join(canceled)}}}')")
    tasks: list[Callable[[int], Call]] = [
        lambda _: place(*both, queue_slots=64),
        lambda _: place(*reversed_both, queue_slots=64),
        lambda number: change_status(canceled[number], "canceled"),
        lambda _: update(tea),
        lambda _: Call("expire_orders", {"batch_size": 1}),
        lambda _: adjust(tea),
        lambda _: adjust(coffee),
    ]
    barrier = Barrier(len(tasks))

    def repeat(task: Callable[[int], Call]) -> set[str]:
        with closing(db.connect(database_url)) as session:
            outcomes = set()
            for number in range(REPETITIONS):
                barrier.wait(60)
                outcomes.add(task(number).run(session))
            return outcomes

    with ThreadPoolExecutor(len(tasks)) as pool:
        outcomes = list(pool.map(repeat, tasks))
    assert outcomes == [{"placed"}, {"placed"}, {"changed"}, {"updated"}, {"expired"}, {"adjusted"}, {"adjusted"}]
    # Two orders for each repetition were placed before. A repetition takes two units, returns two, and counts one.
    assert (api.stock(tea), api.stock(coffee)) == (1000 - REPETITIONS, 1000 - REPETITIONS)
    assert violations(database) == []


def test_a_batch_of_expired_orders_enters_at_most_500_queues(database_url: str) -> None:
    with closing(db.connect(database_url)) as session:
        session.run("BEGIN")
        session.run("SELECT enter_queues(ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 5000)))")
        held = session.run("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'")
        session.run("COMMIT")
    assert held == [[500]]
