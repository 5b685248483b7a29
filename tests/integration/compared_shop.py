"""Sends the requests of the state machine to the shop and to its model, and compares them after every step."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine, invariant
from pg8000.native import Connection

from tests.api_client import ApiClient, Response, expect, over_handlers, target
from tests.integration.compared_tables import TableComparison, entry_id
from tests.integration.decisions import UNKNOWN_ORDER, UNREADABLE, Decision
from tests.integration.entities import (
    CANARY,
    KEY_REUSED,
    MINUTES_TO_LIVE,
    NO_ORDER,
    NUMBER_OUT_OF_RANGE,
    ORDER_NOT_FOUND,
    SKU_TAKEN,
    Order,
    OrderTag,
    Product,
    Tag,
)
from tests.integration.events import Event
from tests.integration.inbox import Inbox
from tests.integration.model import Model, Request
from tests.integration.money_requests import PAYMENT_DISPUTED, as_response, has_dispute, refund_everything
from tests.integration.responses import assert_matches, expect_refusal, name_of, sort_key

REFUSALS = {UNKNOWN_ORDER: ORDER_NOT_FOUND, UNREADABLE: (422, "invalid-request")}
"""The response to each decision that is not 200."""
TABLES = (
    "products, orders, order_items, order_events, stock_movements, idempotency_keys, payment_events, payments, "
    "refunds, refund_lines, disputes, acknowledgements"
)


class ComparedShop(RuleBasedStateMachine):
    """Sends the same requests to the shop and to its model, and compares them."""

    database: ClassVar[Connection]
    seen: ClassVar[Counter[str]]
    tables: ClassVar[TableComparison]
    model: Model

    def __init__(self) -> None:
        super().__init__()
        self.api, self.model, self.is_step_complete = ApiClient(self.send), Model(), True
        self.tags: list[Tag] = []
        self.order_tags: list[OrderTag] = []
        self.keyed_requests: list[tuple[Request, str]] = []
        self.events: list[Event] = []
        self.claims: Mapping[str, str] | None = None
        # As a replica, because triggers protect the ledger's rows.
        self.database.run(f"SET session_replication_role = replica; TRUNCATE {TABLES}; RESET session_replication_role")

    @property
    def inbox(self) -> Inbox:
        return self.model.inbox

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Response:
        self.is_step_complete = False
        response = over_handlers(method, path, body, headers, self.claims)
        self.seen[name_of(response)] += 1
        return response

    @invariant()
    def the_database_has_what_the_model_has(self) -> None:
        self.tables.check(self.model)
        self.seen.update({entry.kind for entry in self.model.books.listed()})
        self.seen.update({f"refund_status: {order.money.refund_status}" for order in self.model.orders})
        self.seen["step"] += 1
        self.is_step_complete = True

    def teardown(self) -> None:
        # After a failed step, a second failure would hide the first one.
        if self.is_step_complete:
            self.the_api_shows_what_the_model_has()
            self.an_erasure_leaves_no_personal_data()

    def the_api_shows_what_the_model_has(self) -> None:
        api = ApiClient(over_handlers)
        assert expect(200, api.get("/api/orders"))["total"] == len(self.model.orders)
        assert expect(200, api.get("/api/products"))["total"] == len(self.model.on_sale())
        for product in self.model.on_sale():
            assert_matches(expect(200, api.get(product.path)), product.as_response())
        inbox = expect(200, api.get(target("/api/payment-events", page_size=100)))["items"]
        known = [stored.as_response() for stored in self.inbox.stored()]
        assert_matches(sorted(inbox, key=sort_key), sorted(known, key=sort_key))
        found = expect(200, api.get(target("/api/reconciliation", page_size=100, pending_minutes=MINUTES_TO_LIVE)))
        books = self.model.books
        listed = [(one.kind, entry_id(one)) for one in books.listed() if not books.is_acknowledged(one)]
        assert Counter((one["kind"], one["id"]) for one in found["items"]) == Counter(listed)
        for order in self.model.orders:
            assert_matches(expect(200, api.get(f"/api/orders/{order.id}")), order.as_response())
            events = expect(200, api.get(target(f"/api/orders/{order.id}/events", page_size=100)))["items"]
            assert [event["from"] for event in events] == [None, *(event["to"] for event in events[:-1])]
            assert_matches(events, order.timeline_as_response())
            refunds = expect(200, api.get(target(f"/api/orders/{order.id}/refunds", page_size=100)))["items"]
            known_refunds = sorted(order.money.refunds, key=lambda refund: refund.requested)
            assert_matches(refunds, [as_response(refund) for refund in known_refunds])

    def an_erasure_leaves_no_personal_data(self) -> None:
        for customer_id in {order.customer_id for order in self.model.orders}:
            self.erase(customer_id)
        for table in TABLES.split(", "):
            assert self.database.run(f"SELECT * FROM {table} t WHERE t::text LIKE '%{CANARY}%'") == []

    def erase(self, customer_id: int) -> None:
        response = self.api.call("DELETE", f"/api/customers/{customer_id}/personal-data")
        orders = [order for order in self.model.orders if order.customer_id == customer_id]
        self.model.erase(orders)
        assert expect(200, response) == {"customer_id": customer_id, "orders": len(orders)}

    def personal_requests(self) -> list[tuple[Request, str]]:
        return [(request, key) for request, key in self.keyed_requests if CANARY in str(request.body())]

    def post(self, request: Request, key: str | None = None) -> None:
        """Send a request that creates something. With a used key, expect the first response again."""
        headers = request.headers() | ({"idempotency-key": key} if key else {})
        response = self.api.call("POST", request.path(), request.body(), headers)
        if key:
            self.keyed_requests.append((request, key))
        if stored := self.model.first_response(request.operation, key):
            content, first = stored
            if not expect_refusal(response, KEY_REUSED if content != request.content() else None):
                assert response.headers["idempotent-replayed"] == "true"
                assert expect(201, response) == first
                is_erased = CANARY in str(request.body()) and CANARY not in response.text
                self.seen["replayed without personal data"] += is_erased
        elif not expect_refusal(response, request.refusal(self.model)):
            body = expect(201, response)
            assert "idempotent-replayed" not in response.headers
            assert_matches(body, request.carry_out(self.model, body, key))
            if key:
                self.model.stored[request.operation, key] = (request.content(), body)

    def read(self, product: Product) -> Tag | None:
        """Read a product, and remember its ETag. Returns None if the product does not exist."""
        response = self.api.get(product.path)
        if expect_refusal(response, product.refusal()):
            return None
        assert_matches(expect(200, response), product.as_response())
        self.tags.append(Tag(product, product.version, response.headers["etag"]))
        return self.tags[-1]

    def put(self, product: Product, changes: dict[str, Any], tag: Tag | None = None) -> None:
        fields = {name: str(value) if isinstance(value, Decimal) else value for name, value in changes.items()}
        response = self.api.call("PUT", product.path, fields, if_match(tag))
        is_taken = self.model.has_sku(changes.get("sku"), except_for=product)
        if not expect_refusal(response, product.refusal(tag) or (SKU_TAKEN if is_taken else None)):
            product.change(**changes)
            assert_matches(expect(200, response), product.as_response())
            self.tags.append(Tag(product, product.version, response.headers["etag"]))

    def report(self, event: Event) -> None:
        # The native format is accepted with each kind of signature.
        response = self.api.deliver(event.body(), event.scheme)
        self.events.append(event)
        self.assert_event_matches(response, event, *self.inbox.receive(event))

    def assert_event_matches(self, response: Response, event: Event, order: Order | None, decision: Decision) -> None:
        outcome, reason = decision
        self.seen[str(reason)] += 1
        if event.is_about_refund:
            self.seen[f"{event.report}: {outcome}"] += 1
        refusal = UNREADABLE if event.report == "unreadable" else decision
        if not expect_refusal(response, REFUSALS.get(refusal)):
            known = None if order in (None, NO_ORDER) else order.payment_status
            assert_matches(
                expect(200, response), {"payment_status": known, "outcome": outcome, "event_id": event.event_id}
            )

    def change_status(self, order: Order, status: str, *, refund: bool = False, tag: OrderTag | None = None) -> None:
        body = {"status": status, **({"refund": True} if refund else {})}
        headers = {"if-match": tag[2]} if tag else {}
        response = self.api.call("PUT", f"/api/orders/{order.id}/status", body, headers)
        refusal = order.refusal(status, tag[1] if tag else None)
        if refund and refusal in (None, NUMBER_OUT_OF_RANGE) and has_dispute(order):
            refusal = PAYMENT_DISPUTED
        if not expect_refusal(response, refusal):
            order.change_status(status)
            if refund:
                self.seen["canceled with refund"] += 1
                refund_everything(order)
            assert_matches(expect(200, response), order.as_response())


def if_match(tag: Tag | None) -> dict[str, str]:
    return {} if tag is None else {"if-match": tag.etag}
