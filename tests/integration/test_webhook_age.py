"""The age of the webhook: since when orders are placed, but no payment event arrives."""

import pytest
from pg8000.native import Connection

from storefront import audit
from tests.api_client import ApiClient, expect


def test_the_webhook_age_is_that_of_the_first_order_after_the_last_event(api: ApiClient, database: Connection) -> None:
    tea = api.create_product(quantity=100)["id"]
    assert audit.webhook_age(database) == 0
    orders = [api.order((tea, 1))["id"] for _ in range(3)]
    for hours, order_id in zip((3, 2, 1), orders, strict=True):
        database.run(
            "UPDATE orders SET created_at = now() - make_interval(hours => :n) WHERE id = :id", n=hours, id=order_id
        )
    assert audit.webhook_age(database) == pytest.approx(3 * 3600, abs=60)
    expect(200, api.pay(orders[0]))
    assert audit.webhook_age(database) == 0
    database.run("UPDATE payment_events SET received_at = now() - interval '150 minutes'")
    assert audit.webhook_age(database) == pytest.approx(2 * 3600, abs=60)
