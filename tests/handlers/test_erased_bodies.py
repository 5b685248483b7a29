"""The bodies of payment events: erased with the customer's data or after some time, and not stored again."""

import json
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from storefront.payments.signatures import Scheme
from tests.api_client import ApiClient, Response, expect, lambda_context, load_function, signed
from tests.handlers.conftest import stripe_event_for
from tests.handlers.inbox import timeline
from tests.handlers.personal_data import erase, get, place, stripe_pair


def bodies(database: Connection) -> list[str | None]:
    return [body for [body] in database.run("SELECT body FROM payment_events ORDER BY received_at") or []]


def replay(api: ApiClient, event: dict[str, Any]) -> Response:
    return api.call("POST", f"/api/payment-events/{event['id']}/replay")


def test_the_bodies_of_payment_events_are_erased_and_the_events_stay(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order, other = place(api, tea).json, place(api, tea, customer_id=8).json
    expect(200, api.pay(order["id"], "failed", event_id="evt_1", receipt_email="ada@example.com"))
    expect(200, api.pay(other["id"], event_id="evt_2"))
    before = api.items("/api/payment-events")
    erase(api)
    first, second = bodies(database)
    assert first is None
    assert second is not None
    assert api.items("/api/payment-events") == before
    assert violations(database) == []


def test_the_bodies_of_all_contents_under_an_event_id_are_erased(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order = place(api, tea).json
    expect(200, api.pay(order["id"], "failed", event_id="evt_1"))
    expect(200, api.pay(order["id"], "paid", event_id="evt_1"))
    unreadable = {"event_id": "evt_1", "order_id": "?", "payment_status": "paid", "email": "ada@example.com"}
    assert api.deliver(unreadable).status == 422
    erase(api)
    assert bodies(database) == [None] * 3
    assert violations(database) == []


def test_the_body_of_an_event_that_now_names_another_order_is_erased(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order = place(api, tea).json
    expect(200, api.pay(order["id"], "failed", event_id="evt_1"))
    database.run("UPDATE payment_events SET order_id = gen_random_uuid()")
    erase(api)
    assert bodies(database) == [None]


@pytest.mark.parametrize(
    ("scheme", "type_"),
    [
        ("stripe", "payment_intent.created"),
        ("stripe", "payment_intent.requires_action"),
        ("stripe", "charge.pending"),
        ("stripe", "customer.updated"),
        ("standard_webhooks", "payment.refunded"),
    ],
)
def test_the_body_of_an_event_of_another_type_that_names_the_order_is_erased(
    api: ApiClient, tea: str, database: Connection, scheme: Scheme, type_: str
) -> None:
    order = place(api, tea).json
    about = {"order_id": order["id"], "email": "ada@example.com"}
    event: dict[str, Any] = {"type": type_, "data": about}
    if scheme == "stripe":
        event = {**stripe_event_for(order, "payment_intent.succeeded"), "type": type_}
        event["data"]["object"] |= {"email": "ada@example.com", "payment_intent": None}
    before = timeline(api, order["id"]), get(api, order)
    for outcome in ("ignored", "duplicate"):
        assert expect(200, api.deliver(event, scheme))["outcome"] == outcome
    [stored] = api.items("/api/payment-events")
    assert (stored["order_id"], stored["reason"]) == (order["id"], "type_not_ours")
    assert expect(200, replay(api, stored))["outcome"] == "ignored"
    assert (timeline(api, order["id"]), get(api, order)) == before
    assert violations(database) == []
    erase(api)
    assert bodies(database) == [None]
    assert violations(database) == []


def test_an_event_of_another_type_for_an_unknown_order_is_ignored(api: ApiClient, tea: str) -> None:
    unknown = {**place(api, tea).json, "id": "00000000-0000-4000-8000-000000000000"}
    event = {**stripe_event_for(unknown, "payment_intent.succeeded"), "type": "payment_intent.created"}
    assert expect(200, api.deliver(event, "stripe"))["outcome"] == "ignored"
    assert api.items("/api/reconciliation") == []


def test_earlier_contents_under_the_event_id_of_an_erased_order_lose_their_bodies(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order = place(api, tea).json
    erase(api)
    for email in ("ada@example.com", "ada@example.org"):
        broken = {"event_id": "evt_1", "order_id": "?", "payment_status": "paid", "email": email}
        assert api.deliver(broken).status == 422
    assert expect(200, api.pay(order["id"], "paid", event_id="evt_1"))["outcome"] == "applied"
    assert api.pay("00000000-0000-4000-8000-000000000000", "paid", event_id="evt_2").status == 404
    assert expect(200, api.pay(order["id"], "failed", event_id="evt_2"))["outcome"] == "ignored"
    assert bodies(database) == [None] * 4
    assert violations(database) == []


@pytest.mark.parametrize("arrive", ["before", "after", "around", "around, reversed"])
def test_the_event_of_a_payment_that_does_not_name_the_order_keeps_no_body(
    api: ApiClient, tea: str, database: Connection, arrive: str
) -> None:
    order = place(api, tea).json
    session, intent = stripe_pair(order)
    first, second = (intent, session) if arrive == "around, reversed" else (session, intent)
    if arrive != "after":
        expect(200, api.deliver(first, "stripe"))
    if arrive == "before":
        expect(200, api.deliver(second, "stripe"))
    erase(api)
    if arrive == "after":
        expect(200, api.deliver(first, "stripe"))
    if arrive != "before":
        expect(200, api.deliver(second, "stripe"))
    assert bodies(database) == [None, None]
    assert get(api, order)["payment_status"] == "paid"
    assert violations(database) == []


def test_an_event_that_arrives_after_the_erasure_takes_effect_without_its_body(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order = place(api, tea).json
    erase(api)
    assert expect(200, api.pay(order["id"], event_id="evt_1", email="ada@example.com"))["outcome"] == "applied"
    assert bodies(database) == [None]
    assert replay(api, api.items("/api/payment-events")[0]).json["outcome"] == "duplicate"
    assert violations(database) == []


def test_a_delivery_of_an_erased_event_does_not_store_its_body_again(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order = place(api, tea).json
    expect(200, api.pay(order["id"], "failed", event_id="evt_1", email="ada@example.com"))
    erase(api)
    same = api.pay(order["id"], "failed", event_id="evt_1", email="ada@example.com")
    assert expect(200, same)["outcome"] == "duplicate"
    changed = api.pay(order["id"], "paid", event_id="evt_1", email="ada@example.com")
    assert expect(200, changed)["outcome"] == "needs_review"
    assert bodies(database) == [None, None]
    [[attempts]] = database.run("SELECT attempts FROM payment_events WHERE variant = 0")
    assert attempts == 2
    assert violations(database) == []


def test_an_event_with_the_same_id_in_another_scheme_keeps_its_body(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order, other = place(api, tea).json, place(api, tea, customer_id=8).json
    erase(api)
    event = stripe_event_for(other)
    expect(200, api.deliver(event, "stripe"))
    for status in ("failed", "paid"):
        expect(200, api.pay(order["id"], status, event_id=event["id"]))
    assert [body is None for body in bodies(database)] == [False, True, True]


def test_an_event_about_a_payment_whose_first_event_is_old_keeps_its_body(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order = place(api, tea).json
    expect(200, api.pay(order["id"], event_id="evt_1", payment_reference="pay_1"))
    database.run("UPDATE payment_events SET body = NULL")
    expect(200, api.pay(order["id"], event_id="evt_2", payment_reference="pay_1"))
    assert [body is None for body in bodies(database)] == [True, False]


def test_a_corrected_event_replaces_an_erased_one_without_its_body(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order = place(api, tea).json
    event = {"event_id": "evt_1", "order_id": order["id"], "payment_status": "PAID", "email": "ada@example.com"}
    assert api.deliver(event).status == 422
    erase(api)
    assert api.deliver({**event, "payment_status": "paid"}).json["outcome"] == "applied"
    assert bodies(database) == [None]
    assert violations(database) == []


def test_an_unreadable_event_whose_body_was_erased_stays_one_event_and_cannot_be_replayed(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order = place(api, tea).json
    body = json.dumps({"event_id": "evt_1", "order_id": order["id"], "payment_status": "paid"}).encode()
    send = {**signed(body), "content-type": "text/plain"}
    assert api.call("POST", "/api/payment-webhook", body, send).status == 415
    erase(api)
    assert bodies(database) == [None]
    assert api.call("POST", "/api/payment-webhook", body, send).status == 415
    assert bodies(database) == [None]
    event = api.items("/api/payment-events")[0]
    assert event["attempts"] == 2
    refused = replay(api, event)
    assert refused.problem() == (422, "unreadable-payment-event")
    assert "body was erased" in refused.json["detail"]
    assert violations(database) == []


def test_an_unreadable_event_is_not_taken_for_another_content_whose_body_was_erased(
    api: ApiClient, tea: str, database: Connection
) -> None:
    order = place(api, tea).json
    expect(200, api.pay(order["id"], "failed", event_id="evt_1"))
    erase(api)
    unreadable = {"event_id": "evt_1", "order_id": order["id"], "payment_status": "PAID"}
    assert api.deliver(unreadable).status == 422
    assert [event["outcome"] for event in api.items("/api/payment-events")] == ["unreadable", "applied"]
    assert [entry["kind"] for entry in api.items("/api/reconciliation")] == ["unreadable_event"]
    assert api.deliver(unreadable).status == 422
    assert [event["attempts"] for event in api.items("/api/payment-events")] == [2, 1]
    assert bodies(database) == [None, None]
    assert violations(database) == []


def test_an_unreadable_event_of_another_order_does_not_replace_one_whose_body_was_erased(
    api: ApiClient, tea: str, database: Connection
) -> None:
    orders = place(api, tea).json, place(api, tea, customer_id=8).json
    first, second = ({"event_id": "evt_1", "order_id": order["id"], "payment_status": "PAID"} for order in orders)
    assert api.deliver(first).status == 422
    erase(api)
    assert api.deliver(second).status == 422
    named = [event["order_id"] for event in api.items("/api/payment-events")]
    assert named == [orders[1]["id"], orders[0]["id"]]
    assert violations(database) == []


def test_the_scheduled_run_erases_old_bodies(
    api: ApiClient, tea: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place(api, tea).json
    for number in range(3):
        expect(200, api.pay(order["id"], "failed", event_id=f"evt_{number}"))
    database.run("UPDATE payment_events SET received_at = now() - interval '401 days' WHERE event_id < 'evt_2'")
    run = load_function("expire_orders")
    monkeypatch.setattr(run, "BATCH_SIZE", 1)
    monkeypatch.setenv("PAYMENT_BODY_RETENTION_DAYS", "0")
    assert run.lambda_handler({}, lambda_context())["erased_bodies"] == 0
    monkeypatch.setenv("PAYMENT_BODY_RETENTION_DAYS", "400")
    assert run.lambda_handler({}, lambda_context())["erased_bodies"] == 2
    assert [body is None for body in bodies(database)] == [True, True, False]
    # A late delivery does not store the body again.
    expect(200, api.pay(order["id"], "failed", event_id="evt_0"))
    assert run.lambda_handler({}, lambda_context())["erased_bodies"] == 0
    assert violations(database) == []


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("days", ["", "-1", "1.5", "never", "9" * 6])
def test_an_invalid_retention_is_an_error(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("PAYMENT_BODY_RETENTION_DAYS", days)
    with pytest.raises(ValueError, match="PAYMENT_BODY_RETENTION_DAYS should be a number"):
        load_function("expire_orders").lambda_handler({}, lambda_context())
