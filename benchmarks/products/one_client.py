"""Measures one client that sends one request after another: times, and the processor time of each part."""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple, Protocol

from benchmarks.bench import STOREFRONT, Bench
from benchmarks.products import catalog
from benchmarks.products.client import Client
from benchmarks.products.processes import processor_time
from benchmarks.products.shops import Running
from benchmarks.products.storefront import Storefront, order
from benchmarks.workers import Worker, percentile, start_workers
from benchmarks.workloads import event

ROUNDS = 5
SECONDS = {"order": 6.0, "product": 1.5, "list": 1.5}
"""The kinds of tasks, and how long each is repeated in a round."""

WARM_UP = {"order": 30, "product": 60, "list": 30}
"""Tasks that are not measured. Node.js compiles the code that runs often."""

EVENTS = 300
"""Different events for the handlers, which are sent again after the last."""


class Sample(NamedTuple):
    """latencies: in ms. requests, received: of the last task, with its bytes."""

    latencies: Sequence[float]
    elapsed: float
    requests: int
    received: int


class Subject(Protocol):
    """A system that is measured."""

    @property
    def processes(self) -> Sequence[int]:
        """The IDs of its processes."""

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds of tasks to measure."""

    def repeat(self, kind: str, seconds: float, at_most: int | None = None) -> Sample:
        """Do tasks for this time, but not more than this number."""


class OverHttp:
    def __init__(self, running: Running, kinds: Sequence[str] = tuple(SECONDS)) -> None:
        self.kinds = kinds
        self._shop = running.shop
        self._client = Client(running.ports[0])
        self.processes = running.processes

    def repeat(self, kind: str, seconds: float, at_most: int | None = None) -> Sample:
        self._client.disconnect()
        task, requests = self._task(kind), self._client.requests
        latencies: list[float] = []
        started = before = time.perf_counter()
        while before - started < seconds and len(latencies) != at_most:
            task(catalog.sku(random.randint(1, catalog.PRODUCTS)))
            after = time.perf_counter()
            latencies.append((after - before) * 1000)
            before = after
        requests = (self._client.requests - requests) // len(latencies)
        return Sample(latencies, before - started, requests, self._client.received)

    def _task(self, kind: str) -> Callable[[str], None]:
        if kind == "list":
            return lambda _: self._shop.list_products(self._client)
        task = self._shop.place_order if kind == "order" else self._shop.read_product
        return lambda sku: task(self._client, sku)


class InProcess:
    """The functions' handlers, called directly in one process."""

    def __init__(self, worker: Worker, url: str) -> None:
        self._worker = worker
        self._shop = Storefront(url)
        self.kinds = tuple(SECONDS)
        self.processes = [worker.process.pid]

    def repeat(self, kind: str, seconds: float, at_most: int | None = None) -> Sample:
        events = [self._event(kind) for _ in range(at_most or EVENTS)]
        function, status = ("orders", 201) if kind == "order" else ("products", 200)
        with NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(events, file)
            file.flush()
            self._worker.send(handler=STOREFRONT.handlers[function], events=file.name, statuses=[status])
            self._worker.receive()
        self._worker.send(seconds=seconds, repeat=at_most is None)
        done = self._worker.receive()
        return Sample([one / 1000 for one in done["latencies"]], done["elapsed"], 0, len(done["body"]))

    def _event(self, kind: str) -> dict[str, Any]:
        product = self._shop.product(catalog.sku(random.randint(1, catalog.PRODUCTS)))
        if kind == "order":
            return event("POST", "/api/orders", order(product))
        return event("GET", f"/api/products/{product}" if kind == "product" else "/api/products?page_size=20")


@contextmanager
def in_process(bench: Bench, url: str) -> Iterator[InProcess]:
    with start_workers(STOREFRONT, 1, bench.environment(url)) as [worker]:
        yield InProcess(worker, url)


@dataclass
class Rounds:
    """The samples of a system for one kind of task, and its processor time for each."""

    samples: list[Sample] = field(default_factory=list)
    seconds: list[dict[str, float]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return rates per second, and times and processor times for each task in ms. p99: of all rounds together."""
        rates = [len(sample.latencies) / sample.elapsed for sample in self.samples]
        latencies = sorted(latency for sample in self.samples for latency in sample.latencies)
        number = [len(sample.latencies) for sample in self.samples]
        return {
            "tasks": len(latencies),
            "requests": self.samples[-1].requests,
            "bytes": self.samples[-1].received,
            "rates": [round(rate, 2) for rate in rates],
            "p50": round(percentile(latencies, 0.5), 3),
            "p99": round(percentile(latencies, 0.99), 3),
            "processor": {
                part: [round(1000 * one[part] / tasks, 3) for one, tasks in zip(self.seconds, number, strict=True)]
                for part in self.seconds[0]
            },
        }


def measure(
    subjects: Mapping[str, Subject], others: Mapping[str, int], log: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Measure all systems alternately. others: process IDs of the servers that they share. Returns results by kind."""
    chosen = {kind: {name: one for name, one in subjects.items() if kind in one.kinds} for kind in SECONDS}
    rounds = {kind: {name: Rounds() for name in by_name} for kind, by_name in chosen.items()}
    for kind, by_name in chosen.items():
        for subject in by_name.values():
            subject.repeat(kind, 60.0, WARM_UP[kind])
    for number in range(ROUNDS):
        log(f"  round {number + 1} of {ROUNDS}")
        for kind, seconds in SECONDS.items():
            for name, subject in chosen[kind].items():
                sample, used = _measured(subject, others, kind, seconds)
                rounds[kind][name].samples.append(sample)
                rounds[kind][name].seconds.append(used)
    return {kind: {name: one.summary() for name, one in by_name.items()} for kind, by_name in rounds.items()}


def _measured(
    subject: Subject, others: Mapping[str, int], kind: str, seconds: float
) -> tuple[Sample, dict[str, float]]:
    parts: dict[str, Iterable[int]] = {"server": subject.processes, **{name: [pid] for name, pid in others.items()}}
    before = {part: processor_time(pids) for part, pids in parts.items()}
    sample = subject.repeat(kind, seconds)
    return sample, {part: processor_time(pids) - before[part] for part, pids in parts.items()}
