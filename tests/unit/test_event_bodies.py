"""Any body of an event is either read or refused, and what is read can be stored."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.payments.native_refunds import REFUND_AND_DISPUTE_TYPES
from storefront.payments.providers import ENVELOPE_TYPES, read_event
from storefront.payments.signatures import Scheme
from storefront.payments.stripe import PAYMENT_TYPES, PROGRESS_TYPES
from tests import stripe_events
from tests.sizes import EVENT_BODIES
from tests.unit.reading import NATIVE, ORDER, REFUND

TYPES = [
    *PAYMENT_TYPES,
    *PROGRESS_TYPES,
    *ENVELOPE_TYPES,
    *stripe_events.REFUND_TYPES,
    *stripe_events.DISPUTE_TYPES,
    "charge.refunded",
    *REFUND_AND_DISPUTE_TYPES,
]
WORDS = [ORDER, "paid", "succeeded", "lost", "partial_capture", "usd", "re_1"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    *NATIVE,
    "event_id",
    "amount",
    "currency",
    "occurred_at",
    "type",
    "data",
    "livemode",
    "account",
    "payment_reference",
    "id",
    "created",
    "object",
    "metadata",
    "refund_id",
    "processor_refund_id",
    "payment_intent",
    "status",
    "reason",
    "amount_refunded",
    "amount_captured",
]
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), JSON | st.dictionaries(st.sampled_from(FIELDS), JSON))
READABLE: dict[str, Any] = {
    "order_id": ORDER,
    "payment_reference": "pay_1",
    "processor_refund_id": "r_1",
    "id": "re_1",
    "charge": "ch_1",
    "status": "succeeded",
    "metadata": {"refund_id": REFUND},
    "amount": 1,
    "amount_refunded": 1,
    "amount_captured": 1,
    "currency": "usd",
}
# Half of the events have every field, and some of them are replaced.
FILLED = st.builds(lambda known, sent: {**known, **sent}, st.sampled_from([{}, READABLE]), OBJECTS)
DATA = FILLED | st.fixed_dictionaries({"object": FILLED}) | st.none()
TYPED = st.builds(lambda type_, data, sent: {**sent, "type": type_, "data": data}, st.sampled_from(TYPES), DATA, FILLED)
BODIES = (OBJECTS | TYPED).map(json.dumps)


@pytest.mark.long
@settings(max_examples=EVENT_BODIES.chosen)
@given(scheme=st.sampled_from(get_args(Scheme)), body=BODIES.map(str.encode) | st.binary())
def test_any_body_is_either_read_or_refused(scheme: Scheme, body: bytes) -> None:
    event, problem = read_event(scheme, body)
    assert (problem is None) == (event.error is None)
    reported = [status for status in (event.payment_status, event.refund_status, event.dispute_status) if status]
    assert len(reported) == 1 or (reported == [] and event.reason is not None)
    if event.reason is None:
        payment = event.order_id if event.payment_status else event.order_id or event.payment_reference
        assert payment or (event.refund_status and event.refund_id)
        assert not event.refund_status or event.object_reference or event.refund_id
    assert event.amount is None or event.amount.is_finite()
    # PostgreSQL can store each text: no NUL, and no half of a surrogate pair.
    assert all("\0" not in field and field.encode() for field in event if isinstance(field, str))
