"""A shop whose customers pay at an emulated account of Stripe, and whose staff request refunds."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from random import Random
from threading import Thread
from typing import Any

from storefront.currencies import EXPONENTS
from tests import refund_program
from tests.api_client import ApiClient, expect, over_http
from tests.stripe_events import stripe_event
from tests.stripe_refunds import Payment, Stripe


class Shop:
    """A shop at an address, and its account at Stripe."""

    def __init__(self, url: str, account: Stripe) -> None:
        self.api = ApiClient(over_http(url))
        self.url = url
        self.account = account
        self._delivered = 0

    def paid(self, amount: str = "10.00", currency: str = "USD") -> Payment:
        """Place an order over an amount, and pay it."""
        payment = self.payment(self.api.order((self.api.create_product(price=amount)["id"], 1)), currency=currency)
        assert self.report(payment) == "applied"
        return payment

    def payment(self, order: dict[str, Any], amount: str | None = None, currency: str = "USD") -> Payment:
        """Receive money at Stripe for an order: its total, or another amount."""
        minor_units = int(Decimal(amount or order["total_price"]).scaleb(EXPONENTS.get(currency, 2)))
        return self.account.receive(minor_units, currency.lower(), order_id=order["id"])

    def report(self, payment: Payment) -> str:
        """Deliver Stripe's event about a payment, and return its outcome."""
        event = {**_payment_event(payment), "id": f"evt_{uuid.uuid4().hex}"}
        return str(expect(200, self.api.deliver(event, "stripe"))["outcome"])

    def report_later(self, payment: Payment) -> None:
        """Deliver Stripe's event about a payment together with its other events."""
        self.account.send("payment_intent.succeeded", _payment_event(payment)["data"]["object"])

    def dispute(self, payment: Payment, change: str, status: str) -> None:
        """Let a customer dispute a payment, or let the bank decide. change: as in Stripe's types of events."""
        payment.disputed = status == "needs_response"
        dispute = stripe_event(
            "charge.dispute.created",
            id=payment.reference.replace("pi_", "dp_", 1),
            amount=payment.amount,
            currency=payment.currency,
            charge=payment.charge,
            payment_intent=payment.reference,
            status=status,
        )["data"]["object"]
        self.account.send(f"charge.dispute.{change}", dispute)

    def request(self, payment: Payment, amount: str) -> str:
        """Request a refund, and return its ID."""
        path = f"/api/orders/{payment.order_id}/refunds"
        return str(expect(201, self.api.call("POST", path, {"amount": amount}))["id"])

    def set_status(self, refund_id: str, status: str) -> None:
        expect(200, self.api.call("PUT", f"/api/refunds/{refund_id}/status", {"status": status}))

    def status(self, refund_id: str) -> str:
        found = {refund["id"]: refund["status"] for refund in self.api.items("/api/refunds", page_size=100)}
        return str(found[refund_id])

    def deliver(self, chance: Random | None = None) -> None:
        """Deliver the events of Stripe that were not delivered yet. chance: each of them twice, in random order."""
        events = self.account.events[self._delivered :]
        self._delivered += len(events)
        if chance is not None:
            events = chance.sample(events * 2, k=len(events) * 2)
        for event in events:
            expect(200, self.api.deliver(event, "stripe"))

    def expect_refunded_once(self, refund_id: str, minor_units: int) -> None:
        """The money went back exactly once, and the shop knows it after Stripe's events."""
        made = [(one["amount"], one["metadata"]) for one in self.account.refunds]
        assert made == [(minor_units, {"refund_id": refund_id})]
        self.deliver()
        assert self.status(refund_id) == "succeeded"
        refund_program.run()
        assert len(self.account.refunds) == 1


def _payment_event(payment: Payment) -> dict[str, Any]:
    return stripe_event(
        id=payment.reference,
        amount=payment.amount,
        amount_received=payment.amount,
        currency=payment.currency,
        metadata={"order_id": payment.order_id},
    )


@contextmanager
def serving_shop(api: ApiClient, account: Stripe) -> Iterator[Shop]:
    """Serve an API client over HTTP, one request at a time: its handlers share one connection to the database."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            response = api.call(self.command, self.path, body or None, dict(self.headers))
            content = response.text.encode()
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_GET  # noqa: N815  the names that http.server requires

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Shop(f"http://127.0.0.1:{server.server_port}", account)
        server.shutdown()
