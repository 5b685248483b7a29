"""Which systems are measured, and in which setups."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from benchmarks.bench import Bench
from benchmarks.products import catalog, database, medusa, rush, storefront, vendure
from benchmarks.products.one_client import SECONDS, OverHttp, Subject, in_process
from benchmarks.products.shops import Running

IN_PROCESS = "Storefront, in process"
EMULATOR = "Storefront, local emulator"
WITH_PAYMENT = "Storefront, local emulator, with the payment event"
VENDURE = "Vendure"
MEDUSA = "Medusa, with Redis"
MEDUSA_DEFAULTS = "Medusa, with its defaults"

TWO_SERVERS = ", two servers"


class Scenarios:
    """redis: port and process ID of Redis, or None without it."""

    def __init__(self, bench: Bench, redis: tuple[int, int] | None) -> None:
        self._bench = bench
        self._redis = redis
        self._redis_port = redis[0] if redis else None
        self._urls: dict[str, str] = {}
        self._seeded: dict[str, str] = {}

    def seed(self) -> None:
        """Create a database for each shop. Each setup of Medusa has its own."""
        server_url = self._bench.server_url
        self._urls["storefront"] = storefront.seed(self._bench)
        self._urls["vendure"] = database.create(server_url, "vendure")
        vendure.seed(self._urls["vendure"], self._bench.folder)
        self._urls["medusa"] = database.create(server_url, "medusa")
        self._seeded = medusa.seed(self._urls["medusa"], self._bench.folder)
        self._urls["medusa_defaults"] = database.copy(server_url, "medusa", "medusa_defaults")
        for url in self._urls.values():
            database.rows(url, "VACUUM ANALYZE")

    def shared_processes(self) -> dict[str, int]:
        """Return the process IDs of the servers that the systems share."""
        shared = {"PostgreSQL": database.server_process(self._bench.server_url)}
        return {**shared, "Redis": self._redis[1]} if self._redis else shared

    @contextmanager
    def subjects(self) -> Iterator[dict[str, tuple[Subject, str]]]:
        """Run all systems, and yield them with the names of their databases."""
        with ExitStack() as resources:
            handlers = resources.enter_context(in_process(self._bench, self._urls["storefront"]))
            subjects: dict[str, tuple[Subject, str]] = {IN_PROCESS: (handlers, "storefront")}
            for name, (run, database_name) in self._setups().items():
                # The payment event changes only orders.
                kinds = ("order",) if name == WITH_PAYMENT else tuple(SECONDS)
                subjects[name] = OverHttp(resources.enter_context(run(1)), kinds), database_name
            yield subjects

    def rush(self, log: Callable[[str], None]) -> dict[str, Any]:
        """Let many buyers order at the same time, in one setup after another."""
        # How often each database was used.
        setups, used = {}, dict.fromkeys(self._urls, 0)
        for name, servers in self._rushes():
            title = f"{name}{TWO_SERVERS if servers == 2 else ''}"
            log(f"{rush.BUYERS} buyers: {title}")
            run, database_name = self._setups()[name]
            earlier = used[database_name]
            used[database_name] += 1
            hot = [catalog.hot_sku(earlier * rush.RUNS + n) for n in range(rush.RUNS)]
            with run(servers) as running:
                setups[title] = rush.measure(running, catalog.last_sku(earlier), hot)
        missing = [] if self._redis else [f"{MEDUSA}{TWO_SERVERS}"]
        return {"buyers": rush.BUYERS, "units": catalog.HOT_STOCK, "setups": setups, "not_measured": missing}

    def _rushes(self) -> list[tuple[str, int]]:
        with_redis = [(MEDUSA, 2)] if self._redis else []
        return [(EMULATOR, 1), (VENDURE, 1), (VENDURE, 2), *with_redis, (MEDUSA_DEFAULTS, 1), (MEDUSA_DEFAULTS, 2)]

    def _setups(self) -> Mapping[str, tuple[Callable[[int], AbstractContextManager[Running]], str]]:
        """Return how to run each system with a number of servers, and the name of its database."""
        urls, logs, port = self._urls, self._bench.folder, self._redis_port
        setups: dict[str, tuple[Callable[[int], AbstractContextManager[Running]], str]] = {
            EMULATOR: (lambda _: storefront.run(urls["storefront"], logs), "storefront"),
            WITH_PAYMENT: (lambda _: storefront.run(urls["storefront"], logs, with_payment=True), "storefront"),
            VENDURE: (lambda servers: vendure.run(urls["vendure"], port, logs, servers), "vendure"),
        }
        if port:
            setups[MEDUSA] = (lambda servers: medusa.run(urls["medusa"], self._seeded, port, logs, servers), "medusa")
        setups[MEDUSA_DEFAULTS] = (
            lambda servers: medusa.run(urls["medusa_defaults"], self._seeded, None, logs, servers),
            "medusa_defaults",
        )
        return setups
