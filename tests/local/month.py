"""What happens in a month of a shop: orders, payments, refunds and disputes, over HTTP."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from tests.api_client import expect
from tests.refund_shop import Shop
from tests.stripe_events import stripe_event
from tests.stripe_refunds import Payment


class Month:
    """The shop sells one product, for 10.00. Each order has the name of its story."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.api = shop.api
        self.tea: str = shop.api.create_product(price="10.00", quantity=1000)["id"]
        self.orders: dict[str, str] = {}

    def sell(self, name: str, units: int = 1, **fields: Any) -> dict[str, Any]:
        order = self.api.order((self.tea, units), **fields)
        self.orders[name] = order["id"]
        return order

    def pay(self, order: dict[str, Any], amount: str | None = None, outcome: str = "applied") -> Payment:
        payment = self.shop.payment(order, amount)
        assert self.shop.report(payment) == outcome
        return payment

    def sold(self, name: str, units: int = 1) -> tuple[dict[str, Any], Payment]:
        """Sell, receive the payment, and ship."""
        order = self.sell(name, units)
        payment = self.pay(order)
        self.complete(order)
        return order, payment

    def complete(self, order: dict[str, Any]) -> None:
        expect(200, self.api.change_status(order["id"], "completed"))

    def cancel(self, order: dict[str, Any], **fields: Any) -> None:
        path = f"/api/orders/{order['id']}/status"
        expect(200, self.api.call("PUT", path, {"status": "canceled", **fields}))

    def request(self, order: dict[str, Any], **fields: Any) -> str:
        return str(expect(201, self.api.call("POST", f"/api/orders/{order['id']}/refunds", fields))["id"])

    def entries(self, **filters: str) -> list[dict[str, Any]]:
        return self.api.items("/api/reconciliation", page_size=100, **filters)

    def acknowledge(self, order: dict[str, Any], note: str) -> None:
        [entry] = [one for one in self.entries() if (one["order"] or {}).get("id") == order["id"]]
        path = f"/api/reconciliation/{entry['kind']}/{entry['id']}/acknowledgement"
        expect(201, self.api.call("POST", path, {"note": note}))


Story = Callable[[Month], Iterator[None]]
"""What happens to an order. At each `yield`, a week passes."""


def shipped(month: Month) -> Iterator[None]:
    order = month.sell("shipped", 2, charges=[{"kind": "shipping", "label": "Parcel", "amount": "4.90"}])
    month.pay(order)
    yield
    month.complete(order)


def abandoned(month: Month) -> Iterator[None]:
    order = month.sell("abandoned")
    yield
    month.cancel(order)


def paid_at_the_second_attempt(month: Month) -> Iterator[None]:
    order = month.sell("paid at the second attempt")
    expect(200, month.api.pay(order["id"], "failed"))
    yield
    month.pay(order)
    month.complete(order)


def paid_twice(month: Month) -> Iterator[None]:
    order, _ = month.sold("paid twice")
    month.pay(order, outcome="needs_refund")
    yield


def paid_twice_and_refunded(month: Month) -> Iterator[None]:
    order, _ = month.sold("paid twice and refunded")
    month.pay(order, outcome="needs_refund")
    yield
    path = f"/api/orders/{order['id']}/payments"
    [second] = [one for one in month.api.items(path) if one["reason"] == "paid_twice"]
    month.request(order, payment_id=second["id"])


def paid_twice_and_refunded_in_the_dashboard(month: Month) -> Iterator[None]:
    order, first = month.sold("paid twice and refunded in the dashboard")
    month.pay(order, outcome="needs_refund")
    yield
    month.shop.account.refund(first.reference)


def sent_back(month: Month) -> Iterator[None]:
    order, _ = month.sold("sent back", 3)
    yield
    item = order["order_items"][0]["id"]
    broken = {"order_item_id": item, "quantity": 1, "restock": False}
    month.request(order, lines=[broken, {**broken, "restock": True}])


def sent_back_for_all_its_money(month: Month) -> Iterator[None]:
    order, _ = month.sold("sent back for all its money", 2)
    for amount in ("6.66", "6.66"):
        month.request(order, amount=amount)
    yield
    month.request(
        order, lines=[{"order_item_id": order["order_items"][0]["id"], "quantity": 2, "restock": True}], amount="6.68"
    )


def refunded_in_the_dashboard(month: Month) -> Iterator[None]:
    _, payment = month.sold("refunded in the dashboard")
    yield
    month.shop.account.refund(payment.reference, 400)


def requested_and_refunded_in_the_dashboard(month: Month) -> Iterator[None]:
    order, payment = month.sold("requested and refunded in the dashboard")
    month.request(order, amount="4.00")
    month.shop.account.refund(payment.reference, 400)
    month.shop.deliver()
    yield


def more_requested_than_the_dashboard_left(month: Month) -> Iterator[None]:
    order, payment = month.sold("more requested than the dashboard left")
    refund = month.request(order, amount="6.00")
    month.shop.account.refund(payment.reference, 601)
    yield
    # The program cannot claim it, and the reconciliation asks to check it.
    expect(200, month.api.call("PUT", f"/api/refunds/{refund}/status", {"status": "canceled"}))


