"""The settings and the content of a payment event decide its outcome."""

from typing import Any
from unittest.mock import ANY

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.integration.races import Call, change_status, pay, replay, report, start
from tests.integration.stored_events import OTHER_ACCOUNT, TEST_MODE, inbox, inbox_id, kinds, run

pytestmark = pytest.mark.usefixtures("expect_no_violations")


@pytest.mark.parametrize(
    ("mode", "livemode", "outcome"),
    [
        *((mode, None, "applied") for mode in ("any", "live", "test", None)),
        *((None, livemode, "applied") for livemode in (True, False)),
        *(("any", livemode, "applied") for livemode in (True, False)),
        ("live", True, "applied"),
        ("live", False, "ignored"),
        ("test", True, "ignored"),
        ("test", False, "applied"),
    ],
)
def test_an_event_of_another_mode_is_ignored(
    database: Connection, order_id: str, mode: str | None, livemode: object, outcome: str
) -> None:
    assert pay(order_id, "paid", livemode=livemode, payment_mode=mode).run(database) == outcome
    assert inbox(database)[0][2] == (None if outcome == "applied" else "other_mode")


@pytest.mark.parametrize(
    ("accounts", "account", "outcome"),
    [
        ([], "acct_1", "applied"),
        (["acct_1"], "acct_1", "applied"),
        (["acct_2", "acct_1"], "acct_1", "applied"),
        (["acct_2"], "acct_1", "ignored"),
        (["acct_2"], None, "applied"),
    ],
)
def test_an_event_of_another_account_is_ignored(
    database: Connection, order_id: str, accounts: list[str], account: str | None, outcome: str
) -> None:
    assert pay(order_id, "paid", account=account, payment_accounts=accounts).run(database) == outcome
    assert inbox(database)[0][2] == (None if outcome == "applied" else "other_account")


@pytest.mark.parametrize("order", ["unknown", "canceled"])
def test_test_money_is_ignored_whatever_its_order(database: Connection, order_id: str, order: str) -> None:
    if order == "canceled":
        change_status(order_id, "canceled").run(database)
    assert pay(UNKNOWN if order == "unknown" else order_id, "paid", **TEST_MODE).run(database) == "ignored"


def test_the_inbox_shows_mode_and_account(api: ApiClient, database: Connection, order_id: str) -> None:
    pay(order_id, "paid", livemode=False, account="acct_1").run(database)
    [event] = api.items("/api/payment-events")
    assert (event["livemode"], event["account"]) == (False, "acct_1")


@pytest.mark.parametrize("reason", ["payment_under_way", "no_order_named"])
def test_a_replay_after_a_change_of_the_settings_decides_as_the_first_delivery_would(
    database: Connection, order_id: str, reason: str
) -> None:
    named = order_id if reason == "payment_under_way" else None
    report("evt_1", order_id=named, reason=reason, **TEST_MODE).run(database)
    assert replay(inbox_id(database)).run(database) == "ignored"
    assert inbox(database)[0][2] == reason


@pytest.mark.parametrize("fields", [TEST_MODE, OTHER_ACCOUNT], ids=["mode", "account"])
def test_a_delivery_after_a_change_of_the_settings_is_applied(
    database: Connection, order_id: str, fields: dict[str, Any]
) -> None:
    ignored = pay(order_id, "paid", "evt_1", **fields)
    sent_again = pay(order_id, "paid", "evt_1", **{**fields, "payment_mode": "any", "payment_accounts": []})
    assert run(database, ignored, ignored, sent_again, sent_again) == ["ignored", "ignored", "applied", "duplicate"]
    assert inbox(database) == [[0, "applied", None, 4]]


def test_the_same_content_in_another_mode_is_another_event(database: Connection, order_id: str) -> None:
    test, live = (pay(order_id, "paid", "evt_1", livemode=mode, payment_mode="live") for mode in (False, True))
    assert run(database, test, live, live) == ["ignored", "applied", "duplicate"]


def test_an_event_of_an_earlier_release_is_known_again(database: Connection, order_id: str) -> None:
    old, new = pay(order_id, "paid", "evt_1"), pay(order_id, "paid", "evt_1", livemode=True, account="acct_1")
    assert run(database, old, new) == ["applied", "duplicate"]


def test_an_amount_that_cannot_be_read_needs_review(api: ApiClient, database: Connection, order_id: str) -> None:
    assert pay(order_id, "paid", reason="amount_unreadable").run(database) == "needs_review"
    assert replay(inbox_id(database)).run(database) == "needs_review"
    assert inbox(database) == [[0, "needs_review", "amount_unreadable", 2]]
    assert kinds(api) == ["amount_mismatch"]


@pytest.mark.parametrize("corrected", [{"amount": "4.50"}, {"amount": None}])
def test_a_later_delivery_replaces_a_payment_whose_amount_cannot_be_read(
    api: ApiClient, database: Connection, order_id: str, corrected: dict[str, Any]
) -> None:
    broken = pay(order_id, "paid", "evt_1", reason="amount_unreadable")
    calls = broken, broken, pay(order_id, "paid", "evt_1", **corrected), broken
    assert run(database, *calls) == ["needs_review", "duplicate", "applied", "duplicate"]
    assert inbox(database)[0] == [0, "applied", None, ANY]
    assert kinds(api) == []


