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


EXPLANATIONS = """
    SELECT explained.message, explained.action
      FROM unnest(CAST(ARRAY['paid', 'failed', NULL] AS text[])) AS reported(payment_status),
           unnest(ARRAY['pending', 'completed', 'canceled']) AS target(status),
           unnest(ARRAY['unpaid', 'paid', 'failed']) AS target_payment(payment_status),
           unnest(CAST(ARRAY[now(), NULL] AS timestamptz[])) AS hold(since),
           unnest(ARRAY[true, false, NULL]) AS sent(livemode),
           unnest(ARRAY['charge.refunded', 'payment_intent.amount_capturable_updated', NULL]) AS kind(type),
           explain_payment_event(
               jsonb_populate_record(NULL::payment_events, jsonb_build_object(
                   'reason', CAST(:reason AS text), 'payment_status', reported.payment_status,
                   'livemode', sent.livemode, 'type', kind.type)),
               jsonb_populate_record(NULL::orders, jsonb_build_object(
                   'status', target.status, 'payment_status', target_payment.payment_status,
                   'held_since', hold.since))) explained"""


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
    assert len(found) == 3 * 3 * 3 * 2 * 3 * 3
    for message, action in found:
        assert message is not None
        assert message.endswith(".")
        assert action is None or action.endswith(".")


def test_no_explanation_is_left_over(database: Connection) -> None:
    [[source]] = database.run("SELECT prosrc FROM pg_proc WHERE proname = 'explain_payment_event'") or []
    messages = {
        message for reason in [*REASONS, None] for [message, _] in database.run(EXPLANATIONS, reason=reason) or []
    }
    assert len(messages) == len(re.findall(r"^        \('\w+', '", source, re.MULTILINE))


PAID = {"status": "pending", "payment_status": "paid"}
UNPAID = {"status": "pending", "payment_status": "unpaid"}
HELD = {**UNPAID, "held_since": "2026-11-23T12:00:00Z"}
AUTHORIZED = "payment_intent.amount_capturable_updated"


@pytest.mark.parametrize(
    ("event", "order", "words"),
    [
        ({"reason": "amount_differs"}, UNPAID, "complete the order"),
        ({"reason": "amount_differs"}, PAID, "do not cancel it"),
        ({"reason": "amount_differs"}, {**UNPAID, "status": "completed"}, "ask the customer for the rest"),
        ({"reason": "amount_unreadable"}, {**UNPAID, "status": "canceled"}, "Refund the payment"),
        ({"reason": "payment_under_way"}, HELD, "Wait for the result"),
        ({"reason": "payment_under_way", "type": AUTHORIZED}, HELD, "Capture the payment"),
        ({"reason": "payment_under_way", "type": AUTHORIZED}, PAID, None),
        ({"reason": "other_mode", "livemode": True}, UNPAID, "Correct the setting PaymentMode"),
        ({"reason": "other_mode", "livemode": False}, UNPAID, None),
        ({"reason": "no_order_named", "payment_status": "paid"}, {}, "right order ID"),
        ({"reason": "no_order_named", "payment_status": None}, {}, None),
        ({"reason": "type_not_ours", "type": "charge.dispute.created"}, PAID, "Check the refund or the dispute"),
    ],
)
def test_what_to_do_depends_on_the_event_and_its_order(
    database: Connection, event: dict[str, object], order: dict[str, object], words: str | None
) -> None:
    _, action = explain(database, event, order)
    assert action is None if words is None else words in str(action)


def test_the_guide_has_each_reason_that_a_decision_gives(database: Connection) -> None:
    [[source]] = database.run("SELECT prosrc FROM pg_proc WHERE proname = 'payment_decision'") or []
    reasons = set(re.findall(r"(?:THEN|ELSE) '(\w+)'", source.partition("outcome := CASE")[0]))
    assert len(reasons) > 5
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
        (
            "status_change",
            "canceled",
            "needs_refund",
            "The order was canceled and its stock returned.",
            "Refund the payment at the processor.",
        ),
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
    row = json.dumps({"payment_status": payment_status})
    call = "explain_mismatch(:kind, jsonb_populate_record(NULL::orders, CAST(:target AS jsonb)))"
    assert None not in explained(database, call, kind=kind, target=row)


def test_the_guide_has_each_kind() -> None:
    kinds = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", RECONCILIATION, re.MULTILINE)
    assert set(kinds) - {"kind"} == {*get_args(ReconciliationKind)}
