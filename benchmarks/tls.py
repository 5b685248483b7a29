"""Measures opening and closing a connection over verified TLS, compared with psycopg, which uses C."""

from contextlib import ExitStack
from typing import Any

from benchmarks.bench import FASTAPI, HERE, PEERS, STOREFRONT, Bench, System
from benchmarks.workers import Timing, Work, Worker, run, start_workers, summary
from tests.integration.tls_server import authority, programs, tls_server

SYSTEMS = (
    System("storefront", STOREFRONT.python, {"connect": f"{HERE / 'layer.py'}:connect"}),
    System("psycopg", FASTAPI.python, {"connect": f"{PEERS / 'fastapi' / 'connect.py'}:connect"}),
)


def measure(bench: Bench) -> dict[str, Any] | None:
    """Return None if no PostgreSQL with TLS is installed. The embedded one does not support it."""
    if programs() is None:
        return None
    trusted = authority("benchmark")
    with tls_server(trusted) as server, ExitStack() as resources:
        # The password of the test server.
        url = server.url("somebody:right", trusted, sslmode="verify-full")
        running: dict[str, list[Worker]] = {}
        rounds: dict[str, list[Timing]] = {}
        for system in SYSTEMS:
            environment = {**bench.environment(url), "DATABASE_URL": url}
            running[system.name] = resources.enter_context(start_workers(system, 1, environment))
            run(running[system.name], [_work(system)._replace(repeat=False)])
            rounds[system.name] = []
        for _ in range(bench.sizes.rounds * 2):
            for system in SYSTEMS:
                rounds[system.name].append(run(running[system.name], [_work(system)], bench.sizes.seconds))
    return {name: summary(timings) for name, timings in rounds.items()}


def _work(system: System) -> Work:
    return Work(system.handlers["connect"], [{}] * 30, (200,))
