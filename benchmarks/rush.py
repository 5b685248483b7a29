"""Many buyers order one product at the same time: a flash sale.

Each client of pgbench has its own session, or one of a pool. A client whose order is refused waits for a second, and
tries again.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from random import Random
from typing import Any

from benchmarks.bench import SYSTEMS, Bench, System, log_progress
from benchmarks.layer import ACTOR
from benchmarks.pgbench import Crowd, Script, crowd
from benchmarks.workers import percentile, run, start_workers
from benchmarks.workloads import ROWS, product_id, workloads_on
from local.settings import APP_ROLE, as_role
from storefront import db
from storefront.audit import violations
from tests.api_client import ENVIRONMENT
from tests.integration.pooler import PGBOUNCER, pooler

QUEUE_SLOTS = int(ENVIRONMENT["QUEUE_SLOTS"])

POOL_SIZE = 100
"""Sessions of the pool: more than the slots of a queue."""

PAUSE = 1_000
"""ms that a refused client waits. No order takes as long, so the log of pgbench shows which orders were refused."""

HOT, HOT_UNITS = 1, 2_000_000_001
"""The product that everybody orders. fill.sql says how many units it had before the first order."""

OTHERS = "2 + random(0, 98) * 10"
"""The number of another product that is in stock, as an expression of pgbench."""

# In the requests, the scripts replace # by a number, and @ by the ID of an order.
ORDER = {"customer_id": 1, "products": [{"product_id": "#", "quantity": 1}], "queue_slots": QUEUE_SLOTS, **ACTOR}
EVENT = {
    "event_id": "#", "order_id": "@", "payment_status": "paid", "scheme": "x_signature", "provider": "storefront",
    "body": "{}", **ACTOR,
}  # fmt: skip
VARIABLES: dict[str, Any] = {
    "hot": json.dumps(ORDER).replace("#", product_id(HOT)),
    "order": json.dumps(ORDER).replace("#", product_id(0)[:-12] + "#"),
    "product": json.dumps({"id": product_id(0)[:-12] + "#"}),
    "page": json.dumps({"page": 1, "page_size": 20, "sort": "-created_at"}),
    "event": json.dumps(EVENT),
    "is_warm": 0,
    "payments": 0,
}

NUMBERED = "replace(:{}, '#', lpad((:n)::text, 12, '0'))::jsonb"
OTHER_ORDER = f"\\set n {OTHERS}\nSELECT outcome, body FROM place_order({NUMBERED.format('order')});\n"
# The first order of a session is for another product. Otherwise, the session would make its plans while others wait.
HOT_ORDER = f"""\
\\if :is_warm
SELECT (outcome = 'busy')::integer AS is_refused FROM place_order(:hot) \\gset
\\if :is_refused
\\sleep {PAUSE} ms
\\endif
\\else
\\set is_warm 1
{OTHER_ORDER}\\endif
"""
PAYMENT = """\
\\set number :unpaid + :client_id + :payments * :clients
\\set payments :payments + 1
SELECT outcome, body FROM record_payment_event(replace(replace(:event, '#', 'evt_' || (:number)::text), '@',
    (SELECT id::text FROM orders WHERE number = :number))::jsonb);
