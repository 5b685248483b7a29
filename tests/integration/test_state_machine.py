"""The shop behaves like its model in any sequence of requests."""

import json
import logging
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import seed, settings, stateful
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from pg8000.native import Connection

from tests import sizes
from tests.api_client import ApiClient, lambda_context, load_function
from tests.integration.compared_shop import if_match
from tests.integration.compared_tables import TableComparison
from tests.integration.customer_machine import LIMITS, CustomerMachine
from tests.integration.decisions import UNREADABLE
from tests.integration.entities import (
    MAX_TOTAL,
    MINUTES_TO_LIVE,
    NO_ORDER,
    ORDER_NOT_FOUND,
    Charge,
    Order,
    OrderTag,
    Product,
    Tag,
)
from tests.integration.events import Event
from tests.integration.inbox_entry import StoredEvent
from tests.integration.model import Adjustment, NewNote, NewOrder, NewProduct, Request
from tests.integration.money import CURRENCY
from tests.integration.money_machine import reference_of
from tests.integration.responses import EVERY_RESPONSE, expect_refusal
from tests.integration.strategies import (
    adjustments,
    changes,
    currencies,
    customers,
    erased_events,
    events,
    keyed_requests,
    keys,
    new_orders,
    notes,
    order_tags,
    orders,
    own_references,
    payment_statuses,
    personal_requests,
    prices,
    products,
    references,
    skus,
    stocks,
    stored_events,
    tags,
)
from tests.sizes import SEQUENCES

SHARDS = 4
"""Parts of the search, which run at the same time on different workers."""

EXAMPLES = SEQUENCES.chosen // SHARDS
STEPS = 60
"""At most. Hypothesis ends some runs early, so the average is 50."""

UNREADABLE_AGAIN = (422, "unreadable-payment-event")


