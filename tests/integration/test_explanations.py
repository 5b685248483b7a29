"""Every reason of a payment event, and every kind of reconciliation entry, is explained in words."""

import json
import re
from typing import get_args

import pytest
from pg8000.native import Connection

from storefront.reconciliation.models import ReconciliationKind
from tests.documents import read

GUIDE = read("docs/guides/reconciliation.md")
INBOX, _, RECONCILIATION = GUIDE.partition("\n## The reconciliation\n")
REASONS = sorted(
    reason
    for row in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| [^|]+ \| [^|]+ \|$", INBOX, re.MULTILINE)
    for reason in row.split("`")[1::2]
    if reason != "reason"
)
ORDER_KINDS = ["paid_and_canceled", "completed_and_unpaid", "pending_too_long", "held_too_long"]
REFUND_KINDS = ["over_refunded", "refund_failed", "refund_stuck", "disputed"]


CASES = """
    FROM (VALUES ('payment_status', 'paid'), ('payment_status', 'failed'), ('payment_status', NULL),
                 ('refund_status', 'pending'), ('refund_status', 'canceled'), ('refund_status', 'succeeded'),
                 ('refund_status', 'failed'), ('dispute_status', 'open'), ('dispute_status', 'won'),
                 ('dispute_status', 'lost')) AS reported(field, value),
         unnest(ARRAY['pending', 'completed', 'canceled']) AS target(status),
         unnest(ARRAY['unpaid', 'paid', 'failed']) AS target_payment(payment_status),
         unnest(CAST(ARRAY[now(), NULL] AS timestamptz[])) AS hold(since),
         unnest(ARRAY[true, false]) AS sent(livemode),
         unnest(ARRAY['charge.refunded', 'payment_intent.amount_capturable_updated', NULL]) AS kind(type),
         jsonb_populate_record(NULL::payment_events, jsonb_build_object(
             'reason', CAST(:reason AS text), reported.field, reported.value, 'livemode', sent.livemode,
             'type', kind.type)) event,
         jsonb_populate_record(NULL::orders, jsonb_build_object(
             'status', target.status, 'payment_status', target_payment.payment_status,
             'held_since', hold.since)) target_order"""
EXPLANATIONS = f"""
    SELECT explained.message, explained.action {CASES},
           explain_payment_event(event, target_order) explained"""


def explain(database: Connection, event: dict[str, object], order: dict[str, object]) -> tuple[str, str | None]:
    [[message, action]] = (
        database.run(
            """SELECT message, action FROM explain_payment_event(
               jsonb_populate_record(NULL::payment_events, CAST(:event AS jsonb)),
               jsonb_populate_record(NULL::orders, CAST(:target AS jsonb)))""",
            event=json.dumps(event),
            target=json.dumps(order),
        )
        or []
    )
    return message, action


def explained(database: Connection, call: str, **parameters: str) -> tuple[str | None, str | None]:
    [[message, action]] = database.run(f"SELECT message, action FROM {call}", **parameters) or []
    return message, action


@pytest.mark.parametrize("reason", [*REASONS, None])
def test_each_reason_in_the_guide_is_explained(database: Connection, reason: str | None) -> None:
    found = database.run(EXPLANATIONS, reason=reason) or []
    assert len(found) == 10 * 3 * 3 * 2 * 2 * 3
    for message, action in found:
        assert message is not None
        assert message.endswith(".")
        assert action is None or action.endswith(".")


def test_no_explanation_is_left_over(database: Connection) -> None:
    found = {
        case
        for reason in [*REASONS, None]
        for [case] in database.run(f"SELECT DISTINCT payment_event_case(event, target_order) {CASES}", reason=reason)
        or []
    }
    sources = database.run(
        "SELECT prosrc FROM pg_proc WHERE proname IN ('explain_payment_event', 'explain_refund_event')"
    )
    explained = [
        case for [source] in sources or [] for case in re.findall(r"^        \('(\w+)', ", source, re.MULTILINE)
    ]
    assert len(explained) > 50
    assert sorted(explained) == sorted(found)


PAID = {"status": "pending", "payment_status": "paid"}
UNPAID = {"status": "pending", "payment_status": "unpaid"}
HELD = {**UNPAID, "held_since": "2026-11-23T12:00:00Z"}
AUTHORIZED = "payment_intent.amount_capturable_updated"


