"""Processes that trade at random and without end, and say what they were promised; any of them may be killed."""

import json
import math
import os
import time
from collections.abc import Sequence
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

ACTIONS = {"order": 8, "status": 3, "payment": 5, "adjustment": 3, "expiry": 1}
"""What is asked for, and how often beside the others."""

SENT_AGAIN = (409, 503)

_PAUSE = 0.02
"""Seconds before a request is sent again: a server that starts needs the processor more."""

_PATIENCE = 60.0


class Request(NamedTuple):
    """All that it takes to send it again, from another process too. The target is an order's or a product's id."""

    action: str
    key: str
    target: str
    body: Any


class Promise(NamedTuple):
    """The last answer to a request, which is neither 409 nor 503, and how often it was sent for it."""

    request: Request
    status: int
    body: Any
    times_sent: int


def insist(api: ApiClient, request: Request) -> Promise:
    """Send a request until there is an answer that says what became of it."""
    times_sent = 1
    while (response := _send(api, request)).status in SENT_AGAIN:
        times_sent += 1
        time.sleep(_PAUSE)
    return Promise(request, response.status, response.json, times_sent)


def _send(api: ApiClient, request: Request) -> Response:
    _, key, target, body = request
    match request.action:
        case "order":
            return api.call("POST", "/api/orders", body, {"idempotency-key": key})
        case "status":
            return api.change_status(target, body)
        case "payment":
            return api.pay(target, body, event_id=key)
        case "adjustment":
            path = f"/api/products/{target}/stock-adjustments"
            return api.call("POST", path, {"delta": body, "reason": key}, {"idempotency-key": key})
        case _:
            return _expire()


def _expire() -> Response:
    """A run of the scheduled function, told as if it had been asked for over HTTP."""
    try:
        return Response(200, {}, json.dumps(load_function("expire_orders").lambda_handler({}, lambda_context())))
    except Unavailable:
        return Response(503, {}, "")


def _choose(random: Random, key: str, product_ids: Sequence[str], order_ids: Sequence[str]) -> Request:
    [action] = random.choices(list(ACTIONS), list(ACTIONS.values()))
    match action:
        case "order":
            bought = random.sample(product_ids, random.randint(1, 3))
            lines = [{"product_id": product_id, "quantity": random.randint(1, 3)} for product_id in bought]
            return Request(action, key, "", {"customer_id": 1, "products": lines})
        case "status":
            return Request(action, key, random.choice(order_ids), random.choice(["canceled", "completed"]))
        case "payment":
            return Request(action, key, random.choice(order_ids), random.choice(["paid", "paid", "failed"]))
        case "adjustment":
            return Request(action, key, random.choice(product_ids), random.choice([-9, -1, 1, 9, 19]))
        case _:
            return Request(action, key, "", None)


class Task(NamedTuple):
    """What a worker is given. Its choices follow from its name, which starts its keys too."""

    name: str
    environment: dict[str, str]
    product_ids: list[str]
    order_ids: list[str]
    unanswered: Request | None


def _work(task: Task, parent: Connection) -> None:
    os.environ.update(task.environment)
    logger.setLevel("CRITICAL")
    vars(load_function("webhook"))["keyring"] = local_keyring()
    api, random, order_ids = ApiClient(over_handlers), Random(task.name), list(task.order_ids)
    request = task.unanswered
    for number in count():
        request = request or _choose(random, f"{task.name}-{number}", task.product_ids, order_ids)
        # Both are short enough for the pipe to take them whole or not at all, whenever the process is killed.
        parent.send(request)
        promise = insist(api, request)
        parent.send(promise)
        if request.action == "order" and promise.status == 201:
            order_ids.append(promise.body["id"])
        request = None


@dataclass(eq=False)
class Worker:
    """A process, as its parent knows it."""

    process: BaseProcess
    inbox: Connection
    unanswered: Request | None = None
    promised: int = 0


class Crew:
    """Workers that trade at the same time, and every promise that was made to them."""

    def __init__(
        self, size: int, seed: str, environment: dict[str, str], product_ids: list[str], order_ids: list[str]
    ) -> None:
        self.promises: list[Promise] = []
        self.workers: list[Worker] = []
        # A fault may cost the request that it breaks in, which has to be sent a second time, and no more.
        self.may_be_sent: float = 2
        self._tasks = (Task(f"{seed}-{n}", environment, product_ids, order_ids, None) for n in count())
        self._context = forked_from(__name__)
        for _ in range(size):
            self._hire(None)

    def _hire(self, unanswered: Request | None) -> None:
        inbox, outbox = self._context.Pipe(duplex=False)
        task = next(self._tasks)._replace(unanswered=unanswered)
        process = self._context.Process(target=_work, args=(task, outbox), daemon=True)
        process.start()
        # The worker's end is the worker's alone, so that it closes when the worker is killed.
        outbox.close()
        self.workers.append(Worker(process, inbox, unanswered))

    def wait_for_promises(self, number: int) -> None:
        """Until that many more were made, to whomever."""
        enough = len(self.promises) + number
        while len(self.promises) < enough:
            self._listen()

    def wait_for_everybody(self) -> None:
        """Until each worker has got an answer to a request that it has sent since."""
        for worker in self.workers:
            while worker.inbox.poll():
                self._hear(worker)
        # The first that is heard of now may be to a request that was sent before.
        enough = {worker: worker.promised + 2 for worker in self.workers}
        while any(worker.promised < number for worker, number in enough.items()):
            self._listen()
        self.may_be_sent = 2

    def excuse(self) -> None:
        """Let requests be sent as often as it takes, until the crew has been waited for."""
        self.may_be_sent = math.inf

    def kill(self, worker: Worker) -> Request | None:
        """Kill it at once; the request that it got no answer to, if there is one."""
        worker.process.kill()
        worker.process.join()
        try:
            while True:
                self._hear(worker)
        except EOFError:
            pass
        worker.inbox.close()
        worker.process.close()
        self.workers.remove(worker)
        return worker.unanswered

    def replace(self, worker: Worker) -> None:
        """Kill it; a new one takes over what it did not finish."""
        self._hire(self.kill(worker))

    def kill_everybody(self) -> list[Request]:
        """The requests that nobody got an answer to."""
        return [request for worker in list(self.workers) if (request := self.kill(worker))]

    def close(self) -> None:
        self.excuse()
        self.kill_everybody()

    def _listen(self) -> None:
        ready = wait([worker.inbox for worker in self.workers], _PATIENCE)
        assert ready, f"nobody was promised anything for {_PATIENCE:.0f} seconds"
        for worker in self.workers:
            if worker.inbox in ready:
                try:
                    self._hear(worker)
                except EOFError:
                    raise AssertionError("a worker ended by itself; its own words are in the captured stderr") from None

    def _hear(self, worker: Worker) -> None:
        said = worker.inbox.recv()
        if isinstance(said, Request):
            worker.unanswered = said
            return
        assert said.times_sent <= self.may_be_sent, said
        worker.unanswered = None
        worker.promised += 1
        self.promises.append(said)


# For every worker that is forked from here.
for _name in ("orders", "products", "webhook", "expire_orders"):
    load_function(_name)
