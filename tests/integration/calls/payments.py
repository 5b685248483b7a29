"""The SQL functions of payments."""

import json
import uuid

from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, signed
from tests.integration.calls.function import Flow, Page, Rows, SqlFunction
from tests.integration.calls.orders import PAID, WAS_PENDING
from tests.integration.calls.refund_events import REFUND_EVENT_FLOWS, REPLAY_REFUND_FLOWS
from tests.integration.calls.requests import Prepare, Request, new_order_id, run_expiry, summarize
from tests.integration.races import Call, end, pay, replay, report_dispute, report_refund, start, unreadable
from tests.integration.snapshots import Changes


def _pay(payment_status: str, *, canceled: bool = False, **fields: str) -> Prepare:
    def prepare(api: ApiClient, _: Connection) -> Request:
        order_id, event_id = new_order_id(api), str(uuid.uuid4())
        if canceled:
            api.change_status(order_id, "canceled")
        return lambda: summarize(api.pay(order_id, payment_status, event_id=event_id, **fields))

    return prepare


def _pay_for_unknown_order(api: ApiClient, _: Connection) -> Request:
    event_id = str(uuid.uuid4())
    return lambda: summarize(api.pay(UNKNOWN, event_id=event_id))


def _pay_with_other_content(api: ApiClient, _: Connection) -> Request:
    order_id, event_id = new_order_id(api), str(uuid.uuid4())
    api.pay(order_id, "failed", event_id=event_id)
    return lambda: summarize(api.pay(order_id, "paid", event_id=event_id))


def _deliver_progress(*types: str) -> Prepare:
    """Deliver the last of several events about a payment in progress."""

    def prepare(api: ApiClient, _: Connection) -> Request:
        order_id = new_order_id(api)
        bodies = [
            {"id": str(uuid.uuid4()), "type": type_, "data": {"object": {"metadata": {"order_id": order_id}}}}
            for type_ in types
        ]
        for body in bodies[:-1]:
            api.deliver(body, "stripe")
        return lambda: summarize(api.deliver(bodies[-1], "stripe"))

    return prepare


def _replay_unreadable(api: ApiClient, _: Connection) -> Request:
    """Replay an event that was not declared as JSON."""
    body = json.dumps({"order_id": new_order_id(api), "payment_status": "paid", "event_id": str(uuid.uuid4())}).encode()
    api.call("POST", "/api/payment-webhook", body, {**signed(body), "content-type": "text/plain"})
    inbox_id = api.get("/api/payment-events?outcome=unreadable").json["items"][0]["id"]
    return lambda: summarize(api.call("POST", f"/api/payment-events/{inbox_id}/replay"))


def _deliver_unrelated_event(api: ApiClient, _: Connection) -> Request:
    body, event_id = {"type": "user.created"}, str(uuid.uuid4())
    return lambda: summarize(api.deliver(body, "standard_webhooks", event_id))


def _replay(api: ApiClient, database: Connection) -> Request:
    """Replay an event that arrived while the payment mode was set wrong."""
    order_id = new_order_id(api)
    pay(order_id, "paid", str(uuid.uuid4()), livemode=False, payment_mode="live").run(database)
    inbox_id = api.get(f"/api/payment-events?order_id={order_id}").json["items"][0]["id"]
    return lambda: summarize(api.call("POST", f"/api/payment-events/{inbox_id}/replay"))


def _receive_old_event(api: ApiClient, database: Connection) -> Request:
    event_id = str(uuid.uuid4())
    api.pay(new_order_id(api), "failed", event_id=event_id)
    database.run(
        "UPDATE payment_events SET received_at = received_at - interval '401 days' WHERE event_id = :id", id=event_id
    )
    return run_expiry


HELD = "order of 3 Tea, pending, unpaid, held"
CANCELED = "order of 3 Tea, canceled, unpaid"


def _counted_again(inbox: str) -> Changes:
    return ("+ event payment_event duplicate", f"+ inbox {inbox} 2", f"- inbox {inbox} 1")


def _event_pages(rows: Rows) -> list[Page]:
    table, position = "payment_events", ("received_at", "id")
    return [
        Page({}, "payment_events_by_received_at", table, position),
        Page({"outcome": "needs_review"}, "payment_events_by_outcome", table, position),
        Page({"outcome": "needs_refund"}, "payment_events_by_outcome", table, position),
        Page({"order_id": rows.order}, "payment_events_by_order", table, position),
        Page({"event_id": f"evt_{rows.order}"}, "payment_events_once_per_content", table, position, is_sorted=True),
    ]


