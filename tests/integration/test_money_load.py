"""Payments, refunds and disputes end in one state, in whatever order their events arrive."""

import json
from collections import Counter
from decimal import Decimal
from functools import partial
from random import Random

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient, expect
from tests.integration.entities import LineItem, Order, Product
from tests.integration.events import Event
from tests.integration.load_clients import PROCESSES, all_at_once, deliver_bodies
from tests.integration.model import Model
from tests.integration.money_load import Processor, assert_database_matches
from tests.integration.money_requests import NewRefund
from tests.integration.races import ACTOR, place
from tests.sizes import MONEY_DELIVERIES, SEED

DELIVERIES_OF_AN_ORDER = 10
"""On average."""


@pytest.fixture
def shop(api: ApiClient, database: Connection) -> Model:
    """A shop with orders in all states."""
    count = MONEY_DELIVERIES.chosen // DELIVERIES_OF_AN_ORDER
    tea = Product(api.create_product(price="10.00", quantity=count)["id"], "tea", Decimal("10.00"), count)
    database.run("SET statement_timeout = 0")
    request = json.dumps({**place((tea.id, 1)).request, **ACTOR})
    database.run(f"SELECT place_order('{request}') FROM generate_series(1, {count})")
    model = Model([tea])
    for id_, number in database.run("SELECT id::text, number FROM orders ORDER BY number") or []:
        order = Order(id_, f"order {number}", 1, [LineItem(tea, 1, tea.price, None)], number)
        order.record("placed")
        model.orders.append(order)
    for status, orders in (("canceled", model.orders[::5]), ("completed", model.orders[1::10])):
        ids = "', '".join(order.id for order in orders)
        actor = f"'status', '{status}', 'actor', 'test'"
        database.run(
            f"SELECT change_order_status(jsonb_build_object('id', id, {actor})) FROM orders WHERE id IN ('{ids}')"
        )
        for order in orders:
            order.change_status(status)
    return model


def request_refunds(api: ApiClient, shop: Model, processor: Processor) -> list[Event]:
    """Let some orders be paid, and request refunds of them. Return the events about these refunds."""
    events = []
    for order in shop.orders[2::40]:
        reference = f"pi_{order.number}"
        payment = Event(f"evt_{reference}", order, "charged", order.total, "USD", reference)
        expect(200, api.deliver(payment.body(), "stripe"))
        shop.inbox.receive(payment)
        request = NewRefund(order, None, Decimal(4))
        request.carry_out(shop, expect(201, api.call("POST", request.path(), request.body())), None)
        events += processor.refund(reference, "re", Decimal(4), refund=order.money.refunds[-1])
    return events


@pytest.mark.long
def test_shuffled_and_repeated_events_end_in_the_state_of_a_sequential_model(
    api: ApiClient, database: Connection, database_url: str, shop: Model
) -> None:
    random = Random(SEED)
    processor = Processor(random)
    events = request_refunds(api, shop, processor)
    events += [event for order in shop.orders for event in processor.events_of(order)]
    deliveries = [*events, *random.choices(events, k=max(0, MONEY_DELIVERIES.chosen - len(events)))]
    random.shuffle(deliveries)

    bodies = [json.dumps(event.body()).encode() for event in deliveries]
    shares = [partial(deliver_bodies, bodies[n::PROCESSES]) for n in range(PROCESSES)]
    statuses = sum(all_at_once(database_url, shares), Counter[int]())

    # The model never sees the order of arrival.
    for event in events:
        shop.inbox.receive(event)
    assert_database_matches(database, shop)
    assert violations(database) == []
    assert statuses.keys() <= {200, 503}
    assert statuses[200] == len(deliveries)
