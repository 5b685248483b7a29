"""A client that polls the list of orders by time finds every order and every change."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from functools import partial

from pg8000.native import Connection

from storefront import db
from tests.api_client import ROOT, ApiClient, expect
from tests.integration.load_clients import PROCESSES, all_at_once, buy
from tests.integration.races import Call, change_status, is_waited_for, pay, place


def times(api: ApiClient, order_id: str) -> dict[str, datetime]:
    order = expect(200, api.get(f"/api/orders/{order_id}"))
    return {name: datetime.fromisoformat(order[name]) for name in ("created_at", "updated_at")}


def while_waiting(database_url: str, first: Call, second: Call, meanwhile: Callable[[], object]) -> None:
    """Run the second call while it waits for the first one. meanwhile: runs before the first one is committed."""
    with closing(db.connect(database_url)) as one, closing(db.connect(database_url)) as two:
        one.run("BEGIN")
        assert first.run(one) in ("placed", "applied", "updated")
        waiting = threading.Thread(target=lambda: second.run(two))
        waiting.start()
        while not is_waited_for(one):
            assert waiting.is_alive()
        meanwhile()
        one.run("COMMIT")
        waiting.join()


def test_an_order_that_waited_for_a_lock_is_later_than_the_orders_placed_meanwhile(
    api: ApiClient, database_url: str
) -> None:
    tea, mug = (api.create_product()["id"] for _ in range(2))
    placed: list[str] = []
    while_waiting(database_url, place((tea, 1)), place((tea, 2)), lambda: placed.append(api.order((mug, 1))["id"]))
    # A client that polls saw the order of the mug first, and asks for what is later.
    seen = expect(200, api.get(f"/api/orders/{placed[0]}"))["created_at"]
    later = api.items("/api/orders", created_from=seen)
    assert [order["order_items"][0]["quantity"] for order in later] == [2, 1]
    waited = later[0]
    assert waited["created_at"] == waited["updated_at"] > seen
    [event] = api.items(f"/api/orders/{waited['id']}/events")
    assert event["occurred_at"] > waited["created_at"]


def test_a_change_that_waited_for_a_lock_is_later_than_the_changes_made_meanwhile(
    api: ApiClient, database_url: str
) -> None:
    tea = api.create_product()["id"]
    order, other = (api.order((tea, 1))["id"] for _ in range(2))
    while_waiting(
        database_url,
        pay(order, "paid"),
        change_status(order, "completed"),
        lambda: expect(200, api.change_status(other, "completed")),
    )
    assert times(api, order)["updated_at"] > times(api, other)["updated_at"]
    changed = api.items("/api/orders", updated_from=times(api, other)["updated_at"].isoformat())
    assert [one["id"] for one in changed] == [other, order]


def test_a_product_created_after_waiting_has_a_time_after_the_waiting(database: Connection) -> None:
    defaults = database.run(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_default = 'now()'"
    )
    assert defaults == []
    create = Call("create_product", {"name": "Tea", "price": "1", "quantity": 1})
    database.run("BEGIN")
    [[began]] = database.run("SELECT now()")
    assert create.run(database) == "created"
    [[created_at, updated_at]] = database.run("SELECT created_at, updated_at FROM products")
    database.run("ROLLBACK")
    assert created_at == updated_at > began


def test_the_documented_overlap_is_longer_than_a_statement_may_take(database: Connection) -> None:
    [[seconds]] = database.run("SELECT extract(epoch FROM current_setting('statement_timeout')::interval)")
    reference = (ROOT / "docs" / "reference" / "api.md").read_text()
    [overlap] = re.findall(r"minus (\d+) seconds", reference)
    assert f"the {seconds:.0f} seconds after which the database ends" in reference
    assert int(overlap) >= 2 * seconds


def test_updated_from_and_updated_to_include_the_given_time(api: ApiClient) -> None:
    orders = [api.order((api.create_product()["id"], 1)) for _ in range(3)]
    expect(200, api.pay(orders[0]["id"]))
    moments = {order["id"]: expect(200, api.get(f"/api/orders/{order['id']}"))["updated_at"] for order in orders}
    ids = [order["id"] for order in orders]

    def listed(**parameters: str) -> list[str]:
        return [order["id"] for order in api.items("/api/orders", **parameters)]

    # Newest first, as always. The first order changed last.
    assert listed(updated_from=moments[ids[0]]) == [ids[0]]
    assert listed(updated_from=moments[ids[2]]) == [ids[2], ids[0]]
    assert listed(updated_to=moments[ids[1]]) == [ids[1]]
    assert listed(updated_from=moments[ids[1]], updated_to=moments[ids[2]]) == [ids[2], ids[1]]


def test_an_order_that_changes_while_the_pages_are_read_is_in_the_next_poll(
    api: ApiClient, database: Connection
) -> None:
    orders = [api.order((api.create_product()["id"], 1))["id"] for _ in range(3)]
    [[noted]] = database.run("SELECT rfc3339(clock_timestamp())")
    first = expect(200, api.get("/api/orders?updated_from=2000-01-01T00:00:00Z&page_size=1"))
    assert [one["id"] for one in first["items"]] == [orders[2]]
    for changed in (orders[2], orders[0]):
        expect(200, api.change_status(changed, "completed"))
    path = f"/api/orders?updated_from=2000-01-01T00:00:00Z&page_size=2&cursor={first['next_cursor']}"
    rest = expect(200, api.get(path))["items"]
    # The change on a later page is in this poll, and the change on the first page is in the next one.
    assert [(one["id"], one["status"]) for one in rest] == [(orders[1], "pending"), (orders[0], "completed")]
    assert [one["id"] for one in api.items("/api/orders", updated_from=noted)] == [orders[2], orders[0]]


def test_every_change_of_an_order_that_its_response_shows_changes_updated_at(api: ApiClient) -> None:
    order_id = api.order((api.create_product()["id"], 1))["id"]
    seen = [times(api, order_id)["updated_at"]]
    changes = (("pay", "failed"), ("pay", "paid"), ("change_status", "canceled"))
    for name, status in changes:
        expect(200, getattr(api, name)(order_id, status))
        seen.append(times(api, order_id)["updated_at"])
    assert seen == sorted(set(seen))


def test_a_client_that_polls_under_load_sees_every_order(api: ApiClient, database_url: str) -> None:
    # Every order locks the tea last, so each one is committed before the next one gets its time. No overlap is needed.
    mug, tea = sorted(api.create_product(quantity=1000)["id"] for _ in range(2))
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(poll, api, done)
        works = [partial(buy, [(mug, 1), (tea, 1)] if n % 2 else [(tea, 1)], 10) for n in range(PROCESSES)]
        try:
            all_at_once(database_url, works)
        finally:
            done.set()
        seen = polled.result()
    assert seen == {order["id"] for order in api.items("/api/orders", page_size=100)}
    assert len(seen) == 10 * PROCESSES


def poll(api: ApiClient, done: threading.Event) -> set[str]:
    """Read the orders placed at the time of the newest known one or later, until done. Return their IDs."""
    newest, seen, is_last = "2000-01-01T00:00:00Z", set[str](), False
    while not is_last:
        is_last = done.is_set()
        found = api.items("/api/orders", created_from=newest, page_size=100)
        seen |= {order["id"] for order in found}
        newest = max([newest, *(order["created_at"] for order in found)])
    return seen