@pytest.mark.parametrize(
    ("event", "order", "words"),
    [
        ({"reason": "amount_differs"}, UNPAID, "complete the order"),
        ({"reason": "amount_differs"}, PAID, "do not cancel it"),
        ({"reason": "amount_differs"}, {**UNPAID, "status": "completed"}, "Ask the customer for the rest"),
        ({"reason": "amount_differs"}, {**PAID, "total_price": "0.00"}, "The order costs nothing. Refund the payment"),
        ({"reason": "amount_differs"}, {**UNPAID, "status": "canceled"}, "Request a refund of the payment here"),
        ({"reason": "amount_unreadable"}, {**UNPAID, "status": "canceled"}, "Refund the payment at the processor."),
        ({"reason": "same_status", "refund_status": "pending"}, PAID, None),
        ({"reason": "amount_unreadable", "refund_status": "succeeded"}, PAID, "Look up the refund at the processor"),
        ({"reason": "other_content", "refund_status": "pending"}, PAID, "If this refund was made, request it here"),
        ({"reason": "payment_changed"}, PAID, "If the entry of the reconciliation stays, acknowledge it."),
        ({"reason": "invalid", "type": "refund.done"}, {}, "Look up the refund or the dispute at the processor."),
        ({"reason": "media_type", "type": "charge.dispute.closed"}, {}, "First, replay the event. Look up the refund"),
        ({"reason": "invalid", "type": "payment.refund"}, {}, "Look up the payment at the processor."),
        ({"dispute_status": "open"}, PAID, "Answer the dispute"),
        ({"dispute_status": "open"}, PAID, "do not refund the payment, and do not ship the goods."),
        ({"dispute_status": "open"}, {**PAID, "status": "completed"}, "do not refund the payment."),
        ({"dispute_status": "lost"}, PAID, "If the goods are not shipped, cancel the order."),
        ({"dispute_status": "lost"}, {**PAID, "status": "completed"}, None),
        ({"dispute_status": "lost"}, {**PAID, "status": "canceled"}, None),
        ({"refund_status": "failed"}, PAID, "request the refund again"),
        ({"reason": "payment_under_way"}, HELD, "Wait for the result"),
        ({"reason": "payment_under_way", "type": AUTHORIZED}, HELD, "Capture the payment"),
        ({"reason": "payment_under_way", "type": AUTHORIZED}, PAID, None),
        ({"reason": "other_mode", "livemode": True}, UNPAID, "Correct the setting PaymentMode"),
        ({"reason": "other_mode", "livemode": False}, UNPAID, None),
        ({"reason": "no_order_named", "payment_status": "paid"}, {}, "right order ID"),
        ({"reason": "no_order_named", "payment_status": None}, {}, None),
        ({"reason": "type_not_ours", "type": "charge.dispute.created"}, PAID, "Replay the event."),
    ],
)
def test_what_to_do_depends_on_the_event_and_its_order(
    database: Connection, event: dict[str, object], order: dict[str, object], words: str | None
) -> None:
    _, action = explain(database, event, order)
    assert action is None if words is None else words in str(action)


@pytest.mark.parametrize(
    ("function", "count"),
    [("payment_decision", 4), ("refused_by_settings", 2), ("refused_payment", 8), ("refund_decision", 7)],
)
def test_the_guide_has_each_reason_that_a_decision_gives(database: Connection, function: str, count: int) -> None:
    [[source]] = database.run("SELECT prosrc FROM pg_proc WHERE proname = :name", name=function) or []
    reasons = set(re.findall(r"(?:THEN|ELSE|RETURN) '(\w+)'", source.partition("outcome := CASE")[0]))
    assert len(reasons) >= count
    assert reasons <= set(REASONS)


@pytest.mark.parametrize(
    ("cause", "status", "outcome", "message", "action"),
    [
        ("placed", "pending", None, "The order was placed.", None),
        (
            "expiry",
            "canceled",
            None,
            "The order was not paid in time, so it was canceled and its stock returned.",
            None,
        ),
        ("status_change", "completed", None, "The order was completed.", None),
        ("status_change", "canceled", None, "The order was canceled and its stock returned.", None),
        ("note", "pending", None, "Staff wrote a note. Its text was erased.", None),
        ("erasure", "pending", None, "The personal data of the customer was erased.", None),
        ("payment_event", "pending", "applied", "A failed payment was recorded. The customer can pay again.", None),
        ("replay", "pending", "applied", "A failed payment was recorded. The customer can pay again.", None),
    ],
)
def test_each_cause_of_a_timeline_is_explained(
    database: Connection, *, cause: str, status: str, outcome: str | None, message: str, action: str | None
) -> None:
    row = json.dumps({"cause": cause, "to_status": status, "outcome": outcome, "received_payment_status": "failed"})
    call = "explain_order_event(jsonb_populate_record(NULL::order_events, CAST(:event AS jsonb)))"
    assert explained(database, call, event=row) == (message, action)


@pytest.mark.parametrize("payment_status", ["unpaid", "paid"])
@pytest.mark.parametrize("kind", ORDER_KINDS)
def test_each_kind_of_an_order_is_explained(database: Connection, kind: str, payment_status: str) -> None:
    row = json.dumps({"payment_status": payment_status, "paid_amount": 9, "refunded_amount": 0, "lost_amount": 0})
    call = "explain_mismatch(:kind, jsonb_populate_record(NULL::orders, CAST(:target AS jsonb)), NULL, NULL, NULL)"
    assert None not in explained(database, call, kind=kind, target=row)


@pytest.mark.parametrize("refund_status", ["requested", "pending"])
@pytest.mark.parametrize("open_amount", [0, 1])
@pytest.mark.parametrize("kind", REFUND_KINDS)
def test_each_kind_of_a_refund_is_explained(
    database: Connection, kind: str, open_amount: int, refund_status: str
) -> None:
    money = {"amount": 9, "currency": "USD", "refunded_amount": 9, "lost_amount": 0, "open_amount": open_amount}
    call = """explain_mismatch(:kind, NULL, NULL, jsonb_populate_record(NULL::payments, CAST(:payment AS jsonb)),
                               jsonb_populate_record(NULL::refunds, CAST(:refund AS jsonb)))"""
    refund = json.dumps({**money, "status": refund_status})
    assert None not in explained(database, call, kind=kind, payment=json.dumps(money), refund=refund)


def test_the_guide_has_each_kind() -> None:
    kinds = re.findall(r"^\| `(\w+)` \|(?: [^|]+ \|){3}$", RECONCILIATION, re.MULTILINE)
    assert sorted(kinds) == sorted(["kind", *get_args(ReconciliationKind)])
