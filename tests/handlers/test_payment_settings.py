"""The settings that decide which payments change orders: the mode and the accounts."""

from typing import Any

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import only_event
from tests.stripe_events import stripe_event


def test_the_inbox_shows_livemode_and_account(api: ApiClient, order: dict[str, Any]) -> None:
    body = stripe_event(amount_received=450, metadata={"order_id": order["id"]})
    event = {**body, "livemode": True, "account": "acct_1"}
    expect(200, api.deliver(event, "stripe"))
    assert (only_event(api)["livemode"], only_event(api)["account"]) == (True, "acct_1")


@pytest.mark.parametrize(
    ("mode", "livemode", "outcome"),
    [
        ("any", True, "applied"),
        ("any", False, "applied"),
        ("live", True, "applied"),
        ("live", False, "ignored"),
        ("live", None, "applied"),
        ("test", True, "ignored"),
        ("test", False, "applied"),
        ("test", None, "applied"),
    ],
)
def test_the_payment_mode_is_a_setting(
    api: ApiClient,
    order: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    mode: str,
    livemode: bool | None,
    outcome: str,
) -> None:
    monkeypatch.setenv("PAYMENT_MODE", mode)
    assert expect(200, api.pay(order["id"], livemode=livemode))["outcome"] == outcome
    if outcome == "ignored":
        assert only_event(api)["reason"] == "other_mode"
        monkeypatch.setenv("PAYMENT_MODE", "any")
        assert (
            expect(200, api.call("POST", f"/api/payment-events/{only_event(api)['id']}/replay"))["outcome"] == "applied"
        )


@pytest.mark.parametrize(
    ("accounts", "account", "outcome"),
    [
        ("", "acct_1", "applied"),
        ("acct_1", "acct_1", "applied"),
        ("acct_1,acct_2", "acct_2", "applied"),
        ("acct_1,acct_2", "acct_3", "ignored"),
        ("acct_1", None, "applied"),
    ],
)
def test_the_accepted_accounts_are_a_setting(
    api: ApiClient,
    order: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    accounts: str,
    account: str | None,
    outcome: str,
) -> None:
    monkeypatch.setenv("PAYMENT_ACCOUNTS", accounts)
    assert expect(200, api.pay(order["id"], account=account))["outcome"] == outcome
    assert only_event(api)["reason"] == ("other_account" if outcome == "ignored" else None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PAYMENT_MODE", ""), ("PAYMENT_MODE", "Live"), ("PAYMENT_ACCOUNTS", "acct_1, acct_2"), ("PAYMENT_ACCOUNTS", ",")],
)
def test_an_invalid_setting_is_named_in_the_log(
    api: ApiClient,
    order: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(name, value)
    assert api.pay(order["id"]).problem() == (500, "internal-error")
    assert f"{name} should be" in str(vars(caplog.records[-1])["exc_info"])
