"""Every reason of a payment event, and every kind of reconciliation entry, is explained in words."""

import json
import re
from typing import get_args

import pytest
from pg8000.native import Connection

from storefront.payments.models import ReconciliationKind
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


def explain(database: Connection, call: str, *values: object) -> tuple[str | None, str | None]:
    parameters = {f"p{n}": value for n, value in enumerate(values)}
    [[message, action]] = database.run(f"SELECT message, action FROM {call}", **parameters) or []
    return message, action


@pytest.mark.parametrize("payment_status", ["paid", "failed", None])
@pytest.mark.parametrize("reason", [*REASONS, None])
def test_each_reason_in_the_guide_is_explained(
    database: Connection, reason: str | None, payment_status: str | None
) -> None:
    call = "explain_payment_event(:p0, CAST(:p1 AS payment_status))"
    message, action = explain(database, call, reason, payment_status)
    assert message is not None
    assert message.endswith(".")
    assert action is None or action.endswith(".")


def test_the_guide_has_each_reason_that_is_explained(database: Connection) -> None:
    [[source]] = database.run("SELECT prosrc FROM pg_proc WHERE proname = 'explain_payment_event'") or []
    keys = set(re.findall(r"^ +\('(?:[p-] )?(\w+)', '", source, re.MULTILINE))
    assert keys == {*REASONS, "applied"}


def test_the_guide_has_each_reason_that_a_decision_gives(database: Connection) -> None:
    [[source]] = database.run("SELECT prosrc FROM pg_proc WHERE proname = 'payment_decision'") or []
    reasons = set(re.findall(r"(?:THEN|ELSE) '(\w+)'", source.partition("outcome := CASE")[0]))
    assert len(reasons) > 5
    assert reasons <= set(REASONS)


@pytest.mark.parametrize(
    ("cause", "status", "outcome", "message", "action"),
    [
        ("placed", "pending", None, "The order was placed.", None),
        ("expiry", "canceled", None, "The order was not paid in time, so it was canceled.", None),
        ("status_change", "completed", None, "The order was completed.", None),
        ("status_change", "canceled", None, "The order was canceled, and its stock returned.", None),
        (
            "status_change",
            "canceled",
            "needs_refund",
            "The order was canceled, and its stock returned.",
            "Refund the payment at the processor.",
        ),
        ("payment_event", "pending", "applied", "A failed payment was recorded. The customer can pay again.", None),
        ("replay", "pending", "applied", "A failed payment was recorded. The customer can pay again.", None),
    ],
)
def test_each_cause_of_a_timeline_is_explained(
    database: Connection, *, cause: str, status: str, outcome: str | None, message: str, action: str | None
) -> None:
    row = json.dumps({"cause": cause, "to_status": status, "outcome": outcome, "received_payment_status": "failed"})
    call = "explain_order_event(jsonb_populate_record(NULL::order_events, CAST(:p0 AS jsonb)))"
    assert explain(database, call, row) == (message, action)


@pytest.mark.parametrize("is_paid", [True, False])
@pytest.mark.parametrize("kind", ORDER_KINDS)
def test_each_kind_of_an_order_is_explained(database: Connection, kind: str, *, is_paid: bool) -> None:
    assert None not in explain(database, "explain_mismatch(:p0, CAST(:p1 AS boolean))", kind, is_paid)


def test_the_guide_has_each_kind() -> None:
    kinds = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", RECONCILIATION, re.MULTILINE)
    assert set(kinds) - {"kind"} == {*get_args(ReconciliationKind)}
