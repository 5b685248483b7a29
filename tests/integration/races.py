"""Runs two calls in two sessions, so that they race."""

import json
import threading
from contextlib import closing
from typing import Any, NamedTuple, Protocol

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from storefront import db

ACTOR = {"actor": "test", "request_id": "test"}


class Call(NamedTuple):
    """A call of an SQL function, as in the Lambda functions."""

    function: str
    request: dict[str, Any]

    def run(self, connection: Connection) -> str:
        """Run the call in a session. Return its outcome, or the SQLSTATE of its error."""
        text = json.dumps({**self.request, **ACTOR})
        try:
            return db._execute(connection, f"SELECT outcome, body FROM {self.function}($1)", text)[0]
        except DatabaseError as error:
            return str(error.args[0]["C"])


class Step(Protocol):
    """What a session does in a race."""

    def run(self, session: Connection, /) -> str:
        """Do it. Return the outcome."""


def place(*line_items: tuple[str, int], **fields: Any) -> Call:
    products = [{"product_id": product_id, "quantity": quantity} for product_id, quantity in line_items]
    return Call("place_order", {"customer_id": 1, "products": products, **fields})


def in_full(reference: str) -> dict[str, Any]:
    """The optional fields of an order."""
    return {
        "reference": reference,
        "shipping_address": {"name": "Ada Example", "country": "DE"},
        "billing_address": {"name": "Ada Example", "country": "DE"},
        "charges": [{"kind": "shipping", "label": "Parcel", "amount": "4.90"}],
        "note": "Please ring twice.",
        "metadata": {"channel": "app"},
    }


def change_status(order_id: str, status: str, **fields: Any) -> Call:
    return Call("change_order_status", {"id": order_id, "status": status, **fields})


def pay(order_id: str, payment_status: str, event_id: str | None = None, **fields: Any) -> Call:
    """Record a payment event. Without event_id, each status is one event."""
    event = {"order_id": order_id, "payment_status": payment_status}
    return report(event_id or f"evt_{payment_status}", **event, **fields)


def report(event_id: str, **fields: Any) -> Call:
    """Record a payment event with what was read from it."""
    signed = {"scheme": "x_signature", "provider": "storefront", "body": json.dumps(fields)}
    return Call("record_payment_event", {"event_id": event_id, **signed, **fields})


def start(order_id: str, event_id: str = "evt_start", **fields: Any) -> Call:
    """Record that a payment is in progress."""
    return report(event_id, order_id=order_id, type="payment_intent.processing", reason="payment_under_way", **fields)


def end(order_id: str, event_id: str = "evt_end", **fields: Any) -> Call:
    """Record that a payment was canceled."""
    return report(event_id, order_id=order_id, type="payment_intent.canceled", reason="payment_ended", **fields)


def unreadable(event_id: str, body: str, **fields: Any) -> Call:
    """Record an event that cannot be read."""
    return report(event_id, **{"reason": "invalid", "error": f"{body} is invalid", "body": body, **fields})


def report_refund(event_id: str, status: str, amount: str, **fields: Any) -> Call:
    """Record an event about a refund. payment_reference, order_id or refund_id: what it is a refund of."""
    return report(event_id, type=f"refund.{status}", refund_status=status, amount=amount, **fields)


def report_dispute(event_id: str, status: str, **fields: Any) -> Call:
    """Record an event about a dispute."""
    return report(event_id, type="charge.dispute.updated", dispute_status=status, **fields)


def refund(order_id: str, **fields: Any) -> Call:
    """Request a refund. Without an amount, it is of everything that is left."""
    return Call("request_refund", {"id": order_id, **fields})


def set_refund(refund_id: str, status: str, **fields: Any) -> Call:
    return Call("set_refund_status", {"id": refund_id, "status": status, **fields})


def acknowledge(kind: str, entry_id: str) -> Call:
    return Call("acknowledge_mismatch", {"kind": kind, "id": entry_id, "note": "Ada paid in cash."})


def replay(inbox_id: str) -> Call:
    return Call("replay_payment_event", {"id": inbox_id})


def add_note(order_id: str, text: str = "Ada called.") -> Call:
    return Call("add_order_note", {"id": order_id, "text": text})


def erase(customer_id: int = 1) -> Call:
    """Erase the personal data of a customer."""
    return Call("erase_personal_data", {"customer_id": customer_id})


def expire() -> Call:
    return Call("expire_orders", {"batch_size": 10})


def make_due(connection: Connection) -> None:
    """Let the time to live of every order pass."""
    connection.run("UPDATE orders SET expires_at = now() WHERE expires_at > now()")


def once(call: Call, key: str, caller: str = "test") -> Call:
    request = {"operation": call.function, "caller": caller, "key": key, "fingerprint": json.dumps(call.request)}
    return Call("call_once", {**request, "content": {**call.request, **ACTOR, "idempotency_key": key}})


def is_waited_for(session: Connection) -> bool:
    """Whether another session waits for this one."""
    # Asks for its own process ID each time, because a pooler may use another session.
    return bool(session.run("SELECT pid FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"))


def two_at_once(database_url: str, first: Step, second: Step, *, waits: bool | None = True) -> tuple[str, str]:
    """Run two calls in two sessions, and return their outcomes. The second runs before the first is committed.

    waits: whether the second call must wait for the first one, or must end without it. None allows both.
    """
    outcomes: list[str] = []
    with closing(db.connect(database_url)) as one, closing(db.connect(database_url)) as two:
        one.run("BEGIN")
        outcomes.append(first.run(one))
        other = threading.Thread(target=lambda: outcomes.append(second.run(two)))
        other.start()
        while waits is False and other.is_alive():
            assert not is_waited_for(one)
        # Commits when the second call waits, so that the race happens in every run.
        while other.is_alive() and not is_waited_for(one):
            pass
        assert not waits or other.is_alive(), outcomes
        one.run("COMMIT")
        other.join()
    return outcomes[0], outcomes[1]
