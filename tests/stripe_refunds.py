"""Stripe's refund endpoints, on a local address. They have faults that a test switches on.

https://docs.stripe.com/api/refunds, https://docs.stripe.com/api/idempotent_requests
https://docs.stripe.com/error-low-level
"""

import json
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_local-only-not-a-secret"

Fault = Literal[
    "request lost",
    "response lost",
    "500 before the refund",
    "500 after the refund",
    "slow",
    "rate limited",
]
"""What happens to a request to create a refund. The client of a lost or slow request gets no response, and times out.

A slow request is processed when the test says so.
"""


@dataclass(frozen=True)
class Reply:
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    def replayed(self) -> "Reply":
        return Reply(self.status, self.body, {"Idempotent-Replayed": "true"})


@dataclass
class Payment:
    """A PaymentIntent that succeeded. amount: in the minor unit of the currency."""

    reference: str
    amount: int
    currency: str
    order_id: str | None = None
    refund_status: str = "succeeded"
    disputed: bool = False

    @property
    def charge(self) -> str:
        return self.reference.replace("pi_", "ch_", 1)


@dataclass
class Saved:
    """The first request with an idempotency key. reply: None while the request is in progress."""

    parameters: dict[str, str]
    reply: Reply | None = None


class Stripe:
    """One account. Records the refunds that were made, the requests to make them, and the events about them."""

    def __init__(self) -> None:
        self.payments: dict[str, Payment] = {}
        self.refunds: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.faults: deque[Fault] = deque()
        self.replies: list[int | None] = []
        self._saved: dict[str, Saved] = {}
        self._lock = Lock()
        self._slow_requests_continue = Event()

    def receive(self, amount: int, currency: str = "usd", **fields: Any) -> Payment:
        """Add a payment of a customer."""
        payment = Payment(f"pi_{uuid.uuid4().hex}", amount, currency, **fields)
        self.payments[payment.reference] = payment
        return payment

    def refunds_of(self, reference: str) -> list[dict[str, Any]]:
        """The refunds of a payment, newest first."""
        return [refund for refund in reversed(self.refunds) if refund["payment_intent"] == reference]

    def returned(self, reference: str) -> int:
        """The money of a payment that went back, or is on its way."""
        return sum(one["amount"] for one in self.refunds_of(reference) if one["status"] not in ("failed", "canceled"))

    def refund(self, reference: str, amount: int | None = None, **metadata: str) -> dict[str, Any]:
        """Make a refund, as in the dashboard. Raises RefusedError."""
        payment = self.payments.get(reference)
        if payment is None:
            raise RefusedError(
                f"No such payment_intent: '{reference}'", code="resource_missing", param="payment_intent"
            )
        left = payment.amount - self.returned(reference)
        amount = left if amount is None else amount
        if payment.disputed:
            raise RefusedError(f"Charge {payment.charge} has been charged back.", code="charge_disputed")
        if left == 0:
            raise RefusedError(f"Charge {payment.charge} has already been refunded.", code="charge_already_refunded")
        if amount > left:
            # Stripe sends no code for this one.
            detail = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            raise RefusedError(detail, param="amount")
        refund = _refund_object(payment, amount, metadata)
        self.refunds.append(refund)
        self.send("refund.created", refund)
        self.send("charge.refunded", self._charge(payment))
        return refund

    def settle(self, refund: dict[str, Any], status: str) -> None:
        """Change a refund's status, for example because the customer's bank refuses the money."""
        refund["status"] = status
        self.send("refund.updated", refund)
        self.send("charge.refund.updated", refund)
        if status == "failed":
            self.send("refund.failed", refund)

    def expire_keys(self) -> None:
        """Forget the idempotency keys, as Stripe does after 24 hours."""
        self._saved.clear()

    def continue_slow_requests(self) -> None:
        """Process the slow requests now, and wait until that is done."""
        self._slow_requests_continue.set()
        while any(saved.reply is None for saved in list(self._saved.values())):
            time.sleep(0.005)

    def create(self, key: str, parameters: dict[str, str]) -> Reply | None:
        """Respond to a request to create a refund. None: the response is lost."""
        fault = self.faults.popleft() if self.faults else None
        reply = self._respond(key, parameters, fault)
        if fault in ("response lost", "slow"):
            reply = None
        self.replies.append(None if reply is None else reply.status)
        return reply

    def list(self, parameters: Mapping[str, str]) -> Reply:
        """Respond to a request for the refunds of a payment."""
        reference = parameters["payment_intent"]
        if reference not in self.payments:
            return RefusedError(f"No such payment_intent: '{reference}'", code="resource_missing").reply
        found = self.refunds_of(reference)
        ids = [refund["id"] for refund in found]
        start = ids.index(parameters["starting_after"]) + 1 if "starting_after" in parameters else 0
        end = start + int(parameters.get("limit", "10"))
        page = {"object": "list", "url": "/v1/refunds", "data": found[start:end], "has_more": len(found) > end}
        return Reply(200, deepcopy(page))

    def _respond(self, key: str, parameters: dict[str, str], fault: Fault | None) -> Reply | None:
        if fault == "request lost":
            return None
        # Before the idempotency keys: it is not saved.
        if fault == "rate limited":
            return _error(429, "Too many requests", code="rate_limit")
        with self._lock:
            saved = self._saved.get(key)
            if saved is not None:
                return _repeated(saved, key, parameters)
            saved = self._saved[key] = Saved(parameters)
        if fault == "slow":
            self._slow_requests_continue.wait(30)
        with self._lock:
            saved.reply = self._execute(parameters, fault)
        return saved.reply

    def _execute(self, parameters: dict[str, str], fault: Fault | None) -> Reply:
        metadata = {name[9:-1]: value for name, value in parameters.items() if name.startswith("metadata[")}
        amount = int(parameters["amount"]) if "amount" in parameters else None
        broken = _error(500, "An unknown error occurred", kind="api_error")
        if fault == "500 before the refund":
            return broken
        try:
            refund = self.refund(parameters["payment_intent"], amount, **metadata)
        except RefusedError as refusal:
            return refusal.reply
        return broken if fault == "500 after the refund" else Reply(200, deepcopy(refund))

    def _charge(self, payment: Payment) -> dict[str, Any]:
        returned = self.returned(payment.reference)
        return {
            "id": payment.charge,
            "object": "charge",
            "amount": payment.amount,
            "amount_refunded": returned,
            "currency": payment.currency,
            "metadata": {} if payment.order_id is None else {"order_id": payment.order_id},
            "payment_intent": payment.reference,
            "refunded": returned == payment.amount,
        }

    def send(self, kind: str, content: dict[str, Any]) -> None:
        """Add an event about an object."""
        self.events.append(
            {
                "id": f"evt_{uuid.uuid4().hex}",
                "object": "event",
                "created": int(time.time()),
                "livemode": False,
                "type": kind,
                "data": {"object": deepcopy(content)},
            }
        )


