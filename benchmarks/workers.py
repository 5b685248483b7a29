"""Processes that handle requests like Lambda's execution environments, and their timings."""

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
    """A worker's task: the events for a handler, and the accepted status codes."""

    handler: str
    events: Sequence[Any]
    statuses: tuple[int, ...]
    repeat: bool = True


class Timing(NamedTuple):
    """Requests per second, and the median and 99th percentile of their times in ms; 0 if unknown."""

    rate: float
    p50: float
    p99: float


class Worker:
    """A process with a system's Python. wrapper: a command that runs it, such as valgrind."""

    def __init__(self, system: System, environment: dict[str, str], wrapper: Sequence[str] = ()) -> None:
        # Only the wrapper writes to standard error; the worker redirects its own output.
        self._stderr = TemporaryFile("w+")  # noqa: SIM115  closed with the worker
        command = [*wrapper, str(system.python), "-m", "benchmarks.worker"]
        self.process = Popen(
            command, stdin=PIPE, stdout=PIPE, stderr=self._stderr, text=True, cwd=ROOT, env=environment
        )

    def close(self) -> str:
        """Stop the process, and return its standard error."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self._stderr.seek(0)
        output = self._stderr.read()
        self._stderr.close()
        return output

    def send(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        response: dict[str, Any] = json.loads(line) if line else {"error": f"the worker stopped: {self.close()}"}
        if "error" in response:
            raise RuntimeError(response["error"])
        return response


@contextmanager
def start_workers(system: System, number: int, environment: dict[str, str]) -> Iterator[list[Worker]]:
    """Start processes, which stop when the context ends."""
    started = [Worker(system, environment) for _ in range(number)]
    try:
        yield started
    finally:
        for worker in started:
            worker.close()


def run(workers: Sequence[Worker], work: Sequence[Work], seconds: float = 60.0) -> Timing:
    """Run all workers at the same time, each with its own work. seconds: the maximum duration."""
    for worker, own in zip(workers, work, strict=True):
        _load(worker, own)
    for worker, own in zip(workers, work, strict=True):
        worker.send(seconds=seconds, repeat=own.repeat)
    return timing([worker.receive() for worker in workers])


def last_response(worker: Worker, work: Work) -> Any:
    """Run a worker, and return the JSON body of its last response."""
    _load(worker, work)
    worker.send(seconds=60.0, repeat=False)
    return json.loads(worker.receive()["body"])


def _load(worker: Worker, work: Work) -> None:
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(list(work.events), file)
        file.flush()
        worker.send(handler=work.handler, events=file.name, statuses=work.statuses)
        worker.receive()


def timing(responses: Sequence[dict[str, Any]]) -> Timing:
    """Combine the timings of workers that ran at the same time."""
    rate = sum(len(response["latencies"]) / response["elapsed"] for response in responses)
    latencies = sorted(latency for response in responses for latency in response["latencies"])
    return Timing(rate, percentile(latencies, 0.5) / 1000, percentile(latencies, 0.99) / 1000)


def percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def summary(timings: Sequence[Timing]) -> dict[str, Any]:
    """Return the medians of all rounds, each round's rate, and the lowest and highest rate."""
    rates = [round(timing.rate, 1) for timing in timings]
    return {
        "rates": rates,
        "rate": median(rates),
        "lowest": min(rates),
        "highest": max(rates),
        "p50": median([timing.p50 for timing in timings]),
        "p99": median([timing.p99 for timing in timings]),
    }
