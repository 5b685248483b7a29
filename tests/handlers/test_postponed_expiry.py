"""Orders expire a day later while no payment events arrive, because they may be paid."""

import logging
from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, expect
from tests.handlers.test_expire_orders import make_older, run, status


@pytest.fixture
def due(database: Connection, order: dict[str, Any]) -> dict[str, Any]:
    """An order that is due."""
    make_older(database, order["id"])
    return order


def receive_event(api: ApiClient, database: Connection, *, hours_ago: float) -> None:
    """Receive a payment of another order."""
    expect(200, api.pay(api.order((api.create_product()["id"], 1))["id"]))
    database.run(
        "UPDATE payment_events SET received_at = received_at - make_interval(secs => :seconds)",
        seconds=hours_ago * 3600,
    )


def test_an_order_does_not_expire_while_the_webhook_is_silent(
    api: ApiClient,
    database: Connection,
    due: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    receive_event(api, database, hours_ago=6.1)
    assert run().items() >= {"expired": 0, "postponed": 1}.items()
    assert status(api, due) == "pending"
    assert ("storefront", logging.WARNING, "no payment events arrive, so orders do not expire") in caplog.record_tuples
    assert '"ExpiryPostponed":[1.0]' in capsys.readouterr().out


def test_an_order_is_postponed_for_a_day_at_most(api: ApiClient, database: Connection, due: dict[str, Any]) -> None:
    receive_event(api, database, hours_ago=100)
    make_older(database, due["id"], minutes=24 * 60 - 3)
    assert run()["expired"] == 0
    make_older(database, due["id"], minutes=3)
    assert run().items() >= {"expired": 1, "postponed": 0}.items()


def test_the_postponement_ends_six_hours_after_events_arrive_again(
    api: ApiClient, database: Connection, due: dict[str, Any]
) -> None:
    receive_event(api, database, hours_ago=7)
    # The processor does not send all events again at once.
    receive_event(api, database, hours_ago=5.9)
    assert run().items() >= {"expired": 0, "postponed": 1}.items()
    receive_event(api, database, hours_ago=0.2)
    assert run().items() >= {"expired": 1, "postponed": 0}.items()
    assert status(api, due) == "canceled"


def test_pauses_that_are_shorter_postpone_nothing(api: ApiClient, database: Connection, due: dict[str, Any]) -> None:
    for _ in range(3):
        receive_event(api, database, hours_ago=5.9)
    assert run().items() >= {"expired": 1, "postponed": 0}.items()
    assert status(api, due) == "canceled"


def test_the_first_event_of_all_postpones_nothing(api: ApiClient, database: Connection, due: dict[str, Any]) -> None:
    receive_event(api, database, hours_ago=0)
    assert run().items() >= {"expired": 1, "postponed": 0}.items()
    assert status(api, due) == "canceled"


def test_a_repeated_event_does_not_end_it(api: ApiClient, database: Connection, due: dict[str, Any]) -> None:
    receive_event(api, database, hours_ago=7)
    [[body]] = database.run("SELECT body FROM payment_events")
    expect(200, api.deliver(body.encode()))
    assert run().items() >= {"expired": 0, "postponed": 1}.items()
    assert status(api, due) == "pending"


@pytest.mark.usefixtures("due")
def test_nothing_is_postponed_where_no_event_ever_arrived() -> None:
    assert run().items() >= {"expired": 1, "postponed": 0}.items()


@pytest.mark.usefixtures("due")
@pytest.mark.parametrize(("hours", "expired"), [("0", 1), ("8", 1), ("7", 0)])
def test_the_hours_of_silence_are_a_setting(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch, hours: str, expired: int
) -> None:
    monkeypatch.setenv("WEBHOOK_SILENCE_HOURS", hours)
    receive_event(api, database, hours_ago=7.5)
    assert run()["expired"] == expired


def test_an_order_of_which_a_payment_is_under_way_is_not_counted_as_postponed(
    api: ApiClient, database: Connection, due: dict[str, Any]
) -> None:
    expect(200, api.pay(due["id"], amount="1.00"))
    database.run("UPDATE payment_events SET received_at = received_at - interval '7 hours'")
    assert run().items() >= {"expired": 0, "postponed": 0}.items()