class ShopMachine(CustomerMachine):
    """Draws the requests, and what else happens, at random."""

    # At least one product is in stock, so there is an order. The rules about money need one.
    @initialize(stocks=st.tuples(stocks, stocks, stocks, stocks).filter(any), paid=st.integers(0, 3))
    def open_the_shop(self, stocks: tuple[int, ...], paid: int) -> None:
        for name, stock in zip(("tea", "coffee", "cup", "pot"), stocks, strict=True):
            self.post(NewProduct(name, Decimal("4.50"), stock))
            self.read(self.model.products[-1])
            self.post(NewOrder(1, ((self.model.products[-1], 1),)))
        for order in self.model.orders[:paid]:
            self.report(Event(self.new_id(), order, "charged", order.total, CURRENCY, reference_of(order, 1)))

    @rule(price=prices, stock=stocks, sku=skus, key=st.none() | keys)
    def create_a_product(self, price: Decimal, stock: int, sku: str | None, key: str | None) -> None:
        self.post(NewProduct(f"product {len(self.model.products)}", price, stock, sku), key)

    @precondition(lambda self: bool(self.model.on_sale()))
    @rule(product=products, less=st.sampled_from(["0", "0", "0.01"]), reference=own_references)
    def place_an_order_with_a_discount_of_its_price(self, product: Product, less: str, reference: str | None) -> None:
        """Without a rest, it costs nothing. With a discount that is larger than its price, it is refused."""
        discount = Charge("discount", -min(product.price + Decimal(less), MAX_TOTAL))
        self.post(NewOrder(1, ((product, 1),), (discount,), reference))

    @rule(order=new_orders)
    def place_an_order(self, order: NewOrder) -> None:
        self.post(order)

    @rule(order=new_orders, key=keys)
    def place_an_order_under_a_key(self, order: NewOrder, key: str) -> None:
        self.post(order, key)

    @rule(order=new_orders, key=st.none() | keys, more=st.sampled_from(["0", "0", "0.01"]))
    def place_an_order_at_the_total_that_was_seen(self, order: NewOrder, key: str | None, more: str) -> None:
        seen = order.total + Decimal(more)
        self.post(replace(order, expected_total=max(Decimal(0), min(seen, MAX_TOTAL))), key)

    @rule(adjustment=adjustments, key=st.none() | keys)
    def adjust_the_stock(self, adjustment: Adjustment, key: str | None) -> None:
        self.post(adjustment, key)

    @precondition(lambda self: bool(self.keyed_requests))
    @rule(keyed_request=keyed_requests)
    def send_a_request_again(self, keyed_request: tuple[Request, str]) -> None:
        self.post(*keyed_request)

    @precondition(lambda self: bool(self.personal_requests()))
    @rule(keyed_request=personal_requests)
    def send_a_request_with_personal_data_again(self, keyed_request: tuple[Request, str]) -> None:
        """After an erasure, the response is without the data."""
        self.post(*keyed_request)

    @rule(product=products, changes=changes)
    def change_a_product(self, product: Product, changes: dict[str, Any]) -> None:
        self.put(product, changes)

    @rule(product=products, changes=changes)
    def read_a_product_and_change_it(self, product: Product, changes: dict[str, Any]) -> None:
        self.put(product, changes, self.read(product))

    @rule(tag=tags, changes=changes)
    def change_a_product_that_was_read_before(self, tag: Tag, changes: dict[str, Any]) -> None:
        self.put(tag.product, changes, tag)

    @rule(tag=tags)
    def read_a_product_that_was_read_before(self, tag: Tag) -> None:
        response = self.api.call("GET", tag.product.path, headers={"if-none-match": tag.etag})
        if not expect_refusal(response, tag.product.refusal()):
            assert response.status == (304 if tag.version == tag.product.version else 200)

    @precondition(lambda self: len(self.model.on_sale()) > 2)
    @rule(tag=tags, is_conditional=st.booleans())
    def delete_a_product_that_was_read_before(self, tag: Tag, *, is_conditional: bool) -> None:
        condition = tag if is_conditional else None
        response = self.api.call("DELETE", tag.product.path, headers=if_match(condition))
        if not expect_refusal(response, tag.product.refusal(condition)):
            assert response.status == 204
            tag.product.delete()

    @rule(order=orders, status=st.sampled_from(["canceled", "completed", "canceled", "completed", "pending"]))
    def complete_or_cancel_an_order(self, order: Order, status: str) -> None:
        self.change_status(order, status)

    @rule(order=orders, text=notes, key=st.none() | keys)
    def write_a_note(self, order: Order, text: str, key: str | None) -> None:
        self.post(NewNote(order, text), key)

    @rule(customer_id=customers, read=orders)
    def erase_personal_data(self, customer_id: int, read: Order) -> None:
        """An erasure changes the ETags of the orders that it changes, and of no others."""
        path, version = f"/api/orders/{read.id}", read.version
        etag = self.api.get(path).headers.get("etag")
        self.erase(customer_id)
        self.seen.update(f"erasures: {order.erasures}" for order in self.model.orders)
        assert (self.api.get(path).headers.get("etag") == etag) == (read.version == version)

    @rule(order=orders)
    def read_an_order(self, order: Order) -> None:
        response = self.api.get(f"/api/orders/{order.id}")
        if not expect_refusal(response, ORDER_NOT_FOUND if order is NO_ORDER else None):
            self.order_tags.append((order, order.version, response.headers["etag"]))

    @precondition(lambda self: bool(self.order_tags))
    @rule(tag=order_tags, status=st.sampled_from(["canceled", "completed"]))
    def change_the_status_of_an_order_that_was_read_before(self, tag: OrderTag, status: str) -> None:
        self.change_status(tag[0], status, tag=tag)

    @rule(order=orders, payment_status=payment_statuses, currency=currencies)
    def report_a_payment(self, order: Order, payment_status: str, currency: str | None) -> None:
        self.report(Event(self.new_id(), order, payment_status, currency=currency))

    @rule(order=orders, payment_status=payment_statuses, missing=st.sampled_from(["0", "0", "0", "0.01", "-1"]))
    def report_a_payment_with_its_amount(self, order: Order, payment_status: str, missing: str) -> None:
        amount = (order.total - Decimal(missing)).quantize(Decimal("0.01"))
        if amount >= 0:
            self.report(Event(self.new_id(), order, payment_status, amount, CURRENCY))

    @precondition(lambda self: bool(self.events))
    @rule(event=events)
    def report_an_event_again(self, event: Event) -> None:
        self.report(event)

    @rule(order=orders, report=st.sampled_from(["started", "started", "ended"]), reference=references)
    def report_the_progress_of_a_payment(self, order: Order, report: str, reference: str) -> None:
        self.report(Event(self.new_id(), order, report, reference=reference))

    @rule(order=orders, report=st.sampled_from(["unreadable", "money", "nothing"]))
    def report_what_decides_nothing(self, order: Order, report: str) -> None:
        self.report(Event(self.new_id(), order if report == "unreadable" else None, report))

    @precondition(lambda self: bool(self.inbox.stored()))
    @rule(stored=stored_events)
    def replay_a_payment_event(self, stored: StoredEvent) -> None:
        self.replay(stored)

    @precondition(lambda self: bool(self.inbox.erased_unread()))
    @rule(stored=erased_events)
    def replay_an_event_that_can_never_be_read(self, stored: StoredEvent) -> None:
        self.replay(stored)

    def replay(self, stored: StoredEvent) -> None:
        response = self.api.call("POST", f"/api/payment-events/{stored.id}/replay")
        if expect_refusal(response, UNREADABLE_AGAIN if stored.decision == UNREADABLE else None):
            self.inbox.replay(stored)
            self.seen["replay without a body"] += not stored.has_body
        else:
            self.assert_event_matches(response, stored.event, *self.inbox.replay(stored))

    @rule(minutes=st.sampled_from([25, 45, 70, 25, 45, 70, 1500]))
    def time_passes(self, minutes: int) -> None:
        age = f"interval '{minutes} minutes'"
        self.database.run(f"UPDATE orders SET created_at = created_at - {age}, expires_at = expires_at - {age}")
        self.model.time_passes(minutes)
        # An order shows created_at, so these ETags are no longer the ones of the orders.
        self.order_tags.clear()

    @rule()
    def expire(self) -> None:
        self.is_step_complete = False
        response = load_function("expire_orders").lambda_handler({}, lambda_context())
        assert response == {"expired": self.model.expire(), "postponed": 0, "swept": 0, "erased_bodies": 0}
        self.seen["expired"] += response["expired"]