class RefusedError(Exception):
    """A request that Stripe does not execute."""

    def __init__(self, message: str, **fields: str) -> None:
        super().__init__(message)
        self.reply = _error(400, message, **fields)


def _error(status: int, message: str, kind: str = "invalid_request_error", **fields: str) -> Reply:
    return Reply(status, {"error": {"type": kind, "message": message, **fields}})


def _repeated(saved: Saved, key: str, parameters: dict[str, str]) -> Reply:
    if saved.parameters != parameters:
        detail = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        return _error(400, f"{detail} Key: {key}", kind="idempotency_error")
    if saved.reply is None:
        detail = "There is currently another in-progress request using this Idempotent Key"
        return _error(409, detail, kind="idempotency_error", code="idempotency_key_in_use")
    return saved.reply.replayed()


def _refund_object(payment: Payment, amount: int, metadata: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": f"re_{uuid.uuid4().hex}",
        "object": "refund",
        "amount": amount,
        "charge": payment.charge,
        "created": int(time.time()),
        "currency": payment.currency,
        "metadata": dict(metadata),
        "payment_intent": payment.reference,
        "reason": None,
        "status": payment.refund_status,
    }


class Server(ThreadingHTTPServer):
    request_queue_size = 64
    """With the default of 5, more connections at once are refused."""


@contextmanager
def serving(stripe: Stripe) -> Iterator[str]:
    """Serve an account. Yields the address, for `stripe.api_base`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet for each response. Otherwise, the second one waits 40 ms for the acknowledgement of the first.
        wbufsize = -1

        def do_GET(self) -> None:
            parameters = dict(parse_qsl(urlsplit(self.path).query))
            self._reply(stripe.list(parameters) if self._has_key() else _error(401, "Invalid API Key provided"))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0)).decode()
            if not self._has_key():
                self._reply(_error(401, "Invalid API Key provided"))
            elif (reply := stripe.create(self.headers["idempotency-key"], dict(parse_qsl(body)))) is not None:
                self._reply(reply)
            else:
                # Until the client gives up.
                self.connection.recv(1)
                self.close_connection = True

        def _has_key(self) -> bool:
            return self.headers["authorization"] == f"Bearer {KEY}"

        def _reply(self, reply: Reply) -> None:
            content = json.dumps(reply.body).encode()
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with Server(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
