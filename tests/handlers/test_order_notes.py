"""Notes of staff in the timeline of an order."""

from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import UNKNOWN, ApiClient, expect, target
from tests.handlers.inbox import timeline
from tests.handlers.personal_data import add_note
from tests.handlers.tokens import SCOPES, client_with_scopes, customer_client

Order = dict[str, Any]


def test_a_note_is_an_entry_of_the_timeline(api: ApiClient, order: Order, database: Connection) -> None:
    added = expect(201, add_note(api, order["id"], "Called about delivery.\nAgain on Monday."))
    state = {"status": "pending", "payment_status": "unpaid"}
    assert (added["cause"], added["from"], added["to"]) == ("note", state, state)
    assert added["note"] == "Called about delivery.\nAgain on Monday."
    assert added["message"] == "Staff wrote a note."
    placed, noted = timeline(api, order["id"])
    assert noted == added
    assert placed["note"] is None
    assert violations(database) == []


def test_a_note_does_not_change_the_order(api: ApiClient, order: Order) -> None:
    before = api.get(f"/api/orders/{order['id']}")
    expect(201, add_note(api, order["id"], "called"))
    after = api.get(f"/api/orders/{order['id']}")
    assert (after.json, after.headers["etag"]) == (before.json, before.headers["etag"])


@pytest.mark.parametrize("text", ["🎁", "x", "字" * 1000, "\n\nbelow two empty lines", "👩‍👩‍👧"])
def test_a_note_can_have_1_to_1000_characters(api: ApiClient, order: Order, text: str) -> None:
    assert expect(201, add_note(api, order["id"], text))["note"] == text


@pytest.mark.parametrize("text", ["", " ", "\n", "\u200b\u3164", "x" * 1001, "a\0b", None, 1, ["x"]])
def test_other_texts_are_refused(api: ApiClient, order: Order, text: Any) -> None:
    assert add_note(api, order["id"], text).problem() == (422, "invalid-request")
    assert len(timeline(api, order["id"])) == 1


def test_a_note_for_an_unknown_order_is_not_found(api: ApiClient) -> None:
    assert add_note(api, UNKNOWN, "x").problem() == (404, "order-not-found")
    assert add_note(api, UNKNOWN, "x", **{"idempotency-key": "k"}).problem() == (404, "order-not-found")
    assert add_note(api, "1", "x").problem() == (422, "invalid-request")


def test_a_retry_with_the_same_key_adds_one_note(api: ApiClient, order: Order) -> None:
    key = {"idempotency-key": "k"}
    first = add_note(api, order["id"], "called", **key)
    again = add_note(api, order["id"], "called", **key)
    assert (again.status, again.text, again.headers["idempotent-replayed"]) == (201, first.text, "true")
    assert add_note(api, order["id"], "other", **key).problem() == (422, "idempotency-key-reused")
    assert [event["idempotency_key"] for event in timeline(api, order["id"])] == [None, "k"]


def test_notes_can_be_added_in_every_state(api: ApiClient, order: Order, database: Connection) -> None:
    expect(200, api.pay(order["id"]))
    expect(200, api.change_status(order["id"], "canceled"))
    assert expect(201, add_note(api, order["id"], "x"))["to"] == {"status": "canceled", "payment_status": "paid"}
    assert violations(database) == []


def test_customers_see_no_notes_and_can_write_none(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = api.order((api.create_product()["id"], 1), customer_id=7)["id"]
    monkeypatch.setenv("AUTH", "on")
    staff, customer = client_with_scopes(*SCOPES), customer_client(7)
    for number in range(3):
        expect(201, add_note(staff, order_id, f"secret {number}"))
        expect(200, staff.pay(order_id, "failed", event_id=f"evt_{number}"))
    assert [event["cause"] for event in timeline(customer, order_id)] == ["placed", *["payment_event"] * 3]
    assert add_note(customer, order_id, "x").problem() == (403, "forbidden")
    assert add_note(client_with_scopes("orders:write"), order_id, "x").problem() == (403, "forbidden")
    # Pages are full although notes are left out.
    path = f"/api/orders/{order_id}/events"
    causes, cursor = [], None
    while True:
        page = expect(200, customer.get(target(path, page_size=2, **({"cursor": cursor} if cursor else {}))))
        causes.append([event["cause"] for event in page["items"]])
        if not (cursor := page["next_cursor"]):
            break
    assert causes == [["placed", "payment_event"], ["payment_event", "payment_event"]]
