"""An acknowledgement and another change at the same time: it covers only the money that its reader could know."""

from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.inbox import RECONCILIATION, timeline
from tests.integration.races import Call, acknowledge, once, pay, refund, report_dispute, report_refund, two_at_once

pytestmark = pytest.mark.usefixtures("expect_no_violations")


@pytest.fixture
def order_id(api: ApiClient) -> str:
    """A completed order with a total of 4.50, with the payments pi_1 and pi_2."""
    order_id = str(api.order((api.create_product()["id"], 1))["id"])
    for number in (1, 2):
        expect(200, api.pay(order_id, event_id=f"evt_{number}", payment_reference=f"pi_{number}"))
    expect(200, api.change_status(order_id, "completed"))
    return order_id


@pytest.fixture
def entry(api: ApiClient, order_id: str) -> dict[str, Any]:
    """The entry of the second payment."""
    assert order_id
    [one] = api.items(RECONCILIATION)
    return one


def dismiss(entry: dict[str, Any]) -> Call:
    return acknowledge(entry["kind"], entry["id"])


def listed(api: ApiClient) -> list[tuple[str, str | None]]:
    return [(one["kind"], (one["payment"] or {}).get("reference")) for one in api.items(RECONCILIATION)]


def third_payment(order_id: str) -> Call:
    return pay(order_id, "paid", "evt_3", payment_reference="pi_3")


def test_a_payment_after_an_acknowledgement_lists_the_entry_again(
    api: ApiClient, database_url: str, order_id: str, entry: dict[str, Any]
) -> None:
    outcomes = two_at_once(database_url, dismiss(entry), third_payment(order_id))
    assert outcomes == ("acknowledged", "needs_refund")
    assert listed(api) == [("paid_twice", "pi_2"), ("paid_twice", "pi_3")]


def test_an_acknowledgement_that_waited_for_a_payment_leaves_the_entry_of_that_payment(
    api: ApiClient, database_url: str, order_id: str, entry: dict[str, Any]
) -> None:
    outcomes = two_at_once(database_url, third_payment(order_id), dismiss(entry))
    assert outcomes == ("needs_refund", "acknowledged")
    assert listed(api) == [("paid_twice", "pi_3")]


def test_an_entry_that_ends_meanwhile_is_not_acknowledged(
    api: ApiClient, database_url: str, order_id: str, entry: dict[str, Any]
) -> None:
    returned = report_refund("evt_r", "succeeded", "4.50", payment_reference="pi_1", object_reference="re_1")
    assert two_at_once(database_url, returned, dismiss(entry)) == ("applied", "unknown_entry")
    assert listed(api) == []
    assert "acknowledgement" not in {one["cause"] for one in timeline(api, order_id)}


def test_a_failed_refund_after_an_acknowledgement_is_listed(
    api: ApiClient, database_url: str, entry: dict[str, Any]
) -> None:
    failed = report_refund("evt_r", "failed", "4.50", payment_reference="pi_1", object_reference="re_1")
    assert two_at_once(database_url, dismiss(entry), failed) == ("acknowledged", "applied")
    assert listed(api) == [("paid_twice", "pi_2"), ("refund_failed", "pi_1")]


def test_a_lost_dispute_after_an_acknowledgement_lists_the_entry_again(
    api: ApiClient, database_url: str, entry: dict[str, Any]
) -> None:
    lost = report_dispute(
        "evt_d", "lost", amount="1", currency="USD", payment_reference="pi_1", object_reference="dp_1"
    )
    assert two_at_once(database_url, dismiss(entry), lost) == ("acknowledged", "applied")
    assert listed(api) == [("paid_twice", "pi_2")]


def test_a_request_for_a_refund_does_not_list_the_entry_again(
    api: ApiClient, database_url: str, order_id: str, entry: dict[str, Any]
) -> None:
    request = refund(order_id, payment_id=entry["payment"]["id"])
    assert two_at_once(database_url, dismiss(entry), request) == ("acknowledged", "created")
    assert listed(api) == []


@pytest.mark.parametrize("has_order", [True, False])
def test_two_acknowledgements_at_once_are_one(
    api: ApiClient, database: Connection, database_url: str, entry: dict[str, Any], *, has_order: bool
) -> None:
    if not has_order:
        api.pay(UNKNOWN, event_id="evt_lost")
        [entry] = api.items(RECONCILIATION, kind="event_without_order")
    outcomes = two_at_once(database_url, dismiss(entry), dismiss(entry))
    assert outcomes == ("acknowledged", "already_acknowledged")
    assert database.run("SELECT count(*) FROM acknowledgements") == [[1]]


def test_the_same_key_twice_is_one_acknowledgement(
    database: Connection, database_url: str, entry: dict[str, Any]
) -> None:
    call = once(dismiss(entry), "k")
    assert two_at_once(database_url, call, call, waits=None)[0] == "acknowledged"
    assert call.run(database) == "replayed"
    assert database.run("SELECT count(*) FROM acknowledgements") == [[1]]
