"""Whole handlers, API Gateway's event in, the response out, beside the limit and the peers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import pgbench
from benchmarks.bench import HERE, STOREFRONT, SYSTEMS, Bench, System, say
from benchmarks.workers import Timing, Worker, answered, run, summary, workers
from benchmarks.workloads import Workload, workloads_on
from tests.integration.postgres_proxy import PostgresProxy, proxy_to

EVENTS = 300
"""Different requests that a worker goes through."""

FASTEST = 4_000
"""Events that can only be sent once are made for as many a second, of all workers together."""

WARMING = 30
"""Requests that each worker has answered before it is measured."""

SCRIPTS = 60
"""Different requests that pgbench chooses from."""

NETWORK_DELAY = 0.001
"""Seconds in each direction, for 2 ms of network between function and database."""

DATABASE_LAYER = System("database layer", STOREFRONT.python, {"orders": f"{HERE / 'layer.py'}:place_order"})
"""What is below the handler: storefront/db.py alone."""

Crews = Mapping[System, Sequence[Worker]]


def measure(bench: Bench, url: str) -> dict[str, Any]:
    """Each kind of request, by so many processes: summaries by kind, number of processes and system."""
    random, sizes, environment = Random(1), bench.sizes, bench.environment(url)
    known = workloads_on(url)
    found: dict[str, Any] = {name: {} for name in known}
    with ExitStack() as resources:
        crews = {
            system: resources.enter_context(workers(system, max(sizes.processes), environment))
            for system in (*SYSTEMS, DATABASE_LAYER)
        }
        for name, workload in known.items():
            for system in _taking(name, crews):
                warm(crews[system], workload, system, random)
            check_alike(crews, workload, random)
        for processes in sizes.processes:
            for name, workload in known.items():
                say(f"  {name}, {processes} processes")
                rounds: dict[str, list[Timing]] = {}
                for _ in range(sizes.rounds):
                    some = {system: crews[system][:processes] for system in _taking(name, crews)}
                    for one, timing in _round(workload, some, environment["DATABASE_URL"], sizes.seconds, random):
                        rounds.setdefault(one, []).append(timing)
                found[name][str(processes)] = {one: summary(timings) for one, timings in rounds.items()}
    return found


def warm(crew: Sequence[Worker], workload: Workload, system: System, random: Random) -> None:
    """Have every worker import, connect and let PostgreSQL plan, before anything is measured."""
    run(crew, [workload.work(system, random, WARMING)._replace(repeat=False) for _ in crew])


def check_alike(crews: Crews, workload: Workload, random: Random) -> None:
    """Raise where a peer answers less than the API says, or more: it would be measured at other work."""
    ours, *peers = SYSTEMS
    forms = {system: form(answered(crews[system][0], workload.work(system, random, 1))) for system in SYSTEMS}
    for peer in peers:
        if forms[peer] != forms[ours]:
            raise RuntimeError(f"{peer.name} answers {forms[peer]} where {ours.name} answers {forms[ours]}")


def form(value: Any) -> Any:
    """What a JSON value is made of: names and types, the first item for a list."""
    if isinstance(value, dict):
        return {name: form(item) for name, item in value.items()}
    if isinstance(value, list):
        return [form(item) for item in value[:1]]
    return type(value).__name__


def _taking(name: str, crews: Crews) -> list[System]:
    return [system for system in crews if name == "hot product" or system is not DATABASE_LAYER]


def _round(
    workload: Workload, crews: Crews, app_url: str, seconds: float, random: Random
) -> Iterator[tuple[str, Timing]]:
    """One after the other, each system and the limit."""
    processes = len(next(iter(crews.values())))
    # Two processors do not send more in four processes than in two.
    number = EVENTS if workload.repeat else round(FASTEST * seconds / min(processes, 2))
    for system, crew in crews.items():
        yield system.name, run(crew, [workload.work(system, random, number) for _ in crew], seconds)
    if workload.statement:
        requests = workload.requests(random, SCRIPTS)
        for limit, protocol in pgbench.PROTOCOLS.items():
            rate = pgbench.rate(app_url, protocol, workload.statement, requests, processes, 1)
            yield limit, Timing(rate, 0.0, 0.0)


def measure_network(bench: Bench, url: str) -> dict[str, Any]:
    """Round trips of each kind of request, and its time with 2 ms of network before the database."""
    random, environment = Random(2), bench.environment(url)
    known = workloads_on(url)
    found: dict[str, Any] = {name: {} for name in known}
    for system in SYSTEMS:
        with (
            TemporaryDirectory() as folder,
            proxy_to(environment["DATABASE_URL"], Path(folder)) as proxy,
            workers(system, 1, {**environment, "DATABASE_URL": proxy.url}) as crew,
        ):
            for name, workload in known.items():
                warm(crew, workload, system, random)
                found[name][system.name] = _through(proxy, crew, workload, system, random, bench.sizes.calls)
    return found


def _through(
    proxy: PostgresProxy, crew: Sequence[Worker], workload: Workload, system: System, random: Random, calls: int
) -> dict[str, Any]:
    before = proxy.round_trips
    run(crew, [workload.work(system, random, 1)._replace(repeat=False)])
    round_trips = proxy.round_trips - before
    proxy.delay = NETWORK_DELAY
    timing = run(crew, [workload.work(system, random, calls)._replace(repeat=False)])
    proxy.delay = 0.0
    return {"round_trips": round_trips, "p50": timing.p50}
