"""Events that report no money take a limited place: in the inbox, in their bodies and in the timelines of orders."""

import json
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient, expect, lambda_context, load_function
from tests.handlers.inbox import EVENTS, only_event, pay, timeline

ROWS = "SELECT event_id, length(body), body_is_cut FROM payment_events ORDER BY received_at"


def ignored(api: ApiClient, event_id: str, **fields: Any) -> dict[str, Any]:
    """Deliver an event of a type that is not handled."""
    event = {"id": event_id, "object": "event", "type": "customer.updated", "data": {"object": fields}}
    response: dict[str, Any] = expect(200, api.deliver(event, "stripe"))
    assert response["outcome"] == "ignored"
    return response


def sweep(**environment: str) -> int:
    erased: int = load_function("expire_orders").lambda_handler(environment, lambda_context())["erased_bodies"]
    return erased


def test_only_the_beginning_of_the_body_is_stored(api: ApiClient, database: Connection) -> None:
    ignored(api, "evt_1", text="x" * 200_000)
    ignored(api, "evt_2", text="x")
    [[_, length, is_cut], [_, _, is_whole]] = database.run(ROWS)
    assert (length, is_cut, is_whole) == (4096, True, None)


def test_the_body_of_a_payment_is_stored_completely(
    api: ApiClient, order: dict[str, Any], database: Connection
) -> None:
    pay(api, order, "evt_1", comment="x" * 200_000)
    [[_, length, is_cut]] = database.run(ROWS)
    assert length > 200_000
    assert is_cut is None


def test_a_body_that_is_not_text_is_cut_at_a_whole_group_of_base64(api: ApiClient, database: Connection) -> None:
    body = (
        json.dumps({"id": "evt_1", "object": "event", "type": "x"}).encode()[:-1] + b', "a": "' + b"\xff" * 9000 + b'"}'
    )
    assert expect(200, api.deliver(body, "stripe"))["outcome"] == "ignored"
    assert database.run("SELECT length(decode(body, 'base64')), body_is_base64 FROM payment_events") == [[3072, True]]


def test_a_cut_body_is_not_read_again(api: ApiClient, database: Connection) -> None:
    ignored(api, "evt_1", text="x" * 5000)
    # A type that a later release handles.
    database.run("UPDATE payment_events SET type = 'refund.created'")
    event = only_event(api)
    assert expect(200, api.call("POST", f"{EVENTS}/{event['id']}/replay"))["outcome"] == "ignored"


def test_events_above_the_limit_of_a_day_are_counted_and_not_stored(
    api: ApiClient, order: dict[str, Any], database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGNORED_EVENTS_PER_DAY", "2")
    for number in range(4):
        ignored(api, f"evt_{number}")
    assert [event["event_id"] for event in api.items(EVENTS)] == ["evt_1", "evt_0"]
    assert database.run("SELECT received FROM ignored_events") == [[4]]
    # Money is always stored, and so is what cannot be read.
    assert pay(api, order, "evt_5") == ("applied", None)
    assert api.deliver(b"{").status == 400
    assert len(api.items(EVENTS)) == 4
    assert violations(database) == []


def test_a_captured_event_does_not_use_up_the_limit_of_a_day(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGNORED_EVENTS_PER_DAY", "2")
    captured = {"id": "evt_1", "object": "event", "type": "customer.updated", "data": {"object": {"text": "x" * 5000}}}
    outcomes = [expect(200, api.deliver(captured, "stripe"))["outcome"] for _ in range(5)]
    assert outcomes == ["ignored"] + ["duplicate"] * 4
    ignored(api, "evt_2")
    assert database.run("SELECT received FROM ignored_events") == [[2]]
    assert [(one["event_id"], one["attempts"]) for one in api.items(EVENTS)] == [("evt_2", 1), ("evt_1", 5)]


def test_each_day_has_its_own_limit(api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGNORED_EVENTS_PER_DAY", "1")
    ignored(api, "evt_1")
    database.run("UPDATE ignored_events SET day = day - 1")
    ignored(api, "evt_2")
    assert len(api.items(EVENTS)) == 2


def test_the_bodies_of_ignored_events_are_erased_earlier(
    api: ApiClient, order: dict[str, Any], database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored(api, "evt_1")
    pay(api, order, "evt_2")
    database.run("UPDATE payment_events SET received_at = received_at - interval '31 days'")
    monkeypatch.setenv("IGNORED_BODY_RETENTION_DAYS", "0")
    assert sweep() == 0
    monkeypatch.setenv("IGNORED_BODY_RETENTION_DAYS", "30")
    assert sweep() == 1
    assert [[event_id, length is None] for event_id, length, _ in database.run(ROWS)] == [
        ["evt_1", True],
        ["evt_2", False],
    ]


def test_a_timeline_has_the_first_twenty_deliveries_of_an_event(
    api: ApiClient, order: dict[str, Any], database: Connection
) -> None:
    event = {"order_id": order["id"], "payment_status": "paid", "event_id": "evt_1"}
    outcomes = [expect(200, api.deliver(event))["outcome"] for _ in range(30)]
    assert outcomes == ["applied"] + ["duplicate"] * 29
    assert len(timeline(api, order["id"])) == 1 + 20
    assert only_event(api)["attempts"] == 30
    assert violations(database) == []


def test_a_replay_by_staff_is_always_in_the_timeline(api: ApiClient, order: dict[str, Any]) -> None:
    event = {"order_id": order["id"], "payment_status": "paid", "event_id": "evt_1"}
    for _ in range(25):
        expect(200, api.deliver(event))
    before = len(timeline(api, order["id"]))
    expect(200, api.call("POST", f"{EVENTS}/{only_event(api)['id']}/replay"))
    assert len(timeline(api, order["id"])) == before + 1
