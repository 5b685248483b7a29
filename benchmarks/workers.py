"""Processes that answer requests, each as an execution environment does, and what they took."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from subprocess import PIPE, Popen
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any, NamedTuple

from benchmarks.bench import System
from local.settings import ROOT


class Work(NamedTuple):
    """What a worker is to do: events for a handler, and the statuses that it may answer."""

    handler: str
    events: Sequence[Any]
    statuses: tuple[int, ...]
    repeat: bool = True


class Timing(NamedTuple):
    """Requests a second, and the time of one: median and 99th percentile, in milliseconds; 0 where nobody tells."""

    rate: float
    p50: float
    p99: float


class Worker:
    """A process in a system's environment. under: a program that runs it."""

    def __init__(self, system: System, environment: dict[str, str], under: Sequence[str] = ()) -> None:
        # What is told on the standard error is a program's that it runs under: the worker itself keeps quiet.
        self._told = TemporaryFile("w+")  # noqa: SIM115  closed with the worker
        command = [*under, str(system.python), "-m", "benchmarks.worker"]
        self.process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=self._told, text=True, cwd=ROOT, env=environment)

    def close(self) -> str:
        """End it, and give what was told on its standard error."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self._told.seek(0)
        told = self._told.read()
        self._told.close()
        return told

    def say(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        response: dict[str, Any] = json.loads(line) if line else {"error": f"the worker ended: {self.close()}"}
        if "error" in response:
            raise RuntimeError(response["error"])
        return response


@contextmanager
def workers(system: System, number: int, environment: dict[str, str]) -> Iterator[list[Worker]]:
    """Start processes; they end with the context."""
    started = [Worker(system, environment) for _ in range(number)]
    try:
        yield started
    finally:
        for worker in started:
            worker.close()


def run(crew: Sequence[Worker], work: Sequence[Work], seconds: float = 60.0) -> Timing:
    """Have each worker do its work, all of them at the same time. seconds: when they stop, if not with the work."""
    for worker, own in zip(crew, work, strict=True):
        _hand_over(worker, own)
    for worker, own in zip(crew, work, strict=True):
        worker.say(seconds=seconds, repeat=own.repeat)
    return timing([worker.hear() for worker in crew])


def answered(worker: Worker, work: Work) -> Any:
    """What a worker answers to the last of its events: a JSON value."""
    _hand_over(worker, work)
    worker.say(seconds=60.0, repeat=False)
    return json.loads(worker.hear()["body"])


def _hand_over(worker: Worker, work: Work) -> None:
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(list(work.events), file)
        file.flush()
        worker.say(handler=work.handler, events=file.name, statuses=work.statuses)
        worker.hear()


def timing(responses: Sequence[dict[str, Any]]) -> Timing:
    """What workers that went at the same time took together."""
    rate = sum(len(response["latencies"]) / response["elapsed"] for response in responses)
    latencies = sorted(latency for response in responses for latency in response["latencies"])
    return Timing(rate, percentile(latencies, 0.5) / 1000, percentile(latencies, 0.99) / 1000)


def percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def summary(timings: Sequence[Timing]) -> dict[str, Any]:
    """Medians over the rounds, the rate of each, and the lowest and highest of them."""
    rates = [round(timing.rate, 1) for timing in timings]
    return {
        "rates": rates,
        "rate": median(rates),
        "lowest": min(rates),
        "highest": max(rates),
        "p50": median([timing.p50 for timing in timings]),
        "p99": median([timing.p99 for timing in timings]),
    }