_RECORD_FLOWS = (
    *(
        Flow(
            f"payment {payment_status}",
            _pay(payment_status),
            response="200",
            changes=(
                "+ event payment_event applied",
                f"+ inbox {payment_status} applied 1",
                *received,
                WAS_PENDING,
            ),
            response_again="200",
            changes_again=_counted_again(f"{payment_status} applied"),
        )
        for payment_status, received in (
            ("paid", (f"+ {PAID}", "+ payment 13.50")),
            ("failed", ("+ order of 3 Tea, pending, failed",)),
        )
    ),
    *(
        Flow(
            f"payment that {outcome}",
            prepare,
            response="200",
            changes=(f"+ event payment_event {outcome}", f"+ inbox paid {outcome} 1", *received),
            response_again="200",
            changes_again=_counted_again(f"paid {outcome}"),
        )
        for outcome, prepare, received in (
            (
                "needs_refund",
                _pay("paid", canceled=True),
                (
                    f"+ {CANCELED}, received 13.50",
                    "+ payment 13.50 order_canceled to settle",
                    f"- {CANCELED}",
                ),
            ),
            (
                "needs_review",
                _pay("paid", amount="1"),
                (
                    "+ order of 3 Tea, pending, unpaid, received 1, held",
                    "+ payment 1 amount_differs to settle",
                    WAS_PENDING,
                ),
            ),
        )
    ),
    Flow(
        "payment event with other content",
        _pay_with_other_content,
        response="200",
        changes=(
            "+ event payment_event needs_review",
            "+ inbox paid needs_review 1",
            "+ order of 3 Tea, pending, failed, held",
            "- order of 3 Tea, pending, failed",
        ),
        response_again="200",
        changes_again=_counted_again("paid needs_review"),
    ),
    Flow(
        "payment in progress",
        _deliver_progress("payment_intent.processing"),
        response="200",
        changes=("+ event payment_event ignored", "+ inbox ignored 1", f"+ {HELD}", WAS_PENDING),
        response_again="200",
        changes_again=_counted_again("ignored"),
    ),
    Flow(
        "end of a payment in progress",
        _deliver_progress("payment_intent.processing", "payment_intent.canceled"),
        response="200",
        changes=(
            "+ event payment_event ignored",
            "+ inbox ignored 1",
            "+ order of 3 Tea, pending, unpaid",
            f"- {HELD}",
        ),
        response_again="200",
        changes_again=_counted_again("ignored"),
    ),
    Flow(
        "unreadable payment event",
        _pay("PAID"),
        response="422 invalid-request",
        changes=("+ event payment_event unreadable", "+ inbox unreadable 1"),
        response_again="422 invalid-request",
        changes_again=("+ event payment_event unreadable", "+ inbox unreadable 2", "- inbox unreadable 1"),
    ),
    Flow(
        "unrelated payment event",
        _deliver_unrelated_event,
        response="200",
        changes=("+ inbox ignored 1",),
        response_again="200",
        changes_again=("+ inbox ignored 2", "- inbox ignored 1"),
    ),
    Flow(
        "payment for an unknown order",
        _pay_for_unknown_order,
        response="404 order-not-found",
        changes=("+ inbox paid unknown_order 1",),
        response_again="404 order-not-found",
        changes_again=("+ inbox paid unknown_order 2", "- inbox paid unknown_order 1"),
    ),
)

_REPLAY_FLOWS = (
    Flow(
        "replay payment event",
        _replay,
        response="200",
        changes=(
            "+ event replay applied",
            "+ inbox paid applied 2",
            f"+ {PAID}",
            "+ payment 13.50",
            "- inbox paid ignored 1",
            WAS_PENDING,
        ),
        response_again="200",
        changes_again=("+ event replay duplicate", "+ inbox paid applied 3", "- inbox paid applied 2"),
    ),
    Flow(
        "replay unreadable payment event",
        _replay_unreadable,
        response="200",
        changes=(
            "+ event replay applied",
            "+ inbox paid applied 2",
            f"+ {PAID}",
            "+ payment 13.50",
            "- inbox paid unreadable 1",
            WAS_PENDING,
        ),
        response_again="200",
        changes_again=("+ event replay duplicate", "+ inbox paid applied 3", "- inbox paid applied 2"),
        # One reads the body, and one records what was read.
        statements=2,
        writing_statement=2,
    ),
)

PAYMENTS = {
    "record_payment_event": SqlFunction(
        lambda rows: [
            pay(rows.order, "paid"),
            pay(rows.order, "paid", f"evt_{rows.order}", scheme="stripe"),
            pay(rows.order, "paid", payment_reference="pi_again"),
            report_refund("evt_refund", "succeeded", "0.05", payment_reference=rows.payment_reference),
            report_refund("evt_early", "succeeded", "0.05", payment_reference="pi_unknown", order_id=rows.order),
            report_refund("evt_named", "failed", "0.10", refund_id=rows.refund),
            report_dispute("evt_dispute", "lost", payment_reference=rows.payment_reference),
            start(rows.order, payment_reference="pi_1"),
            end(rows.order),
            unreadable(f"evt_{rows.order}", "{", scheme="stripe"),
        ],
        flows=_RECORD_FLOWS + REFUND_EVENT_FLOWS,
        is_repeatable=True,
    ),
    "replay_payment_event": SqlFunction(
        lambda rows: [replay(rows.payment_event)],
        flows=_REPLAY_FLOWS + REPLAY_REFUND_FLOWS,
        is_repeatable=True,
    ),
    "list_payment_events": SqlFunction(
        lambda _: [Call("list_payment_events", {"page": 1, "page_size": 20})],
        paths=("/api/payment-events",),
        pages=_event_pages,
    ),
    "erase_payment_bodies": SqlFunction(
        lambda _: [Call("erase_payment_bodies", {"retention_days": 0, "batch_size": 10})],
        flows=(
            Flow(
                "erase an old body",
                _receive_old_event,
                response="0 expired, 0 swept, 1 bodies erased",
                changes=("+ inbox failed applied 1 without body", "- inbox failed applied 1"),
                response_again="0 expired, 0 swept, 0 bodies erased",
                statements=5,
                goes_on=True,
                writing_statement=2,
            ),
        ),
    ),
}
