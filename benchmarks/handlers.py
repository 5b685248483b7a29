"""Measures complete handlers, from API Gateway's event to the response, and compares them with peers and pgbench."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import pgbench
from benchmarks.bench import HERE, STOREFRONT, SYSTEMS, Bench, System, log_progress
from benchmarks.workers import Timing, Worker, last_response, run, start_workers, summary
from benchmarks.workloads import Workload, workloads_on
from tests.integration.postgres_proxy import PostgresProxy, proxy_to

EVENTS = 300
"""Different requests that a worker sends."""

MAX_RATE = 4_000
"""Requests per second of all workers. It determines how many events are created that can be sent only once."""

WARM_UP_REQUESTS = 30
"""Requests that each worker handles before it is measured."""

SCRIPTS = 60
"""Different requests that pgbench sends."""

NETWORK_DELAY = 0.001
"""Seconds in each direction, for a network latency of 2 ms between function and database."""

DATABASE_LAYER = System("database layer", STOREFRONT.python, {"orders": f"{HERE / 'layer.py'}:place_order"})
"""Only storefront/db.py, without a function's handler."""

WorkersBySystem = Mapping[System, Sequence[Worker]]


def measure(bench: Bench, url: str) -> dict[str, Any]:
    """Measure each kind of request with each number of processes, for all systems alternately."""
    random, sizes, environment = Random(1), bench.sizes, bench.environment(url)
    workloads = workloads_on(url)
    results: dict[str, Any] = {name: {} for name in workloads}
    with ExitStack() as resources:
        running = {
            system: resources.enter_context(start_workers(system, max(sizes.processes), environment))
            for system in (*SYSTEMS, DATABASE_LAYER)
        }
        for name, workload in workloads.items():
            for system in _systems_for(name):
                warm_up(running[system], workload, system, random)
            check_same_form(running, workload, random)
        for processes in sizes.processes:
            for name, workload in workloads.items():
                log_progress(f"  {name}, {processes} processes")
                rounds: dict[str, list[Timing]] = {}
                for _ in range(sizes.rounds):
                    selected = {system: running[system][:processes] for system in _systems_for(name)}
                    for system_name, timing in _round(
                        workload, selected, environment["DATABASE_URL"], sizes.seconds, random
                    ):
                        rounds.setdefault(system_name, []).append(timing)
                results[name][str(processes)] = {one: summary(timings) for one, timings in rounds.items()}
    return results


def warm_up(workers: Sequence[Worker], workload: Workload, system: System, random: Random) -> None:
    """Let every worker import and connect, and PostgreSQL plan, before the measurement."""
    run(workers, [workload.work(system, random, WARM_UP_REQUESTS)._replace(repeat=False) for _ in workers])


def check_same_form(running: WorkersBySystem, workload: Workload, random: Random) -> None:
    """Raise RuntimeError if a peer's responses have other fields: it would be measured with different work."""
    storefront, *peers = SYSTEMS
    forms = {system: form_of(last_response(running[system][0], workload.work(system, random, 1))) for system in SYSTEMS}
    for peer in peers:
        if forms[peer] != forms[storefront]:
            raise RuntimeError(f"{peer.name} returns {forms[peer]}, but {storefront.name} returns {forms[storefront]}")


def form_of(value: Any) -> Any:
    """Return the names and types of a JSON value. Of a list, only the first item counts."""
    if isinstance(value, dict):
        return {name: form_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [form_of(item) for item in value[:1]]
    return type(value).__name__


def _systems_for(workload: str) -> tuple[System, ...]:
    return (*SYSTEMS, DATABASE_LAYER) if workload == "place order, hot product" else SYSTEMS


def _round(
    workload: Workload, running: WorkersBySystem, app_url: str, seconds: float, random: Random
) -> Iterator[tuple[str, Timing]]:
    """Measure one system after another, and pgbench."""
    processes = len(next(iter(running.values())))
    # Four processes on two processors do not send more requests than two.
    number = EVENTS if workload.repeat else round(MAX_RATE * seconds / min(processes, 2))
    for system, workers in running.items():
        yield system.name, run(workers, [workload.work(system, random, number) for _ in workers], seconds)
    if workload.statement:
        requests = workload.requests(random, SCRIPTS)
        for name, protocol in pgbench.PROTOCOLS.items():
            rate = pgbench.rate(app_url, protocol, workload.statement, requests, processes, 1)
            yield name, Timing(rate, 0.0, 0.0)


def measure_network(bench: Bench, url: str) -> dict[str, Any]:
    """Count the round trips of each kind of request, and measure its time with a network latency of 2 ms."""
    random, environment = Random(2), bench.environment(url)
    workloads = workloads_on(url)
    results: dict[str, Any] = {name: {} for name in workloads}
    for system in SYSTEMS:
        with (
            TemporaryDirectory() as folder,
            proxy_to(environment["DATABASE_URL"], Path(folder)) as proxy,
            start_workers(system, 1, {**environment, "DATABASE_URL": proxy.url}) as workers,
        ):
            for name, workload in workloads.items():
                warm_up(workers, workload, system, random)
                results[name][system.name] = _through(proxy, workers, workload, system, random, bench.sizes.calls)
    return results


def _through(
    proxy: PostgresProxy, workers: Sequence[Worker], workload: Workload, system: System, random: Random, calls: int
) -> dict[str, Any]:
    before = proxy.round_trips
    run(workers, [workload.work(system, random, 1)._replace(repeat=False)])
    round_trips = proxy.round_trips - before
    proxy.delay = NETWORK_DELAY
    timing = run(workers, [workload.work(system, random, calls)._replace(repeat=False)])
    proxy.delay = 0.0
    return {"round_trips": round_trips, "p50": timing.p50}
