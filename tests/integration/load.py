"""Worker processes that send random requests and report the responses, until they are killed."""

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from random import Random
from typing import Any, NamedTuple

from storefront.errors import Unavailable
from storefront.log import logger
from tests.api_client import ApiClient, Response, lambda_context, load_function, local_keyring, over_handlers
from tests.integration.processes import forked_from

ACTIONS = {"order": 8, "status": 3, "payment": 5, "refund": 3, "refund event": 3, "adjustment": 3, "expiry": 1}
"""Each kind of request, with its weight."""

BODIES: dict[str, list[Any]] = {
    "status": ["canceled", "completed"],
    "payment": ["paid", "paid", "failed"],
    "refund": ["0.50", "1.00", "9.00"],
    "refund event": ["refund.pending", "refund.succeeded", "refund.failed"],
    "adjustment": [-9, -1, 1, 9, 19],
}

SENT_AGAIN = (409, 503)

_PAUSE = 0.02
"""Seconds before a request is sent again, to leave the CPU to a server that starts."""

_PATIENCE = 60.0


class Request(NamedTuple):
    """A request that any process can send again. target: the ID of an order or a product."""

    action: str
    key: str
    target: str
    body: Any


class FinalResponse(NamedTuple):
    """The final response to a request, neither 409 nor 503, and how often the request was sent."""

    request: Request
    status: int
    body: Any
    times_sent: int


def send_until_final(api: ApiClient, request: Request) -> FinalResponse:
    """Send a request until its response is final."""
    times_sent = 1
    while (response := _send(api, request)).status in SENT_AGAIN:
        times_sent += 1
        time.sleep(_PAUSE)
    return FinalResponse(request, response.status, response.json, times_sent)


def _send(api: ApiClient, request: Request) -> Response:
    action, key, target, body = request
    idempotent = {"idempotency-key": key}
    refund = {"type": body, "order_id": target, "processor_refund_id": key, "event_id": key, "amount": "0.50"}
    adjustment = {"delta": body, "reason": key}
    sends: dict[str, Callable[[], Response]] = {
        "order": lambda: api.call("POST", "/api/orders", body, idempotent),
        "status": lambda: api.change_status(target, body),
        "payment": lambda: api.pay(target, body, event_id=key),
        "refund": lambda: api.call("POST", f"/api/orders/{target}/refunds", {"amount": body}, idempotent),
        "refund event": lambda: api.deliver(refund),
        "adjustment": lambda: api.call("POST", f"/api/products/{target}/stock-adjustments", adjustment, idempotent),
        "expiry": _expire,
    }
    return sends[action]()


def _expire() -> Response:
    """Run the scheduled function, and return its result as an HTTP response."""
    try:
        return Response(200, {}, json.dumps(load_function("expire_orders").lambda_handler({}, lambda_context())))
    except Unavailable:
        return Response(503, {}, "")


def _choose(random: Random, key: str, product_ids: Sequence[str], order_ids: Sequence[str]) -> Request:
    [action] = random.choices(list(ACTIONS), list(ACTIONS.values()))
    target, bodies = random.choice(order_ids), BODIES.get(action, [None])
    if action == "order":
        bought = random.sample(product_ids, random.randint(1, 3))
        lines = [{"product_id": product_id, "quantity": random.randint(1, 3)} for product_id in bought]
        target, bodies = "", [{"customer_id": 1, "products": lines}]
    elif action == "adjustment":
        target = random.choice(product_ids)
    return Request(action, key, target, random.choice(bodies))


class Task(NamedTuple):
    """The input of a worker. Its name is the seed of its choices, and the prefix of its keys."""

    name: str
    environment: dict[str, str]
    product_ids: list[str]
    order_ids: list[str]
    unfinished: Request | None


