"""Hypothesis strategies for the rules of the state machine."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.integration.entities import CANARY, MAX_INTEGER, NO_ORDER, WITHOUT_PERSONAL_DATA, Charge
from tests.integration.model import Adjustment, NewOrder
from tests.integration.money import CURRENCY, RefundLine

T = TypeVar("T")


def drawn_from(pick: Callable[[Any], Sequence[T]]) -> st.SearchStrategy[T]:
    """Draw one of the objects that the machine has at that time."""
    return st.runner().flatmap(lambda machine: st.sampled_from(pick(machine)))


# Mostly recent and existing objects, so that few requests are refused and many concern the same order.
products = drawn_from(lambda machine: machine.model.on_sale() * 16 + machine.model.gone())
orders = drawn_from(lambda machine: machine.model.orders[-4:] * 5 + [NO_ORDER])
tags = drawn_from(lambda machine: machine.tags[-8:])
order_tags = drawn_from(lambda machine: machine.order_tags[-4:])
keyed_requests = drawn_from(lambda machine: machine.keyed_requests[-8:])
personal_requests = drawn_from(lambda machine: machine.personal_requests()[-8:])
events = drawn_from(lambda machine: machine.events[-8:])
stripe_events = drawn_from(lambda machine: [event for event in machine.events if event.scheme == "stripe"][-8:])
orders_with_money = drawn_from(
    lambda machine: (
        [order for order in machine.model.orders if order.money.payments][-4:] * 4 + machine.model.orders[-2:]
    )
)
refunds = drawn_from(lambda machine: machine.known_refunds()[-8:])
open_refunds = drawn_from(lambda machine: machine.known_open_refunds()[-4:])
unpaid_after_completion = drawn_from(lambda machine: machine.completed_and_unpaid())
entries = drawn_from(lambda machine: machine.model.books.entries()[-12:] * 2 + machine.drawn_entries[-4:])
stored_events = drawn_from(lambda machine: machine.inbox.stored()[-8:])
# They are rare, so a random replay would hardly find one.
erased_events = drawn_from(lambda machine: machine.inbox.erased_unread()[-4:])

customers = st.sampled_from([1, 2])
keys = st.integers(1, 15).map("key-{}".format)
prices = st.sampled_from([Decimal(price) for price in ("4.50", "0.01", "7.00", "19.90", "1250.00", "99999999.99")])
payment_statuses = st.sampled_from(["paid", "failed"])
reports = st.sampled_from(["paid", "failed", "started", "ended", "unreadable", "money", "nothing"])
references = st.sampled_from(["pi_1", "pi_2"])
currencies = st.sampled_from([None, None, None, CURRENCY, "EUR"])
stocks = st.sampled_from([10, 20, 40, 100, 5, 1, 0, MAX_INTEGER])
skus = st.sampled_from([None, None, "TEA-1", "tea-1", "ＴＥＡ-1", "CUP-2"])
changes = (
    st.fixed_dictionaries({"price": prices})
    | st.fixed_dictionaries({"quantity": stocks})
    | st.fixed_dictionaries({"sku": skus})
)
deltas = st.sampled_from([5, 1, 10, 20, -1, -2, -5, -10, MAX_INTEGER, -MAX_INTEGER])
line_items = st.lists(st.tuples(products, st.sampled_from([1, 1, 2, 3, 25])), min_size=1, max_size=4)
charges = st.sampled_from(
    [Charge(kind, Decimal(amount)) for kind, amount in (("shipping", "4.90"), ("tax", "0.38"), ("discount", "-4.50"))]
)
some_charges = st.sampled_from([(), ()]) | st.lists(charges, max_size=3).map(tuple)
personal = st.sampled_from([(), ("email",), ("note", "metadata"), tuple(WITHOUT_PERSONAL_DATA)])
notes = st.sampled_from([f"Call {CANARY}", "🍵"])
times_to_live = st.sampled_from([None, None, None, 20, 40, 9_999_999])
own_references = st.sampled_from([None, None, None, "2026-7", "2026-8"])


def orders_as(kind: type[T], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Draw orders of the shop or of a customer. fields: those that the other one does not have."""
    return st.builds(
        kind,
        customer_id=customers,
        line_items=line_items.map(tuple),
        **fields,
        personal=personal,
        expires_in_minutes=times_to_live,
    )


new_orders = orders_as(NewOrder, charges=some_charges, reference=own_references)
reported_refund_statuses = st.sampled_from(["pending", "succeeded", "succeeded", "failed", "canceled"])
refund_line = st.builds(RefundLine, st.sampled_from([0, 0, 0, 1, 2]), st.sampled_from([1, 1, 1, 2]), st.booleans())
refund_lines = st.just(()) | st.lists(refund_line, max_size=2, unique_by=lambda line: (line.item, line.restock)).map(
    tuple
)
adjustments = st.builds(Adjustment, products, deltas)