def test_a_corrected_amount_replaces_a_payment_for_a_canceled_order(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    change_status(order_id, "canceled").run(database)
    broken = pay(order_id, "paid", "evt_1", reason="amount_unreadable")
    corrected = pay(order_id, "paid", "evt_1", amount="4.50")
    assert run(database, broken, corrected, corrected) == ["needs_refund", "needs_refund", "duplicate"]
    assert kinds(api) == ["paid_and_canceled"]


@pytest.mark.parametrize("other", [{"order_id": UNKNOWN}, {"payment_status": "failed"}])
def test_another_payment_does_not_replace_one_whose_amount_cannot_be_read(
    api: ApiClient, database: Connection, order_id: str, other: dict[str, Any]
) -> None:
    content = {"order_id": order_id, "payment_status": "paid"}
    report("evt_1", **content, reason="amount_unreadable").run(database)
    report("evt_1", **{**content, **other}).run(database)
    assert "amount_mismatch" in kinds(api)


@pytest.mark.parametrize("fields", [{"amount": "1"}, {"currency": "EUR"}, {"reason": "amount_unreadable"}])
def test_a_failure_is_applied_whatever_its_amount(database: Connection, order_id: str, fields: dict[str, Any]) -> None:
    assert pay(order_id, "failed", **fields).run(database) == "applied"


MONEY = report("evt_1", payment_status="paid", reason="no_order_named", payment_reference="pi_1", amount="4.50")


def test_money_without_an_order_is_listed(api: ApiClient, database: Connection) -> None:
    assert MONEY.run(database) == "ignored"
    [entry] = api.items("/api/reconciliation")
    assert (entry["kind"], entry["order"]) == ("event_without_order", None)
    assert entry["payment_event"]["payment_reference"] == "pi_1"


@pytest.mark.parametrize("fields", [{"payment_status": "failed"}, {"reason": "type_not_ours"}, TEST_MODE])
def test_other_events_without_an_order_are_not_listed(
    api: ApiClient, database: Connection, fields: dict[str, Any]
) -> None:
    money = {**MONEY.request, **fields}
    if "reason" in fields:
        del money["payment_status"]
    assert Call("record_payment_event", money).run(database) == "ignored"
    assert kinds(api) == []


@pytest.mark.parametrize("type_", ["charge.succeeded", "refund.created", "charge.dispute.created"])
def test_an_event_that_only_mentions_the_payment_does_not_explain_its_money(
    api: ApiClient, database: Connection, order_id: str, type_: str
) -> None:
    status = "needs_response" if "dispute" in type_ else "succeeded"
    about = {"id": "x_1", "payment_intent": "pi_1", "metadata": {"order_id": order_id}, "status": status}
    run(database, MONEY, start(order_id, payment_reference="pi_1"))
    held = database.run("SELECT held_since FROM orders")
    expect(200, api.deliver({"id": "evt_3", "type": type_, "data": {"object": about}}, "stripe"))
    [event] = api.items("/api/payment-events", event_id="evt_3")
    assert (event["payment_reference"], event["object_reference"]) == ("pi_1", "x_1")
    assert kinds(api) == ["event_without_order"]
    assert database.run("SELECT held_since FROM orders") == held != [[None]]


@pytest.mark.parametrize("is_first", [True, False])
def test_money_is_not_listed_if_another_event_names_the_order_of_the_payment(
    api: ApiClient, database: Connection, order_id: str, *, is_first: bool
) -> None:
    named = pay(order_id, "paid", "evt_2", payment_reference="pi_1")
    run(database, *((MONEY, named) if is_first else (named, MONEY)))
    assert kinds(api) == []


@pytest.mark.parametrize(
    "fields", [{"payment_reference": "pi_2"}, {"payment_reference": None}, {"payment_status": "failed"}]
)
def test_money_is_listed_if_only_the_order_of_another_payment_is_named(
    api: ApiClient, database: Connection, order_id: str, fields: dict[str, Any]
) -> None:
    named = {"order_id": order_id, "payment_status": "paid", "payment_reference": "pi_1", **fields}
    run(database, MONEY, report("evt_2", **named))
    assert kinds(api) == ["event_without_order"]


def test_a_delivery_that_replaces_another_one_replaces_its_references(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    run(database, report("evt_1", payment_status="paid", reason="no_order_named", object_reference="cs_1"))
    run(database, pay(order_id, "paid", "evt_1", payment_reference="pi_2", object_reference="cs_2"))
    [event] = api.items("/api/payment-events")
    assert (event["payment_reference"], event["object_reference"]) == ("pi_2", "cs_2")


def test_a_later_delivery_that_names_the_order_replaces_money_without_one(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    assert run(database, MONEY, pay(order_id, "paid", "evt_1")) == ["ignored", "applied"]
    assert inbox(database) == [[0, "applied", None, 2]]
    assert kinds(api) == []