"""

_NUMBERS = count()

FIRST_UNPAID = 1_001
"""The number of the first unpaid order."""

_PLACE_UNPAID = "SELECT count(place_order(CAST(:request AS jsonb))) FROM generate_series(1, CAST(:orders AS integer))"

_SOLD_AND_LEFT = """
SELECT p.quantity + sum(item.quantity)
  FROM products p
  JOIN order_items item ON item.product_id = p.id
 WHERE p.id = CAST(:id AS uuid)
 GROUP BY p.id"""

_ORDERS = """
SELECT count(*) FILTER (WHERE item.product_id = CAST(:id AS uuid)),
       count(*) FILTER (WHERE item.product_id <> CAST(:id AS uuid))
  FROM orders o
  JOIN order_items item ON item.order_id = o.id
 WHERE o.created_at >= to_timestamp(:began) AND o.created_at < to_timestamp(:ended)"""

_LAST_SECONDS = """
SELECT count(*)
  FROM orders
 WHERE created_at > (SELECT max(created_at) FROM orders) - make_interval(secs => CAST(:seconds AS double precision))"""
"""Of processes that only order the hot product. They do not start at the same moment."""

RUSH = Script("hot product", HOT_ORDER)
MIXED = (
    Script("hot product", HOT_ORDER, 90),
    Script("other orders", OTHER_ORDER, 4),
    Script(
        "one product", f"\\set n {OTHERS}\nSELECT outcome, body FROM get_product({NUMBERED.format('product')});\n", 2
    ),
    Script("list of products", "SELECT outcome, body FROM list_products(:page);\n", 2),
    Script("payments", PAYMENT, 2),
)


def measure(bench: Bench) -> dict[str, Any]:
    """Measure the rush with direct sessions and through a pool, alone and beside other requests, and the peers."""
    sizes = bench.sizes
    results: dict[str, Any] = {"slots": QUEUE_SLOTS, "pool": POOL_SIZE}
    results["direct"] = {str(n): _rush(bench, n) for n in sizes.sessions}
    results["pooled"] = {str(n): _rush(bench, n, is_pooled=True) for n in sizes.pooled} if PGBOUNCER else {}
    results["beside"] = {str(n): _beside(bench, n) for n in sizes.sessions}
    results["handlers"] = {str(n): {one.name: _handlers(bench, one, n) for one in SYSTEMS} for n in sizes.buyers}
    return results


def _rush(bench: Bench, clients: int, *, is_pooled: bool = False) -> dict[str, Any]:
    log_progress(f"  {clients} clients{' of a pool' if is_pooled else ''}")
    with _shop(bench, clients, is_pooled=is_pooled) as (owner_url, url):
        seen = _crowd(bench, url, [RUSH], clients, sessions=POOL_SIZE if is_pooled else clients)
        orders, _ = _orders_since(owner_url, seen.began, bench.sizes.rush)
        return _summary(seen, orders, bench.sizes.rush)


def _beside(bench: Bench, clients: int) -> dict[str, Any]:
    """Measure other requests during the rush, and at the same rate while nobody orders the hot product."""
    log_progress(f"  {clients} clients, a tenth for other requests")
    with _shop(bench, clients) as (owner_url, url):
        rush = _crowd(bench, url, MIXED, clients)
        orders, others = _orders_since(owner_url, rush.began, bench.sizes.rush)
        # None of them was refused.
        _check(rush.times["other orders"], others)
    counts = {name: len(times) for name, times in rush.times.items()} | {"hot product": orders}
    calm_scripts = [Script("hot product", OTHER_ORDER, orders)]
    calm_scripts += [Script(script.name, script.text, counts[script.name]) for script in MIXED[1:]]
    with _shop(bench, clients) as (_, url):
        rate = sum(counts.values()) / bench.sizes.rush
        calm = _crowd(bench, url, calm_scripts, clients, rate=rate)
    return {
        **_summary(rush, orders, bench.sizes.rush),
        "load": {"rush": rush.processor_load, "calm": calm.processor_load},
        "others": {
            script.name: {"rush": _percentiles(rush.times[script.name]), "calm": _percentiles(calm.times[script.name])}
            for script in MIXED[1:]
        },
    }


def _handlers(bench: Bench, system: System, processes: int) -> float:
    """Return the orders per second that processes with complete handlers place."""
    log_progress(f"  {processes} processes of {system.name}")
    with _shop(bench, processes) as (owner_url, _):
        work = workloads_on(owner_url)["place order, hot product"].work(system, Random(1), 1)
        # A buyer who is refused is not an error.
        work = work._replace(statuses=(201, 503))
        with start_workers(system, processes, bench.environment(owner_url)) as workers:
            for few in range(0, processes, 8):
                run(workers[few : few + 8], [work._replace(repeat=False)] * len(workers[few : few + 8]))
            run(workers, [work] * processes, seconds=bench.sizes.rush + 1)
        with closing(db.connect(owner_url)) as owner:
            [[orders]] = owner.run(_LAST_SECONDS, seconds=bench.sizes.rush)
    return float(orders / bench.sizes.rush)


@contextmanager
def _shop(bench: Bench, clients: int, *, is_pooled: bool = False) -> Iterator[tuple[str, str]]:
    """Create a database with unpaid orders. Yield its URL for the owner, and the clients' URL.

    At the end, check that no unit was sold twice, and that the audit finds nothing.
    """
    name = f"rush_{next(_NUMBERS)}"
    owner_url = bench.database(name, ROWS)
    with closing(db.connect(owner_url, response_timeout=120)) as owner, ExitStack() as resources:
        owner.run("SET statement_timeout = 0")
        owner.run(_PLACE_UNPAID, request=VARIABLES["order"].replace("#", "000000000002"), orders=8 * clients)
        url = as_role(owner_url, APP_ROLE)
        if is_pooled:
            url = resources.enter_context(pooler(bench.server_url, POOL_SIZE)).behind(url)
        yield owner_url, url
        assert owner.run(_SOLD_AND_LEFT, id=product_id(HOT)) == [[HOT_UNITS]]
        assert violations(owner) == []
    with closing(db.connect(bench.server_url)) as server:
        server.run(f"DROP DATABASE {name} WITH (FORCE)")


def _crowd(
    bench: Bench,
    url: str,
    scripts: Sequence[Script],
    clients: int,
    *,
    sessions: int | None = None,
    rate: float | None = None,
) -> Crowd:
    # A new session makes its plans, which takes 20 ms of a processor.
    warm_up = 2 + min(sessions or clients, clients) // 40
    variables = {**VARIABLES, "clients": clients, "unpaid": FIRST_UNPAID}
    return crowd(url, scripts, variables, clients=clients, warm_up=warm_up, seconds=bench.sizes.rush, rate=rate)


def _orders_since(owner_url: str, began: float, seconds: int) -> tuple[int, int]:
    """Return how many orders for the hot product, and for others, are in the database. Rows count, not responses."""
    with closing(db.connect(owner_url)) as owner:
        [[hot, others]] = owner.run(_ORDERS, id=product_id(HOT), began=began, ended=began + seconds)
    return int(hot), int(others)


def _check(times: Sequence[float], orders: int) -> None:
    """Check that the log has as many orders as the database. A few orders are in progress at both ends."""
    assert abs(len(times) - orders) <= max(20, orders // 100), (len(times), orders)


def _summary(seen: Crowd, orders: int, seconds: int) -> dict[str, Any]:
    times = seen.times["hot product"]
    placed = [ms for ms in times if ms < PAUSE]
    refused = [ms - PAUSE for ms in times if ms >= PAUSE]
    # An order that took longer than the pause would count as refused.
    _check(placed, orders)
    return {
        "orders": orders / seconds,
        "refusals": len(refused) / seconds,
        "placed": _percentiles(placed),
        "refused": _percentiles(refused) if refused else None,
    }


def _percentiles(times: Sequence[float]) -> dict[str, float]:
    """Return ms; 0 if nothing was measured, as can happen in a short run."""
    ordered = sorted(times) or [0.0]
    return {"p50": percentile(ordered, 0.5), "p99": percentile(ordered, 0.99), "longest": ordered[-1]}
