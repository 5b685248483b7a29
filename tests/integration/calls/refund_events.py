"""Events about refunds and disputes, and second payments."""

import uuid
from typing import Any

from pg8000.native import Connection

from tests.api_client import ApiClient, expect
from tests.integration.calls.function import Flow
from tests.integration.calls.orders import PAID, WAS_PENDING
from tests.integration.calls.requests import Paid, Prepare, Request, new_order_id, new_paid_order, summarize
from tests.integration.races import report_refund
from tests.integration.snapshots import Changes

REFUNDED = {"type": "refund.succeeded", "processor_refund_id": "re_1", "amount": "4.50", "currency": "USD"}


def _report(*events: dict[str, Any], is_paid: bool = True, requested: str | None = None) -> Prepare:
    """Deliver the last of several native events about a payment.

    is_paid: whether the payment was reported before. requested: the amount of a refund that was requested before.
    """

    def prepare(api: ApiClient, _: Connection) -> Request:
        paid = new_paid_order(api) if is_paid else Paid(new_order_id(api), f"pi_{uuid.uuid4()}")
        if requested is not None:
            expect(201, api.call("POST", paid.refunds, {"amount": requested}))
        named = {"order_id": paid.order_id, "payment_reference": paid.reference}
        bodies = [{**named, "event_id": str(uuid.uuid4()), **event} for event in events]
        for body in bodies[:-1]:
            expect(200, api.deliver(body))
        return lambda: summarize(api.deliver(bodies[-1]))

    return prepare


def _pay_again(api: ApiClient, _: Connection) -> Request:
    paid = new_paid_order(api)
    event = {"event_id": str(uuid.uuid4()), "payment_reference": f"pi_{uuid.uuid4()}"}
    return lambda: summarize(api.pay(paid.order_id, **event))


def _replay_refund(api: ApiClient, database: Connection) -> Request:
    """Replay a refund event that arrived while the payment mode was set wrong."""
    paid, event_id = new_paid_order(api), str(uuid.uuid4())
    report_refund(
        event_id, "succeeded", "4.50", payment_reference=paid.reference, livemode=False, payment_mode="live"
    ).run(database)
    [inbox] = api.items("/api/payment-events", event_id=event_id)
    return lambda: summarize(api.call("POST", f"/api/payment-events/{inbox['id']}/replay"))


def _counted_again(outcome: str, *refund_status: str) -> Changes:
    entry = " ".join(("event payment_event duplicate", *refund_status))
    return (f"+ {entry}", f"+ inbox {outcome} 2", f"- inbox {outcome} 1")


RETURNED = f"{PAID}, returned 4.5, refund partial"

REFUND_EVENT_FLOWS = (
    Flow(
        "refund made at the processor",
        _report(REFUNDED),
        response="200",
        changes=(
            "+ event payment_event applied succeeded",
            "+ inbox applied 1",
            f"+ {RETURNED}",
            "+ refund 4.5 succeeded re_1",
            f"- {PAID}",
        ),
        response_again="200",
        changes_again=_counted_again("applied", "succeeded"),
    ),
    Flow(
        "confirmation of a requested refund",
        _report(REFUNDED, requested="4.50"),
        response="200",
        changes=(
            "+ event payment_event applied succeeded",
            "+ inbox applied 1",
            f"+ {RETURNED}",
            "+ refund 4.5 succeeded re_1",
            f"- {PAID}, refund pending",
            "- refund 4.50 requested",
        ),
        response_again="200",
        changes_again=_counted_again("applied", "succeeded"),
    ),
    Flow(
        "refund before its payment",
        _report(REFUNDED, is_paid=False),
        response="200",
        changes=(
            "+ event payment_event ignored succeeded",
            "+ inbox ignored 1",
            # Its reference can be the processor's own, or the ID of an event.
            "+ payment not reported",
            "+ payment not reported",
        ),
        response_again="200",
        changes_again=("+ event payment_event ignored succeeded", "+ inbox ignored 2", "- inbox ignored 1"),
    ),
    Flow(
        "payment after its refund",
        _report(REFUNDED, {"payment_status": "paid"}, is_paid=False),
        response="200",
        changes=(
            "+ event payment_event applied",
            "+ event payment_event applied succeeded",
            "+ inbox applied 1",
            "+ inbox paid applied 1",
            f"+ {RETURNED}",
            "+ payment 13.50",
            "+ refund 4.5 succeeded re_1",
            "- inbox ignored 1",
            WAS_PENDING,
            "- payment not reported",
        ),
        response_again="200",
        changes_again=("+ event payment_event duplicate", "+ inbox paid applied 2", "- inbox paid applied 1"),
    ),
    Flow(
        "refund that fails",
        _report(REFUNDED, {**REFUNDED, "type": "refund.failed"}),
        response="200",
        changes=(
            "+ event payment_event applied failed",
            "+ inbox applied 1",
            f"+ {PAID}",
            "+ refund 4.5 failed re_1",
            f"- {RETURNED}",
            "- refund 4.5 succeeded re_1",
        ),
        response_again="200",
        changes_again=_counted_again("applied", "failed"),
    ),
    Flow(
        "second payment",
        _pay_again,
        response="200",
        changes=(
            "+ event payment_event needs_refund",
            "+ inbox paid needs_refund 1",
            "+ order of 3 Tea, pending, paid, received 27.00",
            "+ payment 13.50 paid_twice to settle",
            f"- {PAID}",
        ),
        response_again="200",
        changes_again=("+ event payment_event duplicate", "+ inbox paid needs_refund 2", "- inbox paid needs_refund 1"),
    ),
    Flow(
        "dispute",
        _report({"type": "dispute.opened"}),
        response="200",
        changes=(
            "+ dispute open",
            "+ event payment_event applied",
            "+ inbox applied 1",
        ),
        response_again="200",
        changes_again=_counted_again("applied"),
    ),
    Flow(
        "lost dispute",
        _report({"type": "dispute.opened"}, {"type": "dispute.lost"}),
        response="200",
        changes=(
            "+ dispute lost",
            "+ event payment_event applied",
            "+ inbox applied 1",
            f"+ {PAID}, lost 13.50",
            "- dispute open",
            f"- {PAID}",
        ),
        response_again="200",
        changes_again=_counted_again("applied"),
    ),
)

REPLAY_REFUND_FLOWS = (
    Flow(
        "replay refund event",
        _replay_refund,
        response="200",
        changes=(
            "+ event replay applied succeeded",
            "+ inbox applied 2",
            f"+ {RETURNED}",
            "+ refund 4.5 succeeded",
            "- inbox ignored 1",
            f"- {PAID}",
        ),
        response_again="200",
        changes_again=("+ event replay duplicate succeeded", "+ inbox applied 3", "- inbox applied 2"),
    ),
)