def refund_failed(month: Month) -> Iterator[None]:
    order, payment = month.sold("refund failed")
    month.request(order)
    yield
    [refund] = month.shop.account.refunds_of(payment.reference)
    month.shop.account.settle(refund, "failed")


def refund_failed_and_repeated(month: Month) -> Iterator[None]:
    order, payment = month.sold("refund failed and repeated")
    month.request(order)
    yield
    [refund] = month.shop.account.refunds_of(payment.reference)
    month.shop.account.settle(refund, "failed")
    yield
    month.request(order)


def disputed(month: Month) -> Iterator[None]:
    _, payment = month.sold("disputed")
    yield
    month.shop.dispute(payment, "created", "needs_response")


def dispute_won(month: Month) -> Iterator[None]:
    order, payment = month.sold("dispute won")
    month.request(order, amount="4.00")
    month.shop.dispute(payment, "created", "needs_response")
    month.shop.deliver()
    yield
    month.shop.dispute(payment, "closed", "won")


def dispute_lost(month: Month) -> Iterator[None]:
    _, payment = month.sold("dispute lost")
    month.shop.dispute(payment, "created", "needs_response")
    yield
    month.shop.dispute(payment, "closed", "lost")


def paid_late(month: Month) -> Iterator[None]:
    order = month.sell("paid late")
    month.cancel(order)
    yield
    month.pay(order, outcome="needs_refund")


def paid_late_and_refunded(month: Month) -> Iterator[None]:
    order = month.sell("paid late and refunded")
    month.cancel(order)
    month.pay(order, outcome="needs_refund")
    yield
    month.request(order)


def canceled_with_refund(month: Month) -> Iterator[None]:
    order = month.sell("canceled with refund", 2)
    month.pay(order)
    yield
    month.cancel(order, refund=True)


def canceled_and_refunded_in_the_dashboard(month: Month) -> Iterator[None]:
    order = month.sell("canceled and refunded in the dashboard")
    payment = month.pay(order)
    month.cancel(order)
    yield
    month.shop.account.refund(payment.reference)


def paid_in_cash(month: Month) -> Iterator[None]:
    order = month.sell("paid in cash")
    month.complete(order)
    yield
    month.acknowledge(order, "10.00 in cash.")


def never_paid(month: Month) -> Iterator[None]:
    month.complete(month.sell("never paid"))
    yield


def paid_too_little(month: Month) -> Iterator[None]:
    month.pay(month.sell("paid too little"), "9.00", "needs_review")
    yield


def paid_too_much(month: Month) -> Iterator[None]:
    order = month.sell("paid too much")
    month.pay(order, "11.00", "needs_review")
    yield
    month.complete(order)
    month.request(order, amount="1.00")


def paid_by_transfer_and_refunded_by_hand(month: Month) -> Iterator[None]:
    order = month.sell("paid by transfer and refunded by hand")
    expect(200, month.api.pay(order["id"], event_id=f"evt_{uuid.uuid4().hex}", amount="10.00", currency="USD"))
    month.complete(order)
    refund_id = month.request(order, amount="2.50")
    yield
    path = f"/api/refunds/{refund_id}/status"
    expect(200, month.api.call("PUT", path, {"status": "pending"}))
    expect(200, month.api.call("PUT", path, {"status": "succeeded", "processor_reference": "SEPA 4711"}))


def reported_in_an_event_that_cannot_be_read(month: Month) -> Iterator[None]:
    order = month.sell("reported in an event that cannot be read")
    event = {"order_id": order["id"], "event_id": f"evt_{uuid.uuid4().hex}"}
    assert month.api.deliver({**event, "payment_status": "PAID"}).status == 422
    assert month.api.deliver(b'{"order_id": ').status == 400
    yield
    expect(200, month.api.deliver({**event, "payment_status": "paid"}))
    month.complete(order)


def paid_without_an_order(month: Month) -> Iterator[None]:
    event = stripe_event(id=f"pi_{uuid.uuid4().hex}", metadata={})
    expect(200, month.api.deliver({**event, "id": f"evt_{uuid.uuid4().hex}"}, "stripe"))
    yield


STORIES: tuple[Story, ...] = (
    shipped,
    abandoned,
    paid_at_the_second_attempt,
    paid_twice,
    paid_twice_and_refunded,
    paid_twice_and_refunded_in_the_dashboard,
    sent_back,
    sent_back_for_all_its_money,
    refunded_in_the_dashboard,
    requested_and_refunded_in_the_dashboard,
    more_requested_than_the_dashboard_left,
    refund_failed,
    refund_failed_and_repeated,
    disputed,
    dispute_won,
    dispute_lost,
    paid_late,
    paid_late_and_refunded,
    canceled_with_refund,
    canceled_and_refunded_in_the_dashboard,
    paid_in_cash,
    never_paid,
    paid_too_little,
    paid_too_much,
    paid_by_transfer_and_refunded_by_hand,
    reported_in_an_event_that_cannot_be_read,
    paid_without_an_order,
)
