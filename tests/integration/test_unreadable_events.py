"""An event that cannot be read is kept until a later delivery can be read."""

import base64
import json

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, Response, expect
from tests.integration.races import pay, report, two_at_once, unreadable
from tests.integration.stored_events import NOTHING, inbox, inbox_id, kinds, run

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def test_an_unreadable_event_is_stored_with_its_body_and_error(api: ApiClient, database: Connection) -> None:
    assert run(database, *[unreadable("evt_1", "{")] * 2) == ["unreadable", "unreadable"]
    assert inbox(database) == [[0, "unreadable", "invalid", 2]]
    assert database.run("SELECT body, error FROM payment_events") == [["{", "{ is invalid"]]
    [entry] = api.items("/api/reconciliation")
    assert (entry["kind"], entry["order"]) == ("unreadable_event", None)
    assert (entry["payment_event"]["error"], entry["payment_event"]["outcome"]) == ("{ is invalid", "unreadable")


def test_a_readable_delivery_replaces_an_unreadable_one(api: ApiClient, database: Connection, order_id: str) -> None:
    assert run(database, unreadable("evt_1", "{"), pay(order_id, "paid", "evt_1")) == ["unreadable", "applied"]
    assert inbox(database) == [[0, "applied", None, 2]]
    assert database.run("SELECT error FROM payment_events") == [[None]]
    assert kinds(api) == []


