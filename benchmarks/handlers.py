"""Whole handlers, API Gateway's event in, the response out, beside the limit and the peers."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import pgbench, workloads
from benchmarks.bench import HERE, STOREFRONT, SYSTEMS, Bench, System, say
from benchmarks.workers import Timing, Work, Worker, run, summary, warm, workers
from tests.integration.wire import wire_to

ROWS = 1_000
"""Products and orders in the database at the beginning."""

EVENTS = 300
"""Different requests that a worker goes through."""

SCRIPTS = 60
"""Different requests that pgbench chooses from."""

ORIGIN = {"actor": "shop", "request_id": "00000000-0000-4000-8000-000000000000"}

NETWORK_DELAY = 0.001
"""Seconds in each direction, for 2 ms of network between function and database."""


@dataclass(frozen=True)
class Workload:
    """A kind of request: who answers it, the events of one worker, and the statement behind it, for the limit."""

    function: str
    status: int
    events: Callable[[Random], Sequence[Any]]
    statement: str | None = None
    requests: Callable[[Random], list[dict[str, Any]]] | None = None
    repeat: bool = True

    def work(self, system: System, random: Random) -> Work:
        return Work(system.handlers[self.function], self.events(random), (self.status,), self.repeat)


def _order(lines: int) -> Workload:
    return Workload(
        "orders",
        201,
        lambda random: workloads.place(workloads.new_orders(random, EVENTS, lines, ROWS)),
        "place_order",
        lambda random: [{**body, **ORIGIN} for body in workloads.new_orders(random, SCRIPTS, lines, ROWS)],
    )


def workloads_on(url: str, payments: int) -> dict[str, Workload]:
    """payments: events for the webhook, each of which is sent once."""
    orders = {f"order of {lines}": _order(lines) for lines in workloads.LINES}
    hot = Workload(
        "orders",
        201,
        lambda _: workloads.place(workloads.hot_orders(1)),
        "place_order",
        lambda _: [{**body, **ORIGIN} for body in workloads.hot_orders(1)],
    )
    get = Workload(
        "orders",
        200,
        lambda random: workloads.get(random, EVENTS, ROWS),
        "get_order",
        lambda random: [{"id": workloads.order_id(random.randint(1, ROWS))} for _ in range(SCRIPTS)],
    )
    page = Workload(
        "products",
        200,
        lambda _: workloads.list_products(),
        "page_of_products",
        lambda _: [{"page": 1, "page_size": 20, "sort": "-created_at"}],
    )
    webhook = Workload("webhook", 200, lambda _: workloads.payments(url, payments), repeat=False)
    return {**orders, "hot product": hot, "get": get, "list": page, "webhook": webhook}


DATABASE_LAYER = System("database layer", STOREFRONT.python, {"orders": f"{HERE / 'layer.py'}:place_order"})
"""What is below the handler: storefront/db.py alone."""


def measure(bench: Bench, url: str) -> dict[str, Any]:
    """Each kind of request, by so many processes: summaries by kind, number of processes and system."""
    random, sizes = Random(1), bench.sizes
    environment = bench.environment(url)
    found: dict[str, Any] = {}
    with ExitStack() as resources:
        systems = (*SYSTEMS, DATABASE_LAYER)
        crews = {
            system: resources.enter_context(workers(system, max(sizes.processes), environment)) for system in systems
        }
        for name, workload in workloads_on(url, payments=0).items():
            for system in _taking(name, systems):
                _warm(url, crews[system], system, name, workload, random)
        for processes in sizes.processes:
            for name in workloads_on(url, 0):
                say(f"  {name}, {processes} processes")
                rounds: dict[str, list[Timing]] = {}
                for _ in range(sizes.rounds):
                    _round(bench, url, name, processes, crews, rounds, random)
                found.setdefault(name, {})[str(processes)] = {one: summary(timings) for one, timings in rounds.items()}
    return found


def _taking(name: str, systems: Sequence[System]) -> list[System]:
    return [system for system in systems if name == "hot product" or system is not DATABASE_LAYER]


def _warm(url: str, crew: list[Worker], system: System, name: str, workload: Workload, random: Random) -> None:
    if name == "webhook":
        workload = workloads_on(url, 30 * len(crew))[name]
        events = list(workload.events(random))
        own = [workload.work(system, random)._replace(events=events[i :: len(crew)]) for i in range(len(crew))]
        run(crew, own, 60.0)
    else:
        warm(crew, workload.work(system, random))


def _round(
    bench: Bench,
    url: str,
    name: str,
    processes: int,
    crews: dict[System, list[Worker]],
    rounds: dict[str, list[Timing]],
    random: Random,
) -> None:
    """One after the other, each system and the limit."""
    seconds = bench.sizes.seconds
    workload = workloads_on(url, round(4000 * seconds / min(processes, 2)))[name]
    for system in _taking(name, list(crews)):
        work = [workload.work(system, random) for _ in range(processes)]
        rounds.setdefault(system.name, []).append(run(crews[system][:processes], work, seconds))
    if workload.statement and workload.requests:
        app_url = bench.environment(url)["DATABASE_URL"]
        for limit, protocol in pgbench.PROTOCOLS.items():
            rate = pgbench.rate(app_url, protocol, workload.statement, workload.requests(random), processes, 1)
            rounds.setdefault(limit, []).append(Timing(rate, processes / rate * 1000, 0.0))


def measure_network(bench: Bench, url: str) -> dict[str, Any]:
    """Round trips of each kind of request, and its time with 2 ms of network before the database."""
    found: dict[str, Any] = {}
    random = Random(2)
    for system in SYSTEMS:
        with TemporaryDirectory() as folder, wire_to(bench.environment(url)["DATABASE_URL"], Path(folder)) as wire:
            environment = {**bench.environment(url), "DATABASE_URL": wire.url}
            with workers(system, 1, environment) as crew:
                for name in workloads_on(url, 0):
                    workload = workloads_on(url, bench.sizes.calls)[name]
                    _warm(url, crew, system, name, workload, random)
                    work = workload.work(system, random)
                    events = (list(work.events) * bench.sizes.calls)[: bench.sizes.calls]
                    before = wire.round_trips
                    run(crew, [work._replace(events=events[:1], repeat=False)], 60.0)
                    trips = wire.round_trips - before
                    wire.delay = NETWORK_DELAY
                    timing = run(crew, [work._replace(events=events[1:], repeat=False)], 60.0)
                    wire.delay = 0.0
                    found.setdefault(name, {})[system.name] = {"round_trips": trips, "p50": timing.p50}
    return found