@pytest.fixture
def machine(
    api: ApiClient,  # noqa: ARG001  The machine calls the handlers, which it prepares.
    database: Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> type[ShopMachine]:
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", str(MINUTES_TO_LIVE))
    for name, limit in LIMITS.items():
        monkeypatch.setenv(name, str(limit))
    # Lists each held order at once.
    monkeypatch.setenv("PAYMENT_PENDING_DAYS", "0")
    monkeypatch.setenv("REFUND_PENDING_DAYS", "0")
    monkeypatch.setattr(ShopMachine, "database", database, raising=False)
    monkeypatch.setattr(ShopMachine, "tables", TableComparison(database), raising=False)
    monkeypatch.setattr(ShopMachine, "seen", Counter[str](), raising=False)
    # Writing the log would take as long as the requests.
    caplog.set_level(logging.CRITICAL, logger="storefront")
    return ShopMachine


@pytest.mark.long
@pytest.mark.timeout(7200 if sizes.search == "long" else 600)
@pytest.mark.parametrize("shard", range(1, SHARDS + 1), ids=lambda shard: f"shard {shard} of {SHARDS}")
def test_the_shop_behaves_like_its_model(
    shard: int, machine: type[ShopMachine], shared_folder: Path, pytestconfig: pytest.Config
) -> None:
    if (given := pytestconfig.getoption("--hypothesis-seed")) is not None:
        seed(f"{given}, shard {shard}")(machine)
    stateful.run_state_machine_as_test(
        machine,
        # --hypothesis-seed applies in CI too, where Hypothesis would otherwise use the same choices each time.
        settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, derandomize=False),
    )
    check_all_shards(shared_folder, shard, machine.seen)


def check_all_shards(folder: Path, shard: int, seen: Counter[str]) -> None:
    """Check what all shards have seen, once the last of them has ended."""
    (folder / f"seen-by-shard-{shard}.unfinished").write_text(json.dumps(seen))
    (folder / f"seen-by-shard-{shard}.unfinished").rename(folder / f"seen-by-shard-{shard}.json")
    shards = [json.loads(path.read_text()) for path in folder.glob("seen-by-shard-*.json")]
    if len(shards) == SHARDS:
        total = sum(map(Counter, shards), Counter[str]())
        assert total["step"] > 40 * EXAMPLES * SHARDS
        # The quick search is too short to see every response each time.
        expected = EVERY_RESPONSE if sizes.search != "quick" else set()
        assert [response for response in expected if not total[response]] == []