def _work(task: Task, parent: Connection) -> None:
    os.environ.update(task.environment)
    logger.setLevel("CRITICAL")
    vars(load_function("webhook"))["keyring"] = local_keyring()
    api, random, order_ids = ApiClient(over_handlers), Random(task.name), list(task.order_ids)
    request = task.unfinished
    for number in count():
        request = request or _choose(random, f"{task.name}-{number}", task.product_ids, order_ids)
        # Both are small, so a killed process has sent each of them completely or not at all.
        parent.send(request)
        final = send_until_final(api, request)
        parent.send(final)
        if request.action == "order" and final.status == 201:
            order_ids.append(final.body["id"])
        request = None


@dataclass(eq=False)
class Worker:
    """A worker process, seen from its parent."""

    process: BaseProcess
    inbox: Connection
    unfinished: Request | None = None
    completed: int = 0


class Crew:
    """Workers that run at the same time, and every response that they got."""

    def __init__(
        self, size: int, seed: str, environment: dict[str, str], product_ids: list[str], order_ids: list[str]
    ) -> None:
        self.final_responses: list[FinalResponse] = []
        self.workers: list[Worker] = []
        # A fault may break one request, which is then sent a second time.
        self.max_attempts: float = 2
        self._tasks = (Task(f"{seed}-{n}", environment, product_ids, order_ids, None) for n in count())
        self._context = forked_from(__name__)
        for _ in range(size):
            self._start_worker(None)

    def _start_worker(self, unfinished: Request | None) -> None:
        inbox, outbox = self._context.Pipe(duplex=False)
        task = next(self._tasks)._replace(unfinished=unfinished)
        process = self._context.Process(target=_work, args=(task, outbox), daemon=True)
        process.start()
        # Only the worker keeps this end open, so that the pipe closes when the worker is killed.
        outbox.close()
        self.workers.append(Worker(process, inbox, unfinished))

    def wait_for_responses(self, number: int) -> None:
        """Wait until the workers together got that many more final responses."""
        enough = len(self.final_responses) + number
        while len(self.final_responses) < enough:
            self._listen()

    def wait_for_all_workers(self) -> None:
        """Wait until each worker got a response to a request that it sent after this call."""
        for worker in self.workers:
            while worker.inbox.poll():
                self._receive(worker)
        # The next response of a worker may be for a request that it sent before this call.
        enough = {worker: worker.completed + 2 for worker in self.workers}
        while any(worker.completed < number for worker, number in enough.items()):
            self._listen()
        self.max_attempts = 2

    def allow_any_attempts(self) -> None:
        """Allow any number of attempts until the next wait for all workers."""
        self.max_attempts = math.inf

    def kill(self, worker: Worker) -> Request | None:
        """Kill a worker, and return its request without a response, if there is one."""
        worker.process.kill()
        worker.process.join()
        try:
            while True:
                self._receive(worker)
        except EOFError:
            pass
        worker.inbox.close()
        worker.process.close()
        self.workers.remove(worker)
        return worker.unfinished

    def replace(self, worker: Worker) -> None:
        """Kill a worker, and start a new one that repeats its unfinished request."""
        self._start_worker(self.kill(worker))

    def kill_all_workers(self) -> list[Request]:
        """Kill all workers, and return the requests without a response."""
        return [request for worker in list(self.workers) if (request := self.kill(worker))]

    def close(self) -> None:
        self.allow_any_attempts()
        self.kill_all_workers()

    def _listen(self) -> None:
        ready = wait([worker.inbox for worker in self.workers], _PATIENCE)
        assert ready, f"no worker got a response for {_PATIENCE:.0f} seconds"
        for worker in self.workers:
            if worker.inbox in ready:
                try:
                    self._receive(worker)
                except EOFError:
                    raise AssertionError("a worker ended; the captured stderr has its error") from None

    def _receive(self, worker: Worker) -> None:
        message = worker.inbox.recv()
        if isinstance(message, Request):
            worker.unfinished = message
            return
        assert message.times_sent <= self.max_attempts, message
        worker.unfinished = None
        worker.completed += 1
        self.final_responses.append(message)


# Loaded here once, for all workers that are forked from this process.
for _name in ("orders", "products", "payments", "webhook", "expire_orders"):
    load_function(_name)