def test_different_bodies_under_one_id_are_all_kept_until_a_delivery_is_read(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    run(database, unreadable("evt_1", "{"), unreadable("evt_1", "["), unreadable("evt_1", "{"))
    assert inbox(database) == [[0, "unreadable", "invalid", 2], [1, "unreadable", "invalid", 1]]
    assert kinds(api) == ["unreadable_event"] * 2
    run(database, pay(order_id, "paid", "evt_1"))
    assert inbox(database) == [[0, "applied", None, 3], [1, "unreadable", "invalid", 1]]
    assert kinds(api) == []


def test_an_unreadable_delivery_after_a_readable_one_is_listed_until_one_is_read_again(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    run(database, pay(order_id, "paid", "evt_1"), unreadable("evt_1", "{"))
    assert [row[1] for row in inbox(database)] == ["applied", "unreadable"]
    assert kinds(api) == ["unreadable_event"]
    assert pay(order_id, "paid", "evt_1").run(database) == "duplicate"
    assert kinds(api) == []


@pytest.mark.parametrize("named", ["other order", "no order"])
def test_an_event_for_another_order_does_not_replace_an_unreadable_one(
    api: ApiClient, database: Connection, order_id: str, other_order_id: str, named: str
) -> None:
    later = NOTHING if named == "no order" else pay(other_order_id, "paid", "evt_1")
    run(database, unreadable("evt_1", "{", order_id=order_id), later)
    assert [row[1] for row in inbox(database)] == ["unreadable", "ignored" if named == "no order" else "applied"]
    assert kinds(api) == ["unreadable_event"]


def test_an_unreadable_event_is_in_the_timeline_of_its_order(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    run(database, unreadable("evt_1", "{", order_id=order_id))
    entry = api.items(f"/api/orders/{order_id}/events")[-1]
    assert (entry["outcome"], entry["reason"], entry["payment_event_id"]) == ("unreadable", "invalid", "evt_1")
    assert entry["to"] == entry["from"]


def test_bytes_that_were_read_before_are_a_duplicate(database: Connection, order_id: str) -> None:
    payment = pay(order_id, "paid", "evt_1", body="{}")
    assert run(database, payment, unreadable("evt_1", "{}", reason="media_type")) == ["applied", "duplicate"]


def test_an_unreadable_delivery_replaces_no_event_that_was_read(database: Connection) -> None:
    payment = {"order_id": UNKNOWN, "payment_status": "paid"}
    run(database, report("evt_1", **payment), unreadable("evt_1", "{ }", reason="media_type", **payment))
    assert [row[1] for row in inbox(database)] == ["unknown_order", "unreadable"]


def test_bytes_and_text_are_different_bodies(database: Connection) -> None:
    run(database, unreadable("evt_1", "AAAA"), unreadable("evt_1", "AAAA", body_is_base64=True))
    assert len(inbox(database)) == 2


def test_an_unreadable_and_a_readable_delivery_at_once_leave_the_readable_one(
    database: Connection, database_url: str, order_id: str
) -> None:
    events = unreadable("evt_1", "{"), pay(order_id, "paid", "evt_1")
    assert two_at_once(database_url, *events) == ("unreadable", "applied")
    assert inbox(database) == [[0, "applied", None, 2]]


def test_two_unreadable_deliveries_at_once_are_both_kept(database: Connection, database_url: str) -> None:
    events = unreadable("evt_1", "{"), unreadable("evt_1", "[")
    assert two_at_once(database_url, *events) == ("unreadable", "unreadable")
    assert len(inbox(database)) == 2


def replayed(api: ApiClient, database: Connection) -> Response:
    return api.call("POST", f"/api/payment-events/{inbox_id(database)}/replay")


def test_a_replay_of_an_unreadable_event_returns_why_it_still_cannot_be_read(
    api: ApiClient, database: Connection
) -> None:
    run(database, unreadable("evt_1", "{"))
    refused = replayed(api, database)
    assert refused.problem() == (422, "unreadable-payment-event")
    assert refused.json["detail"].startswith("The body is not JSON.")
    assert inbox(database) == [[0, "unreadable", "not_json", 2]]
    assert database.run("SELECT body, error FROM payment_events") == [["{", refused.json["detail"]]]


@pytest.mark.parametrize("is_base64", [False, True])
def test_a_replay_reads_the_body_again_and_applies_the_payment(
    api: ApiClient, database: Connection, order_id: str, *, is_base64: bool
) -> None:
    body = json.dumps({"order_id": order_id, "payment_status": "paid", "event_id": "evt_other"})
    stored = base64.b64encode(body.encode()).decode() if is_base64 else body
    # As an earlier release would have stored it, or without its media type.
    run(database, unreadable("evt_1", stored, body_is_base64=is_base64, reason="media_type"))
    assert expect(200, replayed(api, database))["outcome"] == "applied"
    assert database.run("SELECT event_id, outcome::text, error FROM payment_events") == [["evt_1", "applied", None]]
    assert inbox(database) == [[0, "applied", None, 2]]
    entry = api.items(f"/api/orders/{order_id}/events")[-1]
    assert (entry["cause"], entry["actor"], entry["outcome"]) == ("replay", "anonymous", "applied")


def test_a_replay_of_an_unreadable_event_follows_the_settings(
    api: ApiClient, database: Connection, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENT_MODE", "live")
    body = {"order_id": order_id, "payment_status": "paid", "livemode": False}
    run(database, unreadable("evt_1", json.dumps(body)))
    assert expect(200, replayed(api, database))["outcome"] == "ignored"


def test_a_replay_of_an_unreadable_event_for_an_unknown_order_returns_404(api: ApiClient, database: Connection) -> None:
    run(database, unreadable("evt_1", json.dumps({"order_id": UNKNOWN, "payment_status": "paid"})))
    assert replayed(api, database).problem() == (404, "order-not-found")
    assert inbox(database) == [[0, "unknown_order", "unknown_order", 2]]


def test_a_replay_and_a_delivery_of_an_unreadable_event_at_once_apply_it_once(
    database: Connection, database_url: str, order_id: str
) -> None:
    run(database, unreadable("evt_1", "{"))
    again = pay(order_id, "paid", "evt_1", cause="replay")
    assert two_at_once(database_url, again, pay(order_id, "paid", "evt_1")) == ("applied", "duplicate")
